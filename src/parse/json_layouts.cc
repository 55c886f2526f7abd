#include "parse/json_layouts.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/utf8.h"
#include "parse/json_scan.h"

namespace dendro {
namespace {

/// memcmp for texts of some ten bytes, `size` > 0.
bool is_same_text(const char* a, const char* b, std::size_t size) {
  if (size > 16) return std::memcmp(a, b, size) == 0;
  if (size >= 8) {
    return load_le<std::uint64_t>(a) == load_le<std::uint64_t>(b) &&
           load_le<std::uint64_t>(a + size - 8) == load_le<std::uint64_t>(b + size - 8);
  }
  if (size >= 4) {
    return load_le<std::uint32_t>(a) == load_le<std::uint32_t>(b) &&
           load_le<std::uint32_t>(a + size - 4) == load_le<std::uint32_t>(b + size - 4);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

bool is_hex_digit(char c) {
  return is_json_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Offset of the line feed if nothing but blanks stands before it; null otherwise.
const char* end_of_blank_line(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
  return at < end && *at == '\n' ? at : nullptr;
}

/// True if a value may stand here: no blank, and no object but an empty one.
bool may_be_value(const char* at, const char* end) {
  if (at == end || is_json_space(*at)) return false;
  if (*at != '{') return true;
  for (++at; at < end && is_json_space(*at); ++at) {
  }
  return at < end && *at == '}';
}

}  // namespace

bool JsonLayouts::leads_on(const Way& way, const char* at, const char* end) {
  const std::size_t size = way.text.size();
  if (static_cast<std::size_t>(end - at) < size || !is_same_text(at, way.text.data(), size)) return false;
  return way.layout != nullptr ? end_of_blank_line(at + size, end) != nullptr : may_be_value(at + size, end);
}

// Not the one taken last, which does not lead on.
JsonLayouts::Way* JsonLayouts::find_other_way(Place& place, const char* at, const char* end) {
  for (std::size_t i = 0; i < place.ways.size(); ++i) {
    if (i == place.last_taken || !leads_on(place.ways[i], at, end)) continue;
    place.last_taken = i;
    return &place.ways[i];
  }
  return nullptr;
}

// Behind the value at `at`; null if there is none that a layout can have.
inline const char* JsonLayouts::step_over(const char* at, const char* end, Span& span) {
  span.first = at;
  span.is_plain_string = span.has_escapes = false;
  const char c = *at;
  if (c == '"') {
    bool has_high_bytes = false;
    const char* stop = find_string_stop(at + 1, end, has_high_bytes);
    if (stop == end) return nullptr;
    span.has_high_bytes = has_high_bytes;
    span.is_plain_string = *stop == '"';
    if (span.is_plain_string) return stop + 1;
    span.has_escapes = true;
    return *stop == '\\' ? step_over_escapes(stop, end) : nullptr;
  }
  if (c == '-' || is_json_digit(c)) {
    bool is_integer = false;
    return skip_numeral(at, end, is_integer);
  }
  const auto behind_word = [&](std::string_view word) {
    const bool stands = static_cast<std::size_t>(end - at) > word.size() && is_same_text(at, word.data(), word.size());
    return stands ? at + word.size() : nullptr;
  };
  if (c == 't') return behind_word("true");
  if (c == 'f') return behind_word("false");
  if (c == 'n') return behind_word("null");
  return c == '[' || c == '{' ? step_over_container(at, span) : nullptr;
}

// Behind the string whose first backslash is at `at`. What JsonReader takes.
const char* JsonLayouts::step_over_escapes(const char* at, const char* end) {
  has_escapes_ = true;
  bool has_high_bytes = false;
  while (at < end && *at == '\\') {
    if (end - at < 6) return nullptr;  // a string, an object and a line end behind it, or it is none of ours
    if (at[1] == 'u') {
      if (!std::all_of(at + 2, at + 6, is_hex_digit)) return nullptr;
      at += 6;
    } else {
      if (std::string_view("\"\\/bfnrt").find(at[1]) == std::string_view::npos) return nullptr;
      at += 2;
    }
    at = find_string_stop(at, end, has_high_bytes);
  }
  return at < end && *at == '"' ? at + 1 : nullptr;
}

// Lists and empty objects: the general reader's, up to the end of the line.
const char* JsonLayouts::step_over_container(const char* at, Span& span) {
  const auto offset = static_cast<std::size_t>(at - text_.data());
  if (line_end_ == 0) line_end_ = text_.find('\n', offset);
  if (line_end_ == std::string_view::npos) return nullptr;
  Value value;
  std::size_t last = offset;
  if (!values_reader_.read_value(text_.substr(0, line_end_), last, value)) return nullptr;
  span.has_escapes = std::memchr(at, '\\', last - offset) != nullptr;
  has_escapes_ = has_escapes_ || span.has_escapes;
  return text_.data() + last;
}

JsonLayouts::Match JsonLayouts::note_miss() {
  debt_ += kDebtOfMiss;
  if (debt_ > kDebtMax) {
    debt_ = kDebtMax / 2;
    pause_lines_ = kPauseLines;
  }
  return {};
}

JsonLayouts::Match JsonLayouts::match(std::string_view text, std::size_t offset) {
  text_ = text;
  line_first_ = offset;
  line_end_ = 0;
  has_escapes_ = false;
  values_reader_.begin_values();
  const char* at = text.data() + offset;
  const char* const end = text.data() + text.size();
  Place* place = root_.get();
  for (std::size_t value = 0;; ++value) {
    if (place->ways.empty()) return note_miss();
    Way* way = &place->ways[place->last_taken];
    if (!leads_on(*way, at, end)) way = find_other_way(*place, at, end);
    if (way == nullptr) return note_miss();
    at += way->text.size();
    if (way->layout != nullptr) {
      if (debt_ > 0) --debt_;
      const auto last = static_cast<std::size_t>(at - text.data());
      const auto line_end = static_cast<std::size_t>(end_of_blank_line(at, end) - text.data());
      return {way->layout.get(), last, line_end, has_escapes_};
    }
    if (value == spans_.size()) spans_.emplace_back();
    Span& span = spans_[value];
    at = step_over(at, end, span);
    if (at == nullptr) return note_miss();
    span.last = at;
    place = way->place.get();
  }
}

void JsonLayouts::read_value(const Match& match, std::size_t value) {
  const Span& span = spans_[value];
  JsonLayout& layout = *match.layout;
  Value& read = layout.nodes[layout.value_nodes[value]].value;
  if (span.is_plain_string) {
    const std::string_view text(span.first + 1, static_cast<std::size_t>(span.last - span.first) - 2);
    read = !span.has_high_bytes || is_valid_utf8(text) ? Value::of_text(text) : Value::of_bytes(text);
  } else {
    auto offset = static_cast<std::size_t>(span.first - text_.data());
    values_reader_.read_value(text_.substr(0, match.last), offset, read);  // stepped over: it stands there
  }
}

void JsonLayouts::read_values(const Match& match) {
  for (const std::uint32_t value : match.layout->looked_at) read_value(match, value);
}

const std::vector<std::uint32_t>& JsonLayouts::read_searched(const Match& match, TextSweep& searched) {
  const JsonLayout& layout = *match.layout;
  const auto end = spans_.begin() + static_cast<std::ptrdiff_t>(layout.value_nodes.size());
  for (auto span = spans_.begin(); span != end; ++span) span->is_searched = span->has_escapes;
  searched.for_each_in(line_first_, match.last, [&](std::size_t first, std::size_t last) {
    // The value that begins before it, unless it is a name that stands there.
    const char* const at = text_.data() + first;
    auto span =
        std::upper_bound(spans_.begin(), end, at, [](const char* place, const Span& s) { return place < s.first; });
    if (span != spans_.begin() && text_.data() + last <= (--span)->last) span->is_searched = true;
  });
  searched_steps_.clear();
  for (std::size_t value = 0; value < layout.value_nodes.size(); ++value) {
    if (!spans_[value].is_searched || layout.value_steps[value] == JsonLayout::kNoStep) continue;
    read_value(match, value);
    searched_steps_.push_back(layout.value_steps[value]);
  }
  std::sort(searched_steps_.begin(), searched_steps_.end());
  return searched_steps_;
}

void JsonLayouts::forget() {
  root_ = std::make_unique<Place>();
  layouts_ = 0;
  text_bytes_ = 0;
}

// The texts around the values of an object that is JSON: the values themselves are stepped over. False: one of them is
// an object that was too deep to be taken apart.
bool JsonLayouts::cut_texts(std::string_view object, const std::vector<JsonNode>& nodes) {
  texts_.clear();
  std::size_t text_first = 0;
  std::size_t at = 0;
  const auto skip_space = [&] {
    while (is_json_space(object[at])) ++at;
  };
  const auto skip_key = [&] {
    for (++at; object[at] != '"'; ++at) {
      if (object[at] == '\\') ++at;
    }
    ++at;
  };
  for (const JsonNode& node : nodes) {
    if (node.kind == JsonNode::Kind::close) continue;
    while (object[at] != '"') ++at;  // blanks, commas, brackets that open or close
    skip_key();
    skip_space();
    ++at;  // the colon
    skip_space();
    if (node.kind == JsonNode::Kind::open) continue;
    if (object[at] == '{' && node.value.type != ValueType::empty_object) return false;
    texts_.push_back(object.substr(text_first, at - text_first));
    Value value;
    if (!values_reader_.read_value(object, at, value)) return false;
    text_first = at;
  }
  texts_.push_back(object.substr(text_first));
  return true;
}

// Null where there is nothing new.
JsonLayout* JsonLayouts::learn_texts(std::string_view object, const std::vector<JsonNode>& nodes) {
  if (nodes.empty() || nodes.size() > kMaxMembers || !cut_texts(object, nodes)) return nullptr;
  if (layouts_ >= kMaxLayouts || text_bytes_ >= kMaxTextBytes) forget();
  Place* place = root_.get();
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const bool is_end = i + 1 == texts_.size();
    const auto known = std::find_if(place->ways.begin(), place->ways.end(), [&](const Way& way) {
      return (way.layout != nullptr) == is_end && way.text == texts_[i];
    });
    if (known != place->ways.end()) {
      if (is_end) return nullptr;
      place = known->place.get();
      continue;
    }
    if (place->ways.size() >= kMaxWays) return nullptr;
    Way way;
    way.text = texts_[i];
    text_bytes_ += way.text.size();
    if (is_end) {
      way.layout = std::make_unique<JsonLayout>();
    } else {
      way.place = std::make_unique<Place>();
    }
    place->ways.push_back(std::move(way));
    place->last_taken = place->ways.size() - 1;
    if (!is_end) place = place->ways.back().place.get();
  }
  ++layouts_;
  JsonLayout& layout = *place->ways.back().layout;
  for (const JsonNode& node : nodes) {
    JsonNode own;
    own.kind = node.kind;
    own.key = layout.keys.emplace_back(node.key);
    own.value = Value::of_null();
    if (node.kind == JsonNode::Kind::leaf)
      layout.value_nodes.push_back(static_cast<std::uint32_t>(layout.nodes.size()));
    layout.nodes.push_back(own);
  }
  return &layout;
}

void JsonLayouts::finish(JsonLayout& layout, RecordPlan plan) {
  layout.plan = std::move(plan);
  std::vector<char> is_looked_at(layout.nodes.size(), 0);
  std::vector<std::uint32_t> steps(layout.nodes.size(), JsonLayout::kNoStep);
  for (std::uint32_t i = 0; i < layout.plan.steps.size(); ++i) {
    if (layout.plan.steps[i].kind == JsonNode::Kind::leaf) steps[layout.plan.steps[i].node] = i;
  }
  for (const std::uint32_t node : layout.value_nodes) layout.value_steps.push_back(steps[node]);
  for (const std::uint32_t step : layout.plan.looked_at) is_looked_at[layout.plan.steps[step].node] = 1;
  for (std::uint32_t i = 0; i < layout.value_nodes.size(); ++i) {
    if (is_looked_at[layout.value_nodes[i]] != 0) layout.looked_at.push_back(i);
  }
}

}  // namespace dendro
