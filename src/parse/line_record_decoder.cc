#include "parse/line_record_decoder.h"

#include <string>
#include <utility>

namespace dendro {
namespace {
constexpr std::string_view kLineByteOrderMark = "\xEF\xBB\xBF";
}

LineRecordDecoder::LineRecordDecoder(DecoderOptions options, BatchFiller& filler, RejectHandler on_reject)
    : options_(std::move(options)),
      on_reject_(std::move(on_reject)),
      mapper_(options_.mapping, filler, options_.wish.get()) {}

std::size_t LineRecordDecoder::decode(std::string_view text, InputEnd end) {
  std::size_t offset = 0;
  if (at_start_) {
    if (text.size() < kLineByteOrderMark.size() && end == InputEnd::more_follows) return 0;
    at_start_ = false;
    if (text.starts_with(kLineByteOrderMark)) offset = kLineByteOrderMark.size();
  }
  while (offset < text.size()) {
    const std::size_t line_end = text.find('\n', offset);
    const bool is_open = line_end == std::string_view::npos && end == InputEnd::more_follows;
    const std::string_view line =
        text.substr(offset, line_end == std::string_view::npos ? line_end : line_end - offset);
    if (is_open && !skipping_) {
      if (line.size() <= options_.mapping.limits.record_bytes) return offset;
      reject({RejectReason::record_too_large,
              "line of over " + std::to_string(options_.mapping.limits.record_bytes) + " bytes"},
             line);
      skipping_ = true;
    } else if (!skipping_) {
      decode_line(line);
    }
    if (!is_open) skipping_ = false;
    offset = line_end == std::string_view::npos ? text.size() : line_end + 1;
  }
  return offset;
}

void LineRecordDecoder::decode_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find_first_not_of(" \t\r\v\f") == std::string_view::npos) return;
  if (std::optional<RejectCause> cause = add_line(line)) {
    reject(std::move(*cause), line);
  } else {
    ++accepted_;
  }
}

void LineRecordDecoder::reject(RejectCause cause, std::string_view raw) {
  if (on_reject_) on_reject_({accepted_ + rejected_, std::move(cause), raw});
  ++rejected_;
}

}  // namespace dendro
