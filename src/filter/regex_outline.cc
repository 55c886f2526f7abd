// A reading of RE2's syntax of our own: RE2 does not show its tree. Literals, classes, groups, flags, alternatives and
// quantifiers; anything else makes the walk give up, which only costs speed. What it says is compared with RE2 on
// random patterns and texts (tests/filter/regex_test.cc, fuzz/regex_fuzz.cc).
//
// A character is a set of ASCII bytes and perhaps "any character beyond ASCII": to be right about which one would take
// RE2's own tables of folding and properties, and a superset is all that is asked for.
#include "filter/regex_outline.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace dendro {
namespace {

constexpr int kDepthMax = 100;
constexpr int kUnbounded = -1;
/// Bytes of one character beyond ASCII. RE2 takes no more, and no fewer than one byte.
constexpr int kCharacterBytesMax = 4;
/// Where a counted repeat of hyperscan's form goes beyond this, it becomes unbounded: large counts are what makes its
/// automata, and the time to build them, grow.
constexpr int kRepeatMax = 200;
/// Positions of the automaton (characters times their repeats) up to which hyperscan is tried. Its compiler has no
/// bound of time: with 1,000 positions random patterns took up to 400 ms.
constexpr std::size_t kPositionsMax = 300;

struct OutlineNode {
  enum class Kind : std::uint8_t { nothing, assertion, character, sequence, choice, repeat };
  Kind kind = Kind::nothing;
  std::bitset<128> ascii;          ///< character
  bool beyond_ascii = false;       ///< character: any one beyond ASCII too
  std::string exact;               ///< character: the bytes of the only one it can be, if that is known
  int min = 0;                     ///< repeat
  int max = kUnbounded;            ///< repeat
  std::vector<OutlineNode> parts;  ///< sequence, choice; repeat: one
};

OutlineNode character_node(std::bitset<128> ascii, bool beyond_ascii) {
  OutlineNode node;
  node.kind = OutlineNode::Kind::character;
  node.ascii = ascii;
  node.beyond_ascii = beyond_ascii;
  return node;
}

OutlineNode assertion_node() {
  OutlineNode node;
  node.kind = OutlineNode::Kind::assertion;
  return node;
}

std::bitset<128> ascii_range(int first, int last) {
  std::bitset<128> set;
  for (int c = first; c <= std::min(last, 127); ++c) set.set(static_cast<std::size_t>(c));
  return set;
}

std::bitset<128> ascii_of(std::string_view characters) {
  std::bitset<128> set;
  for (const char c : characters) set.set(static_cast<std::size_t>(c));
  return set;
}

/// \d \s \w as RE2 knows them: ASCII.
std::optional<std::bitset<128>> perl_class(char name) {
  switch (name) {
    case 'd':
      return ascii_range('0', '9');
    case 's':
      return ascii_of("\t\n\f\r ");
    case 'w':
      return ascii_range('0', '9') | ascii_range('A', 'Z') | ascii_range('a', 'z') | ascii_of("_");
    default:
      return std::nullopt;
  }
}

/// A set of characters while a class is read.
struct ClassSet {
  std::bitset<128> ascii;
  bool beyond_ascii = false;
  /// With `(?i)` the set takes in every case. Of what is beyond ASCII, K and long s fold to ASCII letters.
  void fold() {
    for (std::size_t lower = 'a'; lower <= 'z'; ++lower) {
      const std::size_t upper = lower - ('a' - 'A');
      if (ascii[lower] || ascii[upper]) ascii.set(lower).set(upper);
    }
    if (ascii['k'] || ascii['s']) beyond_ascii = true;
  }
};

/// Recursive descent over the pattern. `give_up` is final.
class OutlineReader {
 public:
  explicit OutlineReader(std::string_view pattern) : pattern_(pattern) {}

  std::optional<OutlineNode> read() {
    OutlineNode node = read_choice(0);
    if (failed_ || at_ != pattern_.size()) return std::nullopt;
    return node;
  }

 private:
  struct Flags {
    bool folds = false;       ///< i
    bool dot_is_all = false;  ///< s
  };

  bool at_end() const { return failed_ || at_ >= pattern_.size(); }
  char peek() const { return pattern_[at_]; }
  bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view text) {
    if (failed_ || !pattern_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  OutlineNode give_up() {
    failed_ = true;
    return {};
  }

  /// Up to the end or the `)` of this group. Flags set inside end with it.
  OutlineNode read_choice(int depth) {
    if (depth > kDepthMax) return give_up();
    const Flags outer = flags_;
    OutlineNode choice;
    choice.kind = OutlineNode::Kind::choice;
    do {
      choice.parts.push_back(read_sequence(depth));
    } while (take('|'));
    flags_ = outer;
    return choice.parts.size() == 1 ? std::move(choice.parts.front()) : std::move(choice);
  }

  OutlineNode read_sequence(int depth) {
    OutlineNode sequence;
    sequence.kind = OutlineNode::Kind::sequence;
    while (!at_end() && peek() != '|' && peek() != ')') {
      OutlineNode atom = read_atom(depth);
      while (read_quantifier(atom)) {
      }
      sequence.parts.push_back(std::move(atom));
    }
    return sequence;
  }

  OutlineNode read_atom(int depth) {
    const char c = peek();
    switch (c) {
      case '(':
        ++at_;
        return read_group(depth);
      case '[':
        ++at_;
        return read_class();
      case '\\':
        ++at_;
        return read_escape();
      case '.':
        ++at_;
        return character_node(flags_.dot_is_all ? ~std::bitset<128>() : ~ascii_of("\n"), true);
      case '^':
      case '$':
        ++at_;
        return assertion_node();
      default:
        return read_literal();
    }
  }

  OutlineNode read_literal() {
    const DecodedUtf8 front = decode_utf8(pattern_.substr(at_));
    if (!front.valid) return give_up();
    at_ += front.bytes;
    return literal(front.code_point);
  }

  OutlineNode literal(char32_t code_point) const {
    ClassSet set;
    if (code_point < 128) {
      set.ascii.set(code_point);
    } else {
      set.beyond_ascii = true;
    }
    if (flags_.folds) {
      // Some character beyond ASCII: which ones fold to it, K and long s apart, stays beyond ASCII.
      if (set.beyond_ascii) set.ascii |= ascii_of("kKsS");
      set.fold();
    }
    OutlineNode node = character_node(set.ascii, set.beyond_ascii);
    if (!flags_.folds && code_point >= 128) append_utf8(node.exact, code_point);
    return node;
  }

  /// Behind `(`.
  OutlineNode read_group(int depth) {
    const Flags outer = flags_;
    if (take("?")) {
      if (take("P<")) {
        const std::size_t end = pattern_.find('>', at_);
        if (end == std::string_view::npos) return give_up();
        at_ = end + 1;
      } else {
        const bool has_flags = read_flags();
        if (has_flags && take(')')) {
          // (?i): holds to the end of the group around it. A quantifier behind it binds to what stands before it.
          const bool is_quantified = !at_end() && std::string_view("*+?{").find(peek()) != std::string_view::npos;
          return is_quantified ? give_up() : OutlineNode();
        }
        if (!has_flags || !take(':')) return give_up();
      }
    }
    OutlineNode inner = read_choice(depth + 1);
    if (!take(')')) return give_up();
    flags_ = outer;
    return inner;
  }

  /// `i-s` of `(?i-s:` and `(?i-s)`.
  bool read_flags() {
    bool value = true;
    while (!at_end() && peek() != ')' && peek() != ':') {
      const char c = peek();
      ++at_;
      if (c == '-') {
        value = false;
      } else if (c == 'i') {
        flags_.folds = value;
      } else if (c == 's') {
        flags_.dot_is_all = value;
      } else if (c != 'm' && c != 'U') {  // where a match stands, and how long it is, is not asked here
        return false;
      }
    }
    return !at_end();
  }

  /// Behind `\`.
  OutlineNode read_escape() {
    if (at_end()) return give_up();
    const char c = peek();
    if (c == 'b' || c == 'B' || c == 'A' || c == 'z') {
      ++at_;
      return assertion_node();
    }
    if (c == 'Q' || c == 'C') return give_up();
    ClassSet set;
    if (read_escaped_class(set)) {
      if (flags_.folds) set.fold();  // (?i)\w takes K and long s
      return character_node(set.ascii, set.beyond_ascii);
    }
    const auto code_point = read_escaped_character();
    return code_point ? literal(*code_point) : give_up();
  }

  /// `d`, `D`, ..., `pL`, `P{Greek}`. Properties: any character at all.
  bool read_escaped_class(ClassSet& set) {
    const char c = peek();
    if (c == 'p' || c == 'P') {
      ++at_;
      take('^');
      if (take('{')) {
        const std::size_t end = pattern_.find('}', at_);
        if (end == std::string_view::npos) give_up();
        at_ = end == std::string_view::npos ? pattern_.size() : end + 1;
      } else if (!at_end()) {
        at_ += decode_utf8(pattern_.substr(at_)).bytes;
      }
      set.ascii.set();
      set.beyond_ascii = true;
      return true;
    }
    const bool is_negated = c >= 'A' && c <= 'Z';
    const auto found = perl_class(is_negated ? static_cast<char>(c + ('a' - 'A')) : c);
    if (!found) return false;
    ++at_;
    set.ascii |= is_negated ? ~*found : *found;
    set.beyond_ascii = set.beyond_ascii || is_negated;
    return true;
  }

  std::optional<char32_t> read_escaped_character() {
    const char c = peek();
    ++at_;
    static constexpr std::string_view kNames = "ntrfva";
    static constexpr std::string_view kCharacters = "\n\t\r\f\v\a";
    if (const std::size_t index = kNames.find(c); index != std::string_view::npos) {
      return static_cast<char32_t>(kCharacters[index]);
    }
    if (c == 'x') return read_hex();
    const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_alphanumeric || static_cast<std::uint8_t>(c) >= 0x80) return std::nullopt;  // octal and what may come
    return static_cast<char32_t>(c);
  }

  /// `41` or `{1F600}`, behind `\x`.
  std::optional<char32_t> read_hex() {
    const bool is_braced = take('{');
    char32_t code_point = 0;
    int digits = 0;
    while (!at_end() && (is_braced || digits < 2)) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) break;
      code_point = code_point * 16 + static_cast<char32_t>(digit);
      if (code_point > 0x10FFFF) return std::nullopt;
      ++digits;
      ++at_;
    }
    if (digits == 0 || (is_braced && !take('}')) || (!is_braced && digits != 2)) return std::nullopt;
    return code_point;
  }

  /// Behind `[`.
  OutlineNode read_class() {
    const bool is_negated = take('^');
    ClassSet set;
    bool is_first = true;
    while (!at_end() && (is_first || peek() != ']')) {
      is_first = false;
      if (!read_class_item(set)) return give_up();
    }
    if (!take(']')) return give_up();
    // The complement of what surely is in the class, which is the set before folding. Anything beyond ASCII may be
    // outside it.
    if (is_negated) return character_node(~set.ascii, true);
    if (flags_.folds) {
      if (set.beyond_ascii) set.ascii |= ascii_of("kKsS");
      set.fold();
    }
    return character_node(set.ascii, set.beyond_ascii);
  }

  bool read_class_item(ClassSet& set) {
    if (pattern_.substr(at_).starts_with("[:")) return false;  // [:alpha:] and its like
    if (peek() == '\\') {
      ++at_;
      if (at_end()) return false;
      if (peek() == 'p' || peek() == 'P') return false;  // exact sets only: a class may be negated
      if (read_escaped_class(set)) return true;
      --at_;
    }
    const auto first = read_class_character();
    if (!first) return false;
    char32_t last = *first;
    if (!at_end() && peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
      ++at_;
      const auto end = read_class_character();
      if (!end || *end < *first) return false;
      last = *end;
    }
    if (*first < 128)
      set.ascii |= ascii_range(static_cast<int>(*first), static_cast<int>(std::min<char32_t>(last, 127)));
    if (last >= 128) set.beyond_ascii = true;
    return true;
  }

  std::optional<char32_t> read_class_character() {
    if (at_end()) return std::nullopt;
    if (take('\\')) return at_end() ? std::nullopt : read_escaped_character();
    const DecodedUtf8 front = decode_utf8(pattern_.substr(at_));
    if (!front.valid) return std::nullopt;
    at_ += front.bytes;
    return front.code_point;
  }

  /// Puts the quantifier at hand, if there is one, around `atom`.
  bool read_quantifier(OutlineNode& atom) {
    if (at_end()) return false;
    int min = 0;
    int max = kUnbounded;
    if (take('*')) {
    } else if (take('+')) {
      min = 1;
    } else if (take('?')) {
      max = 1;
    } else if (!read_counts(min, max)) {
      return false;
    }
    take('?');  // lazy: as to whether there is a match, the same
    OutlineNode repeat;
    repeat.kind = OutlineNode::Kind::repeat;
    repeat.min = min;
    repeat.max = max;
    repeat.parts.push_back(std::move(atom));
    atom = std::move(repeat);
    return true;
  }

  /// `{2}`, `{2,}`, `{2,5}`; anything else that begins with a brace is a literal, and nothing is taken.
  bool read_counts(int& min, int& max) {
    const std::size_t before = at_;
    const auto read_number = [this]() -> std::optional<int> {
      int number = 0;
      const std::size_t start = at_;
      while (!at_end() && peek() >= '0' && peek() <= '9' && number < 10'000) {
        number = number * 10 + (peek() - '0');
        ++at_;
      }
      return at_ > start ? std::optional(number) : std::nullopt;
    };
    if (take('{')) {
      if (const auto first = read_number()) {
        min = max = *first;
        if (take(',')) max = read_number().value_or(kUnbounded);
        if (take('}')) return true;
      }
    }
    at_ = before;
    return false;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  Flags flags_;
  bool failed_ = false;
};

bool may_be_empty(const OutlineNode& node) {
  switch (node.kind) {
    case OutlineNode::Kind::character:
      return false;
    case OutlineNode::Kind::sequence:
      return std::all_of(node.parts.begin(), node.parts.end(), may_be_empty);
    case OutlineNode::Kind::choice:
      return std::any_of(node.parts.begin(), node.parts.end(), may_be_empty);
    case OutlineNode::Kind::repeat:
      return node.min == 0 || may_be_empty(node.parts.front());
    default:
      return true;
  }
}

bool has_assertion(const OutlineNode& node) {
  return node.kind == OutlineNode::Kind::assertion || std::any_of(node.parts.begin(), node.parts.end(), has_assertion);
}

void add_match_bytes(const OutlineNode& node, std::bitset<256>& bytes) {
  for (std::size_t c = 0; c < 128; ++c) {
    if (node.ascii[c]) bytes.set(c);
  }
  if (!node.exact.empty()) {
    for (const char c : node.exact) bytes.set(static_cast<std::uint8_t>(c));
  } else if (node.beyond_ascii) {
    for (std::size_t c = 128; c < 256; ++c) bytes.set(c);
  }
  for (const OutlineNode& part : node.parts) add_match_bytes(part, bytes);
}

/// True of parts that leave no trace in the superset: the next one stands at the edge.
bool writes_nothing(const OutlineNode& node) {
  if (node.kind == OutlineNode::Kind::repeat) return node.max == 0;
  return node.kind == OutlineNode::Kind::nothing || node.kind == OutlineNode::Kind::assertion;
}

/// Existence of a match does not ask how often its first and its last part repeat: `a+b{2,9}` is found where `ab{2}`
/// is.
void trim_repeats(OutlineNode& node, bool at_front, bool at_back) {
  if (!at_front && !at_back) return;
  if (node.kind == OutlineNode::Kind::repeat) {
    node.max = std::max(node.min, 0);
    if (node.min == 1) trim_repeats(node.parts.front(), at_front, at_back);
  } else if (node.kind == OutlineNode::Kind::choice) {
    for (OutlineNode& part : node.parts) trim_repeats(part, at_front, at_back);
  } else if (node.kind == OutlineNode::Kind::sequence && !node.parts.empty()) {
    for (std::size_t i = 0; at_front && i < node.parts.size(); ++i) {
      trim_repeats(node.parts[i], true, at_back && i + 1 == node.parts.size());
      if (!writes_nothing(node.parts[i])) break;
    }
    for (std::size_t i = node.parts.size(); at_back && i > 0; --i) {
      trim_repeats(node.parts[i - 1], at_front && i == 1, true);
      if (!writes_nothing(node.parts[i - 1])) break;
    }
  }
}

/// Writes hyperscan's form. Assertions are left out, which finds more.
class SupersetWriter {
 public:
  explicit SupersetWriter(bool ascii_only) : ascii_only_(ascii_only) {}

  void write(const OutlineNode& node) {
    switch (node.kind) {
      case OutlineNode::Kind::character:
        return write_character(node, 1, 1);
      case OutlineNode::Kind::sequence:
        for (const OutlineNode& part : node.parts) write(part);
        return;
      case OutlineNode::Kind::choice:
        return write_choice(node);
      case OutlineNode::Kind::repeat:
        return write_repeat(node);
      default:
        return;
    }
  }
  const std::string& text() const { return text_; }
  std::size_t positions() const { return positions_; }

 private:
  void write_choice(const OutlineNode& node) {
    text_ += "(?:";
    for (std::size_t i = 0; i < node.parts.size(); ++i) {
      if (i > 0) text_.push_back('|');
      write(node.parts[i]);
    }
    text_.push_back(')');
  }

  void write_repeat(const OutlineNode& node) {
    const OutlineNode& part = node.parts.front();
    if (node.max == 0) return;
    if (part.kind == OutlineNode::Kind::character && part.exact.empty())
      return write_character(part, node.min, node.max);
    const std::size_t before = positions_;
    text_ += "(?:";
    write(part);
    text_.push_back(')');
    write_counts(node.min, node.max);
    positions_ = before + (positions_ - before) * copies(node.min, node.max);
  }

  void write_character(const OutlineNode& node, int min, int max) {
    if (!node.exact.empty()) {
      for (const char c : node.exact) write_byte(static_cast<std::uint8_t>(c));
      positions_ += node.exact.size();
      return;
    }
    const bool is_wide = node.beyond_ascii && !ascii_only_;
    if (node.ascii.none() && !is_wide) return write_never();
    write_class(node.ascii, is_wide);
    if (is_wide && max != kUnbounded) max *= kCharacterBytesMax;
    write_counts(min, max);
    positions_ += copies(min, max);
  }

  /// A character that no text has.
  void write_never() {
    text_ += "[\\xff]{9}";
    positions_ += 9;
  }

  void write_class(const std::bitset<128>& ascii, bool is_wide) {
    if (ascii.count() == 1 && !is_wide) {
      for (unsigned c = 0; c < 128; ++c) {
        if (ascii[c]) write_byte(c);
      }
      return;
    }
    text_.push_back('[');
    for (unsigned c = 0; c < 128;) {
      if (!ascii[c]) {
        ++c;
        continue;
      }
      unsigned last = c;
      while (last + 1 < 128 && ascii[last + 1]) ++last;
      write_byte(c);
      if (last > c) {
        text_.push_back('-');
        write_byte(last);
      }
      c = last + 1;
    }
    if (is_wide) text_ += "\\x80-\\xff";
    text_.push_back(']');
  }

  void write_counts(int min, int max) {
    min = std::min(min, kRepeatMax);
    if (max > kRepeatMax) max = kUnbounded;
    if (min == 1 && max == 1) return;
    text_ += "{" + std::to_string(min) + ",";
    if (max != kUnbounded) text_ += std::to_string(max);
    text_.push_back('}');
  }
  static std::size_t copies(int min, int max) {
    const int count = max == kUnbounded || max > kRepeatMax ? std::min(min, kRepeatMax) + 1 : max;
    return static_cast<std::size_t>(std::max(count, 1));
  }

  void write_byte(unsigned byte) {
    static constexpr std::string_view kHexDigits = "0123456789abcdef";
    text_ += "\\x";
    text_.push_back(kHexDigits[byte >> 4]);
    text_.push_back(kHexDigits[byte & 15]);
  }

  bool ascii_only_;
  std::string text_;
  std::size_t positions_ = 0;
};

std::string superset_of(const OutlineNode& node, bool ascii_only) {
  SupersetWriter writer(ascii_only);
  writer.write(node);
  return writer.positions() <= kPositionsMax ? writer.text() : std::string();
}

}  // namespace

RegexOutline outline_regex(std::string_view pattern) {
  RegexOutline outline;
  auto node = OutlineReader(pattern).read();
  if (!node) return outline;
  outline.is_understood = true;
  outline.may_be_empty = may_be_empty(*node);
  outline.has_assertion = has_assertion(*node);
  add_match_bytes(*node, outline.match_bytes);
  if (outline.may_be_empty) return outline;
  trim_repeats(*node, true, true);
  outline.wide_superset = superset_of(*node, false);
  outline.ascii_superset = superset_of(*node, true);
  return outline;
}

}  // namespace dendro
