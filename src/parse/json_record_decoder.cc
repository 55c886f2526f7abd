#include "parse/json_record_decoder.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dendro {
namespace {

const std::vector<std::string>& required_texts_of(const DecoderOptions& options) {
  static const std::vector<std::string> kNone;
  if (!options.mapping.labels.empty()) return kNone;  // what every record has stands in no line
  return options.wish != nullptr ? options.wish->required_texts : kNone;
}

constexpr std::string_view kJsonByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kJoinBudgetPerByte = 4;

bool is_blank_byte(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
}

bool is_whole(const JsonRead& read) {
  return read.kind == JsonRead::Kind::object || read.kind == JsonRead::Kind::other;
}

std::string fault_text(const JsonRead& read, std::size_t first) {
  return std::string(read.what) + " at byte " + std::to_string(read.end - std::min(first, read.end));
}

const std::vector<std::string>& searched_texts_of(const DecoderOptions& options) {
  static const std::vector<std::string> kNone;
  return options.wish != nullptr ? options.wish->searched_texts : kNone;
}

}  // namespace

JsonRecordDecoder::JsonRecordDecoder(DecoderOptions options, BatchFiller& filler, RejectHandler on_reject)
    : options_(std::move(options)),
      on_reject_(std::move(on_reject)),
      reader_(options_.mapping.limits.depth),
      probe_(options_.mapping.limits.depth),
      mapper_(options_.mapping, filler, options_.wish.get()),
      required_(required_texts_of(options_)),
      searched_(searched_texts_of(options_)) {
  if (options_.wish != nullptr && !options_.wish->is_void())
    layouts_ = std::make_unique<JsonLayouts>(options_.mapping.limits.depth);
}

std::size_t JsonRecordDecoder::decode(std::string_view text, InputEnd end) {
  text_ = text;
  end_ = end;
  offset_ = 0;
  required_.start(text);
  searched_.start(text);
  if (at_start_) {
    if (text_.size() < kJsonByteOrderMark.size() && end_ == InputEnd::more_follows) return 0;
    at_start_ = false;
    join_budget_ = std::size_t{1} << 20;
    if (text_.starts_with(kJsonByteOrderMark)) offset_ = kJsonByteOrderMark.size();
  }
  if (end_ == InputEnd::last) join_budget_ += text_.size() * kJoinBudgetPerByte;
  const std::size_t first = offset_;
  for (Step step = Step::done; step == Step::done && offset_ < text_.size();) {
    switch (state_) {
      case State::line:
        step = decode_line();
        break;
      case State::array:
        step = decode_array();
        break;
      case State::skipping: {
        const std::size_t line_end = text_.find('\n', offset_);
        offset_ = line_end == std::string_view::npos ? text_.size() : line_end + 1;
        if (line_end != std::string_view::npos) state_ = State::line;
        break;
      }
    }
  }
  if (end_ == InputEnd::last && state_ == State::array) begin_loose("text ends inside an array");
  join_budget_ += (offset_ - first) * kJoinBudgetPerByte;
  return offset_;
}

std::size_t JsonRecordDecoder::skip_blank(std::size_t offset) const {
  while (offset < text_.size() && is_blank_byte(text_[offset])) ++offset;
  return offset;
}

bool JsonRecordDecoder::is_rest_blank(std::size_t first, std::size_t last) const {
  for (std::size_t i = first; i < last; ++i) {
    const char c = text_[i];
    if (!is_blank_byte(c) && !(loose_ && (c == ',' || c == ']'))) return false;
  }
  return true;
}

JsonRecordDecoder::Step JsonRecordDecoder::decode_line() {
  offset_ = skip_blank(offset_);
  if (offset_ == text_.size()) return Step::done;
  if (layouts_ != nullptr && text_[offset_] == '{' && decode_known_line()) return Step::done;
  if (text_[offset_] == '[' && begins_array()) {
    state_ = State::array;
    wants_ = ArrayWants::element_or_end;
    ++offset_;
    return Step::done;
  }
  std::size_t line_end = text_.find('\n', offset_);
  if (line_end == std::string_view::npos) {
    if (end_ == InputEnd::more_follows) return may_wait_for_more() ? Step::need_more : decode_line_beyond_window();
    line_end = text_.size();
  }
  JsonRead first;
  if (decode_alone(line_end, first)) return Step::done;
  // Commas and brackets that a broken array left behind.
  if (loose_ && text_.substr(offset_, line_end - offset_).find_first_not_of(" \t\r,]}") == std::string_view::npos) {
    offset_ = line_end;
    return Step::done;
  }
  if (first.kind == JsonRead::Kind::incomplete) return decode_joined(line_end);
  reject_line(line_end, first);
  return Step::done;
}

// False: the line is not dealt with.
bool JsonRecordDecoder::decode_known_line() {
  learns_line_ = false;
  if (!layouts_->is_worth_it()) {
    layouts_->pass_line();
    return false;
  }
  const bool leaves_out = !options_.wish->is_all;
  if (!leaves_out) {
    // A record that is wanted is wanted whole: no use in looking at it twice.
    const std::size_t line_end = text_.find('\n', offset_);
    if (line_end == std::string_view::npos || required_.stands_in(offset_, line_end)) return false;
  }
  const JsonLayouts::Match match = layouts_->match(text_, offset_);
  learns_line_ = match.layout == nullptr;
  if (learns_line_ || !mapper_.is_plain(match.layout->plan) || mapper_.wants_whole(match.layout->plan)) return false;
  // A text may be written with escapes: then only its value tells.
  const bool is_wanted =
      !required_.has_wanted() || match.has_escapes || (leaves_out && required_.stands_in(offset_, match.last));
  if (is_wanted && !leaves_out) return false;
  layouts_->read_values(match);
  const JsonLayout& layout = *match.layout;
  const std::string_view raw = text_.substr(offset_, match.last - offset_);
  std::optional<RejectCause> cause;
  if (!is_wanted) {
    cause = mapper_.add_blank(layout.plan, layout.nodes, raw.size());
  } else if (searched_.has_wanted()) {
    cause = mapper_.add_planned(layout.plan, layout.nodes, raw.size(), layouts_->read_searched(match, searched_));
  } else {
    cause = mapper_.add_planned(layout.plan, layout.nodes, raw.size());
  }
  if (cause) {
    reject(std::move(*cause), raw);
  } else {
    ++accepted_;
  }
  offset_ = match.line_end;
  return true;
}

// Among kept lines `[main] started` is one of them: an array of records shows an object, an end, or nothing yet.
bool JsonRecordDecoder::begins_array() const {
  if (options_.broken_lines == BrokenLines::reject) return true;
  std::size_t next = offset_ + 1;
  while (next < text_.size() && is_blank_byte(text_[next])) ++next;
  return next == text_.size() || text_[next] == '{' || text_[next] == ']';
}

// The window holds no whole line. Values that are whole are taken; one that is not is too large.
JsonRecordDecoder::Step JsonRecordDecoder::decode_line_beyond_window() {
  const JsonRead read = reader_.read(text_, offset_);
  if (is_whole(read) && read.end < text_.size()) {
    take(read, offset_);
    offset_ = read.end;
    return Step::done;
  }
  if (read.kind == JsonRead::Kind::malformed) {
    reject({RejectReason::parse_error, fault_text(read, offset_)}, text_.substr(offset_));
  } else {
    reject({RejectReason::record_too_large, "record of over " + std::to_string(text_.size() - offset_) +
                                                " bytes, the limit is " +
                                                std::to_string(options_.mapping.limits.record_bytes)},
           text_.substr(offset_));
  }
  offset_ = text_.size();
  state_ = State::skipping;
  return Step::done;
}

// True: the line was JSON by itself and is dealt with. `first`: the first value that was not whole.
bool JsonRecordDecoder::decode_alone(std::size_t line_end, JsonRead& first) {
  const std::string_view up_to_line_end = text_.substr(0, line_end);
  JsonRead read = reader_.read(up_to_line_end, offset_);
  if (is_whole(read) && is_rest_blank(read.end, line_end)) {
    take(read, offset_);
    if (learns_line_ && read.kind == JsonRead::Kind::object) {
      layouts_->learn(text_.substr(offset_, read.end - offset_), reader_.nodes(),
                      [this](const std::vector<JsonNode>& nodes) { return mapper_.plan_of(nodes); });
    }
    offset_ = line_end;
    return true;
  }
  const std::size_t begin = offset_;
  std::size_t last = begin;
  while (is_whole(read)) {
    last = read.end;
    if (is_rest_blank(last, line_end)) {
      take_values(begin, last);
      offset_ = line_end;
      return true;
    }
    read = reader_.read(up_to_line_end, last);
  }
  first = read;
  return false;
}

JsonRecordDecoder::Step JsonRecordDecoder::decode_joined(std::size_t line_end) {
  if (join_budget_ == 0) {
    JsonRead read;
    read.what = "text ends inside a value";
    read.end = line_end;
    reject_line(line_end, read);
    return Step::done;
  }
  std::size_t last = offset_;
  std::size_t last_line_end = offset_;
  JsonRead read;
  do {
    read = reader_.read(text_, last);
    last = read.end;
    last_line_end = std::min(text_.find('\n', last), text_.size());
  } while (is_whole(read) && !is_rest_blank(last, last_line_end));
  // What is cut by the end of the window may still become right, unless the line is known to be broken.
  const bool is_cut = read.kind == JsonRead::Kind::incomplete || (is_whole(read) && last_line_end == text_.size());
  if (is_cut && may_wait_for_more() && !good_line_follows(line_end, text_.size())) return Step::need_more;
  const bool is_document = options_.framing == JsonFraming::document && skip_blank(last) == text_.size();
  if (is_whole(read) && (is_document || !good_line_follows(line_end, last_line_end))) {
    take_values(offset_, last);
    offset_ = last_line_end;
    return Step::done;
  }
  join_budget_ -= std::min(join_budget_, last - offset_);
  if (is_whole(read)) read.what = "text ends inside a value, and a whole record follows";
  read.end = std::min(read.end, line_end);
  reject_line(line_end, read);
  return Step::done;
}

// Whether a whole line in (first, last] is a non-empty object. `first` is the end of the line before.
bool JsonRecordDecoder::good_line_follows(std::size_t first, std::size_t last) {
  while (first < last) {
    const std::size_t begin = first + 1;
    first = text_.find('\n', begin);
    if (first == std::string_view::npos) {
      if (end_ == InputEnd::more_follows) return false;
      first = text_.size();
    }
    if (begin < first && is_good_line(text_.substr(begin, first - begin))) return true;
  }
  return false;
}

bool JsonRecordDecoder::is_good_line(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || line[begin] != '{') return false;
  const JsonRead read = probe_.read(line, begin);
  return read.kind == JsonRead::Kind::object && !read.is_empty &&
         line.find_first_not_of(" \t\r", read.end) == std::string_view::npos;
}

JsonRecordDecoder::Step JsonRecordDecoder::decode_array() {
  const std::size_t begin = skip_blank(offset_);
  offset_ = begin;
  if (begin == text_.size()) return Step::done;
  const char c = text_[begin];
  if (c == ']' && wants_ != ArrayWants::element) {
    ++offset_;
    state_ = State::line;
    return Step::done;
  }
  if (wants_ != ArrayWants::comma_or_end) return decode_element();
  if (c != ',') {
    begin_loose("expected ',' or ']' in an array");
    return Step::done;
  }
  ++offset_;
  wants_ = ArrayWants::element;
  return Step::done;
}

JsonRecordDecoder::Step JsonRecordDecoder::decode_element() {
  const JsonRead read = reader_.read(text_, offset_);
  const bool reaches_end = read.end == text_.size();
  if (reaches_end && read.kind != JsonRead::Kind::object && may_wait_for_more()) return Step::need_more;
  if (!is_whole(read)) {
    begin_loose(fault_text(read, offset_));
    return Step::done;
  }
  take(read, offset_);
  offset_ = read.end;
  wants_ = ArrayWants::comma_or_end;
  return Step::done;
}

// Gives the rest of the line up and goes on by lines.
void JsonRecordDecoder::begin_loose(std::string_view detail) {
  const std::size_t line_end = text_.find('\n', offset_);
  reject({RejectReason::parse_error, std::string(detail)},
         text_.substr(offset_, line_end == std::string_view::npos ? line_end : line_end - offset_));
  loose_ = true;
  state_ = State::line;
  offset_ = std::min(line_end, text_.size());
  if (line_end == std::string_view::npos && end_ == InputEnd::more_follows) state_ = State::skipping;
}

// `read` is the value at `first` that reader_ holds.
void JsonRecordDecoder::take(const JsonRead& read, std::size_t first) {
  const std::string_view raw = text_.substr(first, read.end - first);
  if (read.kind != JsonRead::Kind::object) {
    reject({RejectReason::parse_error, "expected an object"}, raw);
    return;
  }
  if (std::optional<RejectCause> cause = mapper_.add_object(reader_.nodes(), raw.size())) {
    reject(std::move(*cause), raw);
  } else {
    ++accepted_;
  }
}

// The values in [first, last), known to be whole.
void JsonRecordDecoder::take_values(std::size_t first, std::size_t last) {
  while (first < last) {
    const std::size_t begin = skip_blank(first);
    const JsonRead read = reader_.read(text_, begin);
    if (read.kind == JsonRead::Kind::other && text_[begin] == '[') {
      // An array behind another value on its line: its objects are records too.
      const State state = std::exchange(state_, State::array);
      const std::size_t offset = std::exchange(offset_, begin + 1);
      wants_ = ArrayWants::element_or_end;
      while (state_ == State::array) decode_array();
      first = offset_;
      offset_ = offset;
      state_ = state;
      continue;
    }
    take(read, begin);
    first = read.end;
  }
}

void JsonRecordDecoder::reject_line(std::size_t line_end, const JsonRead& read) {
  const std::string_view line = text_.substr(offset_, line_end - offset_);
  if (line.size() > options_.mapping.limits.record_bytes) {
    reject({RejectReason::record_too_large, "line of " + std::to_string(line.size()) + " bytes, the limit is " +
                                                std::to_string(options_.mapping.limits.record_bytes)},
           line);
  } else {
    reject({RejectReason::parse_error, fault_text(read, offset_)}, line);
  }
  offset_ = line_end;
}

void JsonRecordDecoder::reject(RejectCause cause, std::string_view raw) {
  if (cause.reason == RejectReason::parse_error && options_.broken_lines == BrokenLines::keep_as_text) {
    while (raw.ends_with('\r')) raw.remove_suffix(1);
    std::optional<RejectCause> refusal = mapper_.add_line(raw, mapper_.last_time());
    if (!refusal) {
      ++accepted_;
      ++kept_as_text_;
      return;
    }
    cause = std::move(*refusal);
  }
  if (on_reject_) on_reject_({accepted_ + rejected_, std::move(cause), raw});
  ++rejected_;
}

}  // namespace dendro
