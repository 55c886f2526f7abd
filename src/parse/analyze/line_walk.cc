#include "parse/analyze/line_walk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dendro {
namespace {

constexpr int kWalkDepthMax = 64;

bool is_walk_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_walk_digit(char c) {
  return static_cast<unsigned char>(c - '0') <= 9;
}

/// `at` stands behind a number or word whose next token is at `next`: only blanks may lie between.
bool ends_clean(const char* at, const char* next) {
  return at == next || is_walk_space(*at);
}

bool walk_word(const char* at, const char* next, std::string_view word) {
  return std::memcmp(at, word.data(), word.size()) == 0 && ends_clean(at + word.size(), next);
}

const char* skip_digits(const char* at) {
  while (is_walk_digit(*at)) ++at;
  return at;
}

/// RFC 8259 number. The text ends with a line feed, so every loop does.
bool walk_number(const char* at, const char* next) {
  if (*at == '-') {
    ++at;
    if (*at == 'I') return walk_word(at, next, "Infinity");
  }
  if (!is_walk_digit(*at)) return false;
  at = *at == '0' ? at + 1 : skip_digits(at);
  if (*at == '.') {
    const char* digits = ++at;
    at = skip_digits(at);
    if (at == digits) return false;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    const char* digits = at;
    at = skip_digits(at);
    if (at == digits) return false;
  }
  return ends_clean(at, next);
}

}  // namespace

BytePattern::BytePattern(std::string text) : text_(std::move(text)) {
  const std::size_t size = std::min<std::size_t>(text_.size(), 8);
  mask_ = size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1;
  std::memcpy(&word_, text_.data(), size);
}

LineWalk::LineWalk(const RecordRule& rule) : rule_(rule), one_level_(!rule.plain_level().empty()) {
  for (const std::string& field : rule.fields()) {
    // A name with a control character is only ever written with escapes: a pattern that no key begins with.
    const bool raw =
        std::none_of(field.begin(), field.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    keys_.emplace_back(raw ? '"' + field + '"' : "\n");
  }
  if (one_level_) level_ = BytePattern('"' + rule.plain_level() + '"');
}

/// Returns the entry behind the value that begins at `*token`, null if it is not plain.
[[gnu::always_inline]] inline const std::uint32_t* LineWalk::walk_value(const std::uint32_t* token) const {
  const char* at = text_ + token[0];
  const char* next = text_ + token[1];
  switch (*at) {
    case '"':
      return token + 1;  // the indexer has checked what is inside, the token behind it shows what follows
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return walk_number(at, next) ? token + 1 : nullptr;
    case 't':
      return walk_word(at, next, "true") ? token + 1 : nullptr;
    case 'f':
      return walk_word(at, next, "false") ? token + 1 : nullptr;
    case 'n':
      return walk_word(at, next, "null") ? token + 1 : nullptr;
    case 'N':
      return walk_word(at, next, "NaN") ? token + 1 : nullptr;
    case 'I':
      return walk_word(at, next, "Infinity") ? token + 1 : nullptr;
    case '{':
    case '[':
      return walk_container(token);
    default:
      return nullptr;
  }
}

/// The same for a container below the top, without recursion: one bit a level says whether it is an object.
const std::uint32_t* LineWalk::walk_container(const std::uint32_t* token) const {
  std::uint64_t kinds = 0;
  int depth = 0;
  while (true) {
    // `token` is at the start of a value.
    const char c = text_[*token];
    if (c == '{' || c == '[') {
      if (++depth == kWalkDepthMax) return nullptr;
      kinds = (kinds << 1) | (c == '{' ? 1 : 0);
      ++token;
      if (text_[*token] != (c == '{' ? '}' : ']')) {
        if (c == '[') continue;
        if (text_[token[0]] != '"' || text_[token[1]] != ':') return nullptr;
        token += 2;
        continue;
      }
    } else {
      token = walk_value(token);
      if (token == nullptr) return nullptr;
    }
    // Behind a value, or at the end of an empty container.
    while (text_[*token] == ((kinds & 1) != 0 ? '}' : ']')) {
      kinds >>= 1;
      ++token;
      if (--depth == 0) return token;
    }
    if (text_[*token] != ',') return nullptr;
    ++token;
    if ((kinds & 1) == 0) continue;
    if (text_[token[0]] != '"' || text_[token[1]] != ':') return nullptr;
    token += 2;
  }
}

/// `token` is at a key, the value ends before `last`. False if an escape makes it a matter for the exact reader.
[[gnu::always_inline]] inline bool LineWalk::note_field(const std::uint32_t* token, std::uint32_t last) {
  bool wanted = false;
  const char* key = text_ + token[0];
  const BytePattern* const keys = keys_.data();
  const std::size_t key_count = keys_.size();
  for (std::size_t i = 0; i < key_count; ++i) {
    if (keys[i].at(key)) {
      places_[i] = {token[2], last};
      wanted = true;
    }
  }
  while (*escape_ < last) {
    if (wanted || *escape_ < token[1]) return false;
    ++escape_;
  }
  return true;
}

const std::uint32_t* LineWalk::walk(const std::uint32_t* token) {
  places_ = {};
  if (text_[token[0]] != '{') return nullptr;
  ++token;
  if (text_[token[0]] == '}') {
    ++token;
    return text_[token[0]] == '\n' ? token + 1 : nullptr;
  }
  while (true) {
    if (text_[token[0]] != '"' || text_[token[1]] != ':') return nullptr;
    const std::uint32_t* behind = walk_value(token + 2);
    if (behind == nullptr || !note_field(token, *behind)) return nullptr;
    const char c = text_[*behind];
    token = behind + 1;
    if (c == ',') continue;
    if (c != '}' || text_[token[0]] != '\n') return nullptr;
    return token + 1;
  }
}

std::string_view LineWalk::raw_value(std::size_t field) const {
  const Place& place = places_[field];
  if (place.first == 0) return {};
  std::uint32_t last = place.last;
  while (is_walk_space(text_[last - 1])) --last;
  return {text_ + place.first, last - place.first};
}

bool LineWalk::counts() const {
  const Place& level = places_[rule_.level_field()];
  if (level.first == 0) return false;
  if (one_level_ ? !level_.at(text_ + level.first) : !rule_.level_counts(raw_value(rule_.level_field()))) return false;
  if (!rule_.has_since()) return true;
  RecordRule::Values values;
  for (std::size_t i = 0; i < keys_.size(); ++i) values[i] = raw_value(i);
  return rule_.time_counts(values);
}

}  // namespace dendro
