#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parse/batch_filler.h"
#include "parse/mapping_options.h"
#include "parse/parse_format.h"
#include "parse/record_wish.h"
#include "parse/rejected_record.h"

namespace dendro {

enum class InputEnd : std::uint8_t { more_follows, last };

using RejectHandler = std::function<void(const RejectedRecord&)>;

/// Bytes of one log in, records out: the seam behind which each ParseFormat is one class. Not thread-safe.
/// A record that cannot be taken is handed to the RejectHandler and never stops those behind it.
class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  /// Decodes the records that are whole at the front of `text` and returns how many bytes it is done with; the caller
  /// presents the rest again with more behind it. With `last` everything is taken. A piece of kMaxDecoderWindowBytes or
  /// more always makes progress.
  virtual std::size_t decode(std::string_view text, InputEnd end) = 0;

  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t rejected() const { return rejected_; }
  /// Of those accepted: lines that are not of the format and became records of text.
  std::uint64_t kept_as_text() const { return kept_as_text_; }
  /// Lines cut out of the text, blank ones too; of JSON its records.
  virtual std::uint64_t lines() const { return accepted_ + rejected_; }

 protected:
  std::uint64_t accepted_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t kept_as_text_ = 0;
};

/// A record of kMaxRecordBytes, the line behind it, and room.
inline constexpr std::size_t kMaxDecoderWindowBytes = 2 * kMaxRecordBytes + (std::size_t{64} << 10);

/// How JSON input is cut into records (clients.md 3.1).
enum class JsonFraming : std::uint8_t {
  lines,     ///< NDJSON: split on LF first
  document,  ///< the same, but a body that is one JSON document as a whole is that document
};

/// What becomes of a line of JSON input that is no JSON object.
enum class BrokenLines : std::uint8_t {
  reject,        ///< parse_error
  keep_as_text,  ///< a record with the line as its body: what a program printed among its records
};

/// Lines and bytes of a record that stack traces join (diagnosis.md 2.5); the record that ends there says so.
inline constexpr std::size_t kJoinedLinesMax = 1'000;
inline constexpr std::size_t kJoinedBytesMax = std::size_t{1} << 20;
inline constexpr std::string_view kTruncatedField = "dendro.truncated";

struct DecoderOptions {
  ParseFormat format = ParseFormat::json;  ///< not auto_detect
  JsonFraming framing = JsonFraming::lines;
  MappingOptions mapping = {};
  /// Formats that a line is tried as if it is not `format`; with any of them, json is an object a line.
  std::vector<ParseFormat> others = {};
  BrokenLines broken_lines = BrokenLines::reject;
  /// Formats of a record a line: stack traces, and lines indented behind a record of log4j or klog, join their record.
  bool joins_traces = false;
  /// What of the records somebody will look at; null: everything.
  std::shared_ptr<const RecordWish> wish = nullptr;
  /// What times without a year or a date go by (parse/lines/line_time.h); nothing: the filler's receive time.
  std::optional<Timestamp> reference_time = std::nullopt;
};

/// `filler` takes the records and outlives the decoder. `on_reject` may be empty.
/// Errors: unimplemented (a format not built yet), invalid_argument (auto_detect).
Result<std::unique_ptr<RecordDecoder>> make_record_decoder(DecoderOptions options, BatchFiller& filler,
                                                           RejectHandler on_reject);

}  // namespace dendro
