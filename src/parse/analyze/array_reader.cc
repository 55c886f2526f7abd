#include "parse/analyze/array_reader.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "parse/analyze/line_joiner.h"

namespace dendro {
namespace {

constexpr std::size_t kArrayReadBytes = std::size_t{256} << 10;
constexpr std::string_view kArrayBlanks("\0 \t\r\n", 5);

}  // namespace

Result<std::string> ArrayReader::read(ByteSource& source) {
  DENDRO_TRY_ASSIGN(const bool is_array, hold_first_line(source));
  if (!is_array) return std::move(held_);
  const std::size_t bracket = held_.find('[');
  offset_ = bracket + 1;
  held_.erase(0, bracket + 1);
  line_is_blank_ = false;
  while (true) {
    held_.erase(0, take(held_));
    if (step_ == Step::closed || !held_.empty()) break;  // rule 4
    DENDRO_TRY_ASSIGN(const bool more, read_more(source));
    if (more) continue;
    if (step_ == Step::element) break_element();
    tally_.skip(SkipReason::not_json);
    break;
  }
  if (step_ != Step::closed && !held_.empty()) tally_.skip(SkipReason::not_json);
  if (!line_is_blank_) tally_.add_line();
  return std::move(held_);
}

Result<bool> ArrayReader::read_more(ByteSource& source) {
  const std::size_t size = held_.size();
  held_.resize(size + kArrayReadBytes);
  Result<std::size_t> count = source.read(std::span<char>(held_).subspan(size));
  held_.resize(size + (count ? *count : 0));
  if (!count) return std::move(count).error();
  return *count > 0;
}

/// Holds the input up to the end of its first line that is not blank, and says whether rules 1 and 2 hold.
Result<bool> ArrayReader::hold_first_line(ByteSource& source) {
  std::size_t first = std::string::npos;
  std::size_t last = std::string::npos;
  std::size_t searched = 0;
  bool more = true;
  while (more && last == std::string::npos && held_.size() <= kCountLineBytesMax) {
    searched = held_.size();
    DENDRO_TRY_ASSIGN(more, read_more(source));
    if (first == std::string::npos) first = held_.find_first_not_of(kArrayBlanks);
    if (first == std::string::npos) continue;
    if (held_[first] != '[') return false;
    last = held_.find('\n', std::max(first, searched));
  }
  if (first == std::string::npos) return false;
  std::size_t element = held_.find_first_not_of(kArrayBlanks, first + 1);
  while (element == std::string::npos && more && held_.size() <= kCountLineBytesMax) {
    DENDRO_TRY_ASSIGN(more, read_more(source));
    element = held_.find_first_not_of(kArrayBlanks, first + 1);
  }
  if (element == std::string::npos || held_[element] != '{') return false;
  if (last == std::string::npos && held_.size() > kCountLineBytesMax) return true;  // one line, long beyond any limit
  const std::string_view line = std::string_view(held_).substr(first, std::min(last, held_.size()) - first);
  if (!is_valid_utf8(line)) return last != std::string::npos && line == "[";
  element_reader_.reset();
  const ObjectReader::State state = element_reader_.feed(line);
  if (state == ObjectReader::State::incomplete) return element_reader_.other_values() + element_reader_.objects() == 0;
  if (state == ObjectReader::State::failed || element_reader_.other_values() + element_reader_.objects() != 1)
    return false;
  if (last != std::string::npos && held_.find_first_not_of(kArrayBlanks, last) != std::string::npos) return false;
  return rest_is_blank(source);
}

Result<bool> ArrayReader::rest_is_blank(ByteSource& source) {
  while (true) {
    const std::size_t size = held_.size();
    DENDRO_TRY_ASSIGN(const bool more, read_more(source));
    if (!more) return true;
    if (held_.find_first_not_of(kArrayBlanks, size) != std::string::npos) return false;
    held_.resize(size);  // blanks at the end of the input matter to nobody
  }
}

/// Returns how much of `text` was taken: all of it unless the array is closed or over (rule 4).
std::size_t ArrayReader::take(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && step_ != Step::closed) {
    if (step_ == Step::element) {
      const std::size_t count = take_element(text.substr(at));
      at += count;
      offset_ += count;
      continue;
    }
    const char c = text[at];
    if (step_ == Step::resync) {
      take_resync(c);
    } else if (!take_between(c)) {
      return at;
    }
    ++at;
    ++offset_;
    if (c == '\n') count_line_feed();
  }
  return at;
}

bool ArrayReader::take_between(char c) {
  if (kArrayBlanks.find(c) != std::string_view::npos) return true;
  if (c == ']') {
    if (step_ == Step::next) tally_.skip(SkipReason::not_json);  // a comma with nothing behind it
    step_ = Step::closed;
  } else if (step_ == Step::behind) {
    if (c != ',') return false;
    step_ = Step::next;
  } else {
    begin_element(c);
  }
  line_is_blank_ = false;
  return true;
}

void ArrayReader::take_resync(char c) {
  if (kArrayBlanks.find(c) != std::string_view::npos) return;
  const bool fresh = line_is_blank_;  // nothing but blanks and commas on this line so far
  if (fresh && c == '{') {
    begin_element(c);
  } else if (fresh && c == ']') {
    step_ = Step::closed;
  } else if (!fresh || c != ',') {
    if (!line_skipped_) tally_.skip(SkipReason::not_json);
    line_skipped_ = true;
    line_is_blank_ = false;
  }
  if (step_ != Step::resync) line_is_blank_ = false;
}

void ArrayReader::begin_element(char c) {
  step_ = Step::element;
  element_.assign(1, c);
  element_offset_ = offset_;
  element_lines_ = 1;
  element_too_long_ = false;
  depth_ = c == '{' || c == '[' ? 1 : 0;
  in_string_ = c == '"';
  escaped_ = false;
}

/// Takes bytes of the open element, to its end at most. A `,`, `]` or line feed at its own level ends one that is no
/// container.
std::size_t ArrayReader::take_element(std::string_view text) {
  std::size_t at = 0;
  const auto keep = [&](std::size_t size) {
    element_too_long_ = element_too_long_ || element_.size() + size > kCountLineBytesMax;
    if (!element_too_long_) element_.append(text.substr(0, size));
  };
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string_) {
      if (c == '\n') {
        break_element();
        return at;
      }
      if (escaped_ || c == '\\') {
        escaped_ = !escaped_;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (depth_ == 0 && (c == ',' || c == ']' || c == '\n')) {
      keep(at);
      end_element();
      return at;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0 && --depth_ == 0) {
      keep(at + 1);
      end_element();
      return at + 1;
    } else if (c == '\n') {
      ++element_lines_;
      count_line_feed();
    }
  }
  keep(at);
  return at;
}

void ArrayReader::end_element() {
  step_ = Step::behind;
  const std::string_view text = trim_blank(element_);
  if (element_too_long_) {
    tally_.skip(SkipReason::too_long, element_lines_);
  } else if (!is_valid_utf8(text)) {
    tally_.skip(SkipReason::not_utf8, element_lines_);
  } else {
    element_reader_.reset();
    if (element_reader_.feed(text) != ObjectReader::State::complete) {
      tally_.skip(
          element_reader_.state() == ObjectReader::State::failed ? element_reader_.failure() : SkipReason::not_json,
          element_lines_);
    } else if (element_reader_.objects() != 1 || element_reader_.other_values() != 0) {
      tally_.skip(SkipReason::not_object, element_lines_);
    } else {
      add_matches(tally_, element_reader_.matches(), element_offset_);
    }
  }
}

void ArrayReader::break_element() {
  tally_.skip(SkipReason::not_json, element_lines_);
  step_ = Step::resync;
  line_skipped_ = true;
}

void ArrayReader::count_line_feed() {
  if (!line_is_blank_) tally_.add_line();
  line_is_blank_ = step_ != Step::element;  // a blank line inside an element is counted: nobody will miss it
  line_skipped_ = false;
}

}  // namespace dendro
