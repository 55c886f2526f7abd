#include "codec/canonical_leaf.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/hex.h"
#include "codec/splitter.h"

namespace dendro {
namespace {

// ---- bytes ----------------------------------------------------------------------------------------------------------

enum ByteClass : std::uint8_t {
  kSpaceByte = 1,      // separates tokens
  kDelimiterByte = 2,  // of the splitter
  kDigitByte = 4,      // makes a splitter's token a slot
  kLetterByte = 8,
  kRunByte = 16,     // rule 3 of 3.2
  kSchemeByte = 32,  // of a URL
};

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&](std::string_view bytes, unsigned bits) {
    for (const char c : bytes) classes[static_cast<std::uint8_t>(c)] |= static_cast<std::uint8_t>(bits);
  };
  mark({" \t\r\n\v\f\0\x02", 8}, kSpaceByte);
  mark(kDelimiters, kDelimiterByte);
  mark("0123456789\x01", kDigitByte | kRunByte | kSchemeByte);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kLetterByte | kRunByte | kSchemeByte);
  mark("_./\\:@#$%&*+-~^!?", kRunByte);
  mark("+-.", kSchemeByte);
  for (std::size_t c = 0x80; c < 0x100; ++c) classes[c] |= kLetterByte | kRunByte;
  return classes;
}
constexpr auto kByteClasses = make_byte_classes();

bool is_byte(char c, unsigned classes) {
  return (kByteClasses[static_cast<std::uint8_t>(c)] & classes) != 0;
}
bool is_one_of(char c, std::string_view bytes) {
  return bytes.find(c) != std::string_view::npos;
}
bool is_word_byte(char c) {
  return is_byte(c, kLetterByte | kDigitByte) || c == '_';
}
bool is_slot_byte(char c) {
  return c == kSlotMark;  // the only digit left after slot_digits
}
bool is_hex_byte(char c) {
  return is_slot_byte(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <std::size_t kCount>
bool is_listed(std::string_view text, const std::array<std::string_view, kCount>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view first_line(std::string_view body) {
  const auto first = std::find_if(body.begin(), body.end(), [](char c) { return !is_byte(c, kSpaceByte); });
  body.remove_prefix(static_cast<std::size_t>(first - body.begin()));
  return body.substr(0, body.find('\n'));
}

/// Each of the splitter's tokens that holds a digit (or is a slot already) as one kSlotMark.
std::string slot_digits(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (is_byte(text[at], kDelimiterByte)) {
      out.push_back(text[at++]);
      continue;
    }
    const std::size_t first = at;
    bool has_digit = false;
    for (; at < text.size() && !is_byte(text[at], kDelimiterByte); ++at) has_digit |= is_byte(text[at], kDigitByte);
    if (has_digit)
      out.push_back(kSlotMark);
    else
      out.append(text, first, at - first);
  }
  return out;
}

// ---- tokens: 3.2 and the classes of 3.3 -----------------------------------------------------------------------------

enum class LeafTokenClass : std::uint8_t { word, soft, variable };

struct LeafToken {
  std::string_view text;  // of a variable: not looked at
  LeafTokenClass token_class = LeafTokenClass::word;
  bool after_space = false;

  bool is_variable() const { return token_class == LeafTokenClass::variable; }
  bool is_word() const { return token_class == LeafTokenClass::word; }
  bool is(char c) const { return is_word() && text.size() == 1 && text.front() == c; }
};

/// At least three groups of hexadecimal digits or slots, some of them empty only if one is a slot.
bool is_colon_hex(std::string_view text) {
  std::size_t groups = 1;
  bool has_empty = text.back() == ':';  // an empty group ends before a colon or at the end
  bool has_slot = false;
  char previous = ':';
  for (const char c : text) {
    if (c == ':') {
      ++groups;
      has_empty |= previous == ':';
    } else if (!is_hex_byte(c)) {
      return false;
    }
    has_slot |= is_slot_byte(c);
    previous = c;
  }
  return groups >= 3 && (!has_empty || has_slot);
}

/// At least 8 lower-case hexadecimal digits; one with a decimal digit is a slot already.
bool is_hex_word(std::string_view text) {
  return text.size() >= 8 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'f'; });
}

bool is_time_or_range(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_slot_byte(c) || is_one_of(c, ":.,/-+T"); });
}

/// One with a leading digit need not be told: its parts are two variables, which rule 6 joins again.
bool is_host_and_port(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view port = text.substr(colon + 1);
  return text.find('.') < colon && !port.empty() && std::all_of(port.begin(), port.end(), is_slot_byte);
}

bool splits_at_colons(std::string_view run) {
  return run.find(':') != std::string_view::npos && !is_colon_hex(run) && !is_time_or_range(run) &&
         !is_host_and_port(run);
}

bool has_inner(std::string_view text, std::string_view bytes) {
  const std::size_t at = text.find_first_of(bytes, 1);
  return at != std::string_view::npos && at + 1 < text.size();
}

bool is_dotted_name(std::string_view text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '.' && is_word_byte(text[i - 1]) && is_word_byte(text[i + 1])) return true;
  }
  return false;
}

LeafTokenClass classify(std::string_view text, bool behind_equals) {
  bool has_letter = false;
  bool has_slot = false;
  for (const char c : text) {
    has_letter |= is_byte(c, kLetterByte);
    has_slot |= is_slot_byte(c);
  }
  if (has_slot || text.size() > kLeafTokenBytesMax || is_hex_word(text)) return LeafTokenClass::variable;
  if (text.find(':') != std::string_view::npos && is_colon_hex(text)) return LeafTokenClass::variable;
  if (!has_letter) return LeafTokenClass::word;
  const bool soft =
      behind_equals || text.find('/') != std::string_view::npos || has_inner(text, "\\@") || is_dotted_name(text);
  return soft ? LeafTokenClass::soft : LeafTokenClass::word;
}

// ---- folding: rules 1 to 6 of 3.3 -----------------------------------------------------------------------------------

constexpr std::array<std::string_view, 16> kUnits{"B",  "KB", "MB", "GB", "TB", "KiB", "MiB",  "GiB",
                                                  "ms", "us", "ns", "s",  "%",  "sec", "secs", "seconds"};
constexpr std::array<std::string_view, 14> kDayNames{"Mon",      "Tue",    "Wed",      "Thu",     "Fri",
                                                     "Sat",      "Sun",    "Monday",   "Tuesday", "Wednesday",
                                                     "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 24> kMonthNames{
    "Jan", "Feb",  "Mar",  "Apr",    "May",     "Jun",      "Jul",      "Aug",
    "Sep", "Sept", "Oct",  "Nov",    "January", "February", "March",    "April",
    "Dec", "June", "July", "August", "October", "November", "December", "September"};
constexpr std::array<std::string_view, 23> kAfterTime{"UTC", "GMT", "EST", "EDT", "CST",  "CDT", "MST",  "MDT",
                                                      "PST", "PDT", "BST", "CET", "CEST", "EET", "EEST", "WET",
                                                      "IST", "JST", "MSK", "AM",  "PM",   "am",  "pm"};
constexpr std::array<std::string_view, 9> kHttpMethods{"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                       "CONNECT", "OPTIONS", "TRACE", "PATCH"};

/// Saves most words the search of the lists.
bool may_be_name(const LeafToken& token) {
  return token.is_word() && token.text.size() >= 3 && token.text.front() >= 'A' && token.text.front() <= 'Z';
}
bool is_day_name(const LeafToken& token) {
  return may_be_name(token) && is_listed(token.text, kDayNames);
}
bool is_month_name(const LeafToken& token) {
  return may_be_name(token) && is_listed(token.text, kMonthNames);
}

/// Takes tokens from left to right. `tokens_` is folded at any time: a rule looks at its end and at the new token only.
class LeafFolder {
 public:
  LeafFolder() { tokens_.reserve(64); }

  /// The caller stops here; what more it adds is the tail.
  bool is_full() const { return taken_ > kLeafTokensMax; }

  void add(const LeafToken& token) {
    if (is_full()) return;
    if (++taken_ <= kLeafTokensMax) return fold(token);
    add_variable(token.after_space);  // the tail
  }

  std::string text() const {
    std::string out;
    for (const LeafToken& token : tokens_) {
      if (!out.empty()) out.push_back(' ');
      if (token.token_class == LeafTokenClass::soft) out.push_back(kSoftMark);
      out.append(token.is_variable() ? kLeafVariable : token.text);
    }
    return out;
  }

 private:
  /// The token `back` places from the end, 1 being the last; a word of no text where there is none.
  const LeafToken& at_end(std::size_t back) const {
    static constexpr LeafToken kNone{};
    return back <= tokens_.size() ? tokens_[tokens_.size() - back] : kNone;
  }

  void fold(const LeafToken& token) {
    if (token.is_variable()) return add_variable(token.after_space);
    const LeafToken& last = at_end(1);
    if (token.token_class == LeafTokenClass::soft) {
      if (last.is_word() && is_listed(last.text, kHttpMethods)) return add_variable(token.after_space);  // rule 3
      tokens_.push_back(token);
      return;
    }
    if (last.is_variable() && (is_listed(token.text, kUnits) || is_listed(token.text, kAfterTime))) return;  // 1, 2
    if (is_day_name(token) || is_month_name(token)) return add_date_name(token);
    if (token.text.size() == 1) return add_punctuation(token);
    tokens_.push_back(token);
  }

  /// Rules 2 (a name before it) and 6.
  void add_variable(bool after_space) {
    if (is_day_name(at_end(1)) || is_month_name(at_end(1))) fold_last_name();
    if (at_end(2).is_variable() && is_joiner(at_end(1))) {
      tokens_.pop_back();
      return;
    }
    tokens_.push_back({{}, LeafTokenClass::variable, after_space});
  }

  /// Rule 2: the name at the end becomes a variable, which may reach names and joiners before it.
  void fold_last_name() {
    const bool after_space = tokens_.back().after_space;
    tokens_.pop_back();
    add_variable(after_space);
  }

  void add_date_name(const LeafToken& name) {
    if (is_month_name(name) && is_day_name(at_end(1))) fold_last_name();
    if (at_end(1).is_variable()) return add_variable(name.after_space);
    tokens_.push_back(name);
  }

  void add_punctuation(const LeafToken& token) {
    if (token.is(',') && is_day_name(at_end(1))) fold_last_name();                           // rule 2
    if (closes_empty_pair(token)) tokens_.push_back({{}, LeafTokenClass::variable, false});  // rule 4
    if (token.is(')') && ends_in_doubled_variable()) {                                       // rule 5
      tokens_.resize(tokens_.size() - 2);
      return;
    }
    tokens_.push_back(token);
  }

  bool closes_empty_pair(const LeafToken& token) const {
    const LeafToken& open = at_end(1);
    const char c = token.text.front();
    if (c == '"' || c == '\'') return open.is(c) && !token.after_space && opens_quotes();
    return (c == ')' && open.is('(')) || (c == ']' && open.is('[')) || (c == '}' && open.is('{')) ||
           (c == '>' && open.is('<'));
  }

  /// Whether the quote at the end stands where quotes open, not directly behind what they may have closed.
  bool opens_quotes() const {
    if (tokens_.size() == 1 || at_end(1).after_space) return true;
    const LeafToken& before = at_end(2);
    return before.is_word() && before.text.size() == 1 && is_one_of(before.text.front(), "=([{<,;:|");
  }

  bool ends_in_doubled_variable() const {
    const LeafToken& before = at_end(3);
    return at_end(1).is_variable() && at_end(2).is('(') &&
           (before.is_variable() || (before.is_word() && before.text == "bytes"));
  }

  static bool is_joiner(const LeafToken& token) {
    return token.is_word() && token.text.size() == 1 && is_one_of(token.text.front(), ".,:/-+#|");
  }

  std::vector<LeafToken> tokens_;
  std::size_t taken_ = 0;
};

// ---- the tokeniser --------------------------------------------------------------------------------------------------

/// Cuts one line, its digits slotted, and hands the tokens to a folder.
class LeafTokenizer {
 public:
  LeafTokenizer(std::string_view line, LeafFolder& folder) : line_(line), folder_(folder) {}

  void run() {
    while (!folder_.is_full()) {
      while (at_ < line_.size() && is_byte(line_[at_], kSpaceByte)) ++at_;
      if (at_ == line_.size()) return;
      take_token();
    }
  }

 private:
  void take_token() {
    if (const std::size_t end = url_end(); end > at_) return take_until(end, Colons::keep);
    if (starts_path()) return take_until(end_before(" \"'()[]{}<>,;"), Colons::keep);
    if (!is_byte(line_[at_], kRunByte)) return take_byte();
    const auto end =
        std::find_if(line_.begin() + offset(at_), line_.end(), [](char c) { return !is_byte(c, kRunByte); });
    take_until(static_cast<std::size_t>(end - line_.begin()), Colons::may_split);
  }

  enum class Colons : std::uint8_t { keep, may_split };

  /// Takes [at_, end), its trailing punctuation apart.
  void take_until(std::size_t end, Colons colons) {
    const std::string_view whole = line_.substr(at_, end - at_);
    const std::size_t last = whole.find_last_not_of(".:!?*");
    const std::string_view run = whole.substr(0, last == std::string_view::npos ? 0 : last + 1);
    if (colons == Colons::may_split && splits_at_colons(run))
      take_pieces(run);
    else if (!run.empty())
      take(run.size());
    while (at_ < end && !folder_.is_full()) take_byte();
    at_ = end;
  }

  void take_pieces(std::string_view run) {
    while (!run.empty() && !folder_.is_full()) {
      const std::size_t size = std::min(run.find(':'), run.size());
      if (size == 0)
        take_byte();
      else
        take(size);
      run.remove_prefix(std::max<std::size_t>(size, 1));
    }
  }

  void take(std::size_t size) {
    const char before = at_ == 0 ? ' ' : line_[at_ - 1];
    const std::string_view text = line_.substr(at_, size);
    folder_.add({text, classify(text, before == '=' || before == kSoftMark), is_byte(before, kSpaceByte)});
    at_ += size;
  }

  void take_byte() {
    folder_.add({line_.substr(at_, 1), LeafTokenClass::word, at_ == 0 || is_byte(line_[at_ - 1], kSpaceByte)});
    ++at_;
  }

  /// Where the URL that starts here ends, or here.
  std::size_t url_end() const {
    std::size_t end = at_;
    while (end < line_.size() && is_byte(line_[end], kSchemeByte)) ++end;
    const bool is_url = end > at_ && line_.substr(end).starts_with("://");
    return is_url ? end_before(" \"'<>|") : at_;
  }

  /// Not behind a closing bracket; behind a word byte or dot a `/` is within a run and never comes here.
  bool starts_path() const { return line_[at_] == '/' && (at_ == 0 || !is_one_of(line_[at_ - 1], ")]}>")); }

  /// The first space or one of `stops` from here on.
  std::size_t end_before(std::string_view stops) const {
    std::size_t end = at_;
    while (end < line_.size() && !is_byte(line_[end], kSpaceByte) && !is_one_of(line_[end], stops)) ++end;
    return end;
  }

  static std::ptrdiff_t offset(std::size_t index) { return static_cast<std::ptrdiff_t>(index); }

  std::string_view line_;
  LeafFolder& folder_;
  std::size_t at_ = 0;
};

}  // namespace

std::string canonical_leaf(std::string_view skeleton) {
  const std::string line = slot_digits(first_line(skeleton));
  LeafFolder folder;
  LeafTokenizer(line, folder).run();
  return folder.text();
}

std::uint64_t leaf_id(std::string_view leaf, HashSeed key) {
  return xxh3(leaf, key);
}

std::string template_id_of(std::string_view body) {
  return to_hex16(leaf_id(canonical_leaf(body), kLeafIdSeed));
}

}  // namespace dendro
