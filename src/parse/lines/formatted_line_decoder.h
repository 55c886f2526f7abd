#pragma once

#include <memory>
#include <vector>

#include "parse/line_record_decoder.h"
#include "parse/lines/line_format.h"

namespace dendro {

/// A record a line (and what goes on with it), taken apart by a format, or by the first of several that takes it: the
/// one that took the line before is asked first. A line that none takes is kept as text, with the time of the line
/// before it. Not thread-safe.
class FormattedLineDecoder final : public LineRecordDecoder {
 public:
  /// `formats`: one at least.
  FormattedLineDecoder(DecoderOptions options, std::vector<std::unique_ptr<LineFormat>> formats, BatchFiller& filler,
                       RejectHandler on_reject);

 private:
  std::optional<RejectCause> add_lines(const LineText& lines) override;
  LineRole role_of(std::string_view line) override;
  bool take_apart(std::string_view line);

  std::vector<std::unique_ptr<LineFormat>> formats_;  ///< the last that took a line first
  LineFields fields_, scratch_;
  std::uint64_t plain_lines_ = 0;
  /// One format was named, or a line was of one: until then it may just be text, and no line is one too few.
  bool is_surely_formatted_;
};

}  // namespace dendro
