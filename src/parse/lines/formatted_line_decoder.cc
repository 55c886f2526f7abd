#include "parse/lines/formatted_line_decoder.h"

#include <algorithm>
#include <utility>

namespace dendro {

FormattedLineDecoder::FormattedLineDecoder(DecoderOptions options, std::vector<std::unique_ptr<LineFormat>> formats,
                                           BatchFiller& filler, RejectHandler on_reject)
    : LineRecordDecoder(std::move(options), filler, std::move(on_reject)),
      formats_(std::move(formats)),
      is_surely_formatted_(formats_.size() == 1) {}

bool FormattedLineDecoder::take_apart(std::string_view line) {
  if (formats_.size() == 1) return formats_.front()->decode(line, fields_);
  for (std::size_t i = 0; i < formats_.size(); ++i) {
    // Where several formats are possible a line must speak for the one that takes it.
    if (!formats_[i]->recognises(line, fields_)) continue;
    std::rotate(formats_.begin(), formats_.begin() + static_cast<std::ptrdiff_t>(i),
                formats_.begin() + static_cast<std::ptrdiff_t>(i + 1));
    return true;
  }
  return false;
}

LineRole FormattedLineDecoder::role_of(std::string_view line) {
  for (const auto& format : formats_) {
    if (formats_.size() == 1 ? format->decode(line, scratch_) : format->recognises(line, scratch_))
      return format->role();
  }
  return LineRole::text;
}

std::optional<RejectCause> FormattedLineDecoder::add_lines(const LineText& lines) {
  if (take_apart(lines.first)) {
    if (!is_surely_formatted_) kept_as_text_ = plain_lines_;
    is_surely_formatted_ = true;
    if (lines.has_more()) fields_.extend_body(lines.first, lines.whole);
    if (lines.is_cut) fields_.add(kTruncatedField, Value::of_bool(true));
    return mapper().add_fields(fields_.nodes(), lines.whole.size(), fields_.bytes());
  }
  ++plain_lines_;
  if (is_surely_formatted_) ++kept_as_text_;
  return add_text(lines, mapper().last_time());
}

}  // namespace dendro
