#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "parse/lines/trace_lines.h"
#include "parse/record_decoder.h"
#include "parse/record_mapper.h"

namespace dendro {

/// Plain text: a record a line, the line without its LF or CRLF is the body. Lines of white space are no records. A
/// line that is no UTF-8 is a body of bytes. Decoders of formats that have a record a line derive from it. Where
/// DecoderOptions say so, lines that go on with a record join it (lines/trace_lines.h): then the last record is whole
/// only when the line behind it, or the end, has come. Not thread-safe.
class LineRecordDecoder : public RecordDecoder {
 public:
  LineRecordDecoder(DecoderOptions options, BatchFiller& filler, RejectHandler on_reject);
  std::size_t decode(std::string_view text, InputEnd end) final;
  std::uint64_t lines() const final { return lines_; }

 protected:
  /// A line that is not blank, and those that go on with it.
  struct LineText {
    std::string_view first;  ///< the line
    std::string_view whole;  ///< with those behind it, as they stand there; equal to `first` without any
    bool is_cut = false;     ///< it goes on, in a record of its own
    bool has_more() const { return whole.size() > first.size(); }
  };
  /// Adds the record of such lines.
  virtual std::optional<RejectCause> add_lines(const LineText& lines);
  /// What a line that is not blank is to those behind it. Asked of few lines.
  virtual LineRole role_of(std::string_view) { return LineRole::text; }
  RecordMapper& mapper() { return mapper_; }
  /// A record of text, marked where it is cut.
  std::optional<RejectCause> add_text(const LineText& lines, std::optional<Timestamp> time);

 private:
  /// Lines that are not taken yet, since more may join them.
  struct Open {
    std::size_t first = 0;      ///< offset in the text
    std::size_t first_end = 0;  ///< of the first line
    std::size_t end = 0;        ///< behind the last line that joined
    std::size_t lines = 0;      ///< that joined
    std::uint64_t before = 0;   ///< lines of the text in front
    bool is_asked = false;      ///< trace_ knows of it
  };
  void take_line(std::string_view text, std::size_t offset, std::string_view line);
  bool joins_open(std::string_view text, std::string_view line);
  void close_open(std::string_view text, bool is_cut);
  void decode_lines(const LineText& lines);
  void reject(RejectCause cause, std::string_view raw);

  const DecoderOptions options_;
  RejectHandler on_reject_;
  RecordMapper mapper_;
  TraceLines trace_;
  std::optional<Open> open_;  ///< only while decode() runs
  std::uint64_t lines_ = 0;
  std::uint64_t lines_here_ = 0;  ///< of the text that decode() was given, done with
  bool at_start_ = true;
  bool skipping_ = false;  ///< inside a line that was too long for the window
};

}  // namespace dendro
