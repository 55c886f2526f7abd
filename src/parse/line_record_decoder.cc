#include "parse/line_record_decoder.h"

#include <string>
#include <utility>
#include <vector>

namespace dendro {
namespace {

constexpr std::string_view kLineByteOrderMark = "\xEF\xBB\xBF";

bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}
std::string_view without_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

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
  lines_here_ = 0;
  while (offset < text.size()) {
    const std::size_t line_end = text.find('\n', offset);
    const bool is_open = line_end == std::string_view::npos && end == InputEnd::more_follows;
    const std::string_view line =
        text.substr(offset, line_end == std::string_view::npos ? line_end : line_end - offset);
    if (is_open && !skipping_) {
      if (line.size() <= options_.mapping.limits.record_bytes) break;
      if (open_) close_open(text, false);
      reject({RejectReason::record_too_large,
              "line of over " + std::to_string(options_.mapping.limits.record_bytes) + " bytes"},
             line);
      skipping_ = true;
    } else if (!skipping_ && !is_blank_line(line)) {
      take_line(text, offset, line);
    }
    if (!is_open) {
      skipping_ = false;
      ++lines_here_;
    }
    offset = line_end == std::string_view::npos ? text.size() : line_end + 1;
  }
  if (open_ && end == InputEnd::more_follows) {
    // Presented again, with what is behind it.
    lines_ += open_->before;
    offset = open_->first;
    open_.reset();
    return offset;
  }
  if (open_) close_open(text, false);
  lines_ += lines_here_;
  return offset;
}

void LineRecordDecoder::take_line(std::string_view text, std::size_t offset, std::string_view line) {
  if (!options_.joins_traces) {
    line = without_return(line);
    decode_lines({line, line});
    return;
  }
  if (open_ && joins_open(text, without_return(line))) {
    const bool is_full = open_->lines >= kJoinedLinesMax || offset + line.size() - open_->first > kJoinedBytesMax;
    if (!is_full) {
      ++open_->lines;
      open_->end = offset + line.size();
      return;
    }
    close_open(text, true);
  } else if (open_) {
    close_open(text, false);
  }
  open_ = Open{offset, offset + line.size(), offset + line.size(), 1, lines_here_, false};
}

/// Whether the line goes on with the record at hand. What the record's first line is, is found out only where it may.
bool LineRecordDecoder::joins_open(std::string_view text, std::string_view line) {
  if (!open_->is_asked && !may_go_on(line)) return false;
  if (role_of(line) != LineRole::text) return false;
  if (!open_->is_asked) {
    const std::string_view first = without_return(text.substr(open_->first, open_->first_end - open_->first));
    trace_.begin(first, role_of(first));
    open_->is_asked = true;
  }
  return trace_.joins(line);
}

void LineRecordDecoder::close_open(std::string_view text, bool is_cut) {
  const Open open = *std::exchange(open_, std::nullopt);
  decode_lines({without_return(text.substr(open.first, open.first_end - open.first)),
                without_return(text.substr(open.first, open.end - open.first)), is_cut});
}

void LineRecordDecoder::decode_lines(const LineText& lines) {
  if (std::optional<RejectCause> cause = add_lines(lines)) {
    reject(std::move(*cause), lines.whole);
  } else {
    ++accepted_;
  }
}

std::optional<RejectCause> LineRecordDecoder::add_lines(const LineText& lines) {
  return add_text(lines, std::nullopt);
}

std::optional<RejectCause> LineRecordDecoder::add_text(const LineText& lines, std::optional<Timestamp> time) {
  if (!lines.is_cut) return mapper_.add_line(lines.whole, time);
  std::vector<JsonNode> nodes;
  std::size_t bytes = 0;
  const auto add = [&](std::string_view name, const Value& value) {
    nodes.push_back({JsonNode::Kind::leaf, name, value});
    bytes += name.size() + value.text.size() + sizeof(std::int64_t);
  };
  if (time) add("_time", Value::of_time(*time, 9));
  add(kTruncatedField, Value::of_bool(true));
  add("body", value_of_string(lines.whole));
  return mapper_.add_fields(nodes, lines.whole.size(), bytes);
}

void LineRecordDecoder::reject(RejectCause cause, std::string_view raw) {
  if (on_reject_) on_reject_({accepted_ + rejected_, std::move(cause), raw});
  ++rejected_;
}

}  // namespace dendro
