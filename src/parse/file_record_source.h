#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/timestamp.h"
#include "io/byte_source.h"
#include "parse/record_decoder.h"
#include "record/record_source.h"

namespace dendro {

struct FileSourceOptions {
  ParseFormat format = ParseFormat::auto_detect;  ///< auto_detect: by its first lines (lines/format_detector.h)
  MappingOptions mapping;
  BrokenLines broken_lines = BrokenLines::reject;
  bool joins_traces = false;               ///< as DecoderOptions
  Timestamp receive_time;                  ///< time of records that have none, and what too_new is measured from
  RejectHandler on_reject;                 ///< called from next(), on its thread; may be empty
  std::shared_ptr<const RecordWish> wish;  ///< as DecoderOptions
  /// As DecoderOptions: when the file was last written.
  std::optional<Timestamp> reference_time;
  /// The next bytes may come whenever their writer likes (a pipe): what has come must do to tell the format.
  bool is_pipe = false;
};

/// What a source has learned of its input.
struct FileFindings {
  ParseFormat format = ParseFormat::auto_detect;  ///< auto_detect: not told yet
  bool is_mixed = false;                          ///< lines are of several formats, or not told yet
  std::uint64_t kept_as_text = 0;                 ///< lines that are not of the format, records of text
};

class FileRecordSource : public RecordSource {
 public:
  /// So far.
  virtual FileFindings findings() const = 0;
};

/// Records of a file, pipe or object, in memory that does not grow with it: one window of input (about 8 MiB) and one
/// batch. A pipe that pauses holds nothing back: what has come is decoded and handed on before more is waited for.
/// `next()` gives the errors of the byte source (final); unimplemented for a format not built yet.
std::unique_ptr<FileRecordSource> make_record_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options);
/// The same with the format json.
std::unique_ptr<FileRecordSource> make_ndjson_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options);

}  // namespace dendro
