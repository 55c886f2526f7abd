// The scale-up generator of the benchmark: from a corpus one that is N times as long, never repeating bytes, and
// synthetic sets. Deterministic: input, options, seed and kGeneratorVersion fix every byte of the output, whose hash
// (XXH3-64) is printed. The tokeniser is its own, so that a change of the engine never changes the data.
//
//   engine_scale_up --in nezha.ndjson --times 20 --seed 7 --out nezha-x20.ndjson
//   engine_scale_up --synthetic java --bytes 200000000 --out java.ndjson
//
// Copy 0 is the input. In copy k > 0 the sequence of templates stays and each variable is drawn again, the same value
// to the same value within a copy, so that an id found twice in a record, or in several records, still is one id:
//   dates (2023-01-29, 29 Jan 2023)    moved by k days
//   times with a date                  also new digits below the millisecond; 16:48:42.424 alone stays
//   epochs within the corpus' days     moved by k days
//   hex ids, uuids, random text, MACs  fresh, over the alphabet they have
//   long integers, long fractions      fresh digits below the first three
//   IPv4 addresses                     permuted among those of the same first octet
//   short numbers, 0x numbers          permuted among those of equal length seen in the same slot
// What stays: words, numbers within words (cpu1), values that make up 1 % of their slot, slots of at most 24 values,
// ids that stand for more than one in 200 records (a node, a route: not an id of one event).
// A slot is known by the 24 bytes before it, variables masked.
#define XXH_INLINE_ALL
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

/// Raised with every change that changes an output byte.
constexpr int kGeneratorVersion = 1;
constexpr std::size_t kContextBytes = 24;
constexpr std::size_t kFewValues = 24;
constexpr std::uint64_t kEntityDivisor = 200;
constexpr std::size_t kOutputBufferBytes = 1 << 20;

[[noreturn]] void fail(const std::string& text, int code = 1) {
  std::fprintf(stderr, "engine_scale_up: %s\n", text.c_str());
  std::exit(code);
}

// ---- random numbers, days ----

constexpr std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}
  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Small ranks are frequent: about as 1/rank.
  std::size_t skewed(std::size_t n) {
    double x = 1;
    for (std::size_t i = n; i > 1; i /= 2) x *= 2;
    const double power = unit() * std::max(1.0, __builtin_log2(x) + 1);
    return std::min(n - 1, static_cast<std::size_t>(__builtin_exp2(power)) - 1);
  }

 private:
  std::uint64_t state_;
};

using Days = std::chrono::sys_days;

std::optional<Days> days_of(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return Days(date);
}

// ---- output: a file or stdout, hashed ----

class Output {
 public:
  explicit Output(const std::string& path) {
    if (!path.empty()) fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) fail(path + ": " + std::strerror(errno));
    buffer_.reserve(kOutputBufferBytes + (1 << 16));
    XXH3_64bits_reset(&hash_);
  }
  void add(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kOutputBufferBytes) flush();
  }
  void flush() {
    XXH3_64bits_update(&hash_, buffer_.data(), buffer_.size());
    bytes_ += buffer_.size();
    for (std::string_view left = buffer_; !left.empty();) {
      const ssize_t size = write(fd_, left.data(), left.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) fail(std::string("write: ") + std::strerror(errno));
      left.remove_prefix(static_cast<std::size_t>(size));
    }
    buffer_.clear();
  }
  std::uint64_t hash() const { return XXH3_64bits_digest(&hash_); }
  std::uint64_t bytes() const { return bytes_ + buffer_.size(); }

 private:
  int fd_ = 1;
  std::string buffer_;
  std::uint64_t bytes_ = 0;
  XXH3_state_t hash_;
};

// ---- the tokeniser ----

enum class Kind : std::uint8_t {
  time,       // 2023-01-29T08:48:42.425293566 or with a blank; the fraction may be absent
  date,       // 2023-01-29
  http_date,  // Sun, 29 Jan 2023
  uuid,
  hex_id,  // at least 12 hex digits, letters and digits
  random,  // at least 12 letters and digits that change between kinds of character as chance has it
  maybe,   // at least 12 letters and digits: random if its slot mostly holds such
  mac,
  address,
  hex_number,  // 0x...
  number,
};

struct Token {
  Kind kind;
  std::size_t size;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_alnum(char c) {
  return is_digit(c) || is_upper(c) || is_lower(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Whether text begins as the pattern says: d digit, x hex digit, others themselves.
bool begins_like(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool fits = pattern[i] == 'd'   ? is_digit(text[i])
                      : pattern[i] == 'x' ? is_hex(text[i])
                                          : text[i] == pattern[i];
    if (!fits) return false;
  }
  return true;
}

std::size_t run_of_digits(std::string_view text, std::size_t offset) {
  std::size_t end = offset;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - offset;
}

unsigned digits_value(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool ends_token(std::string_view text, std::size_t offset) {
  return offset >= text.size() || !is_alnum(text[offset]);
}

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

template <std::size_t N>
std::optional<unsigned> name_index(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin());
}

/// `text` begins at a token. The kinds that need no run of letters and digits to be known.
std::optional<Token> shaped_token(std::string_view text) {
  if (is_digit(text[0]) && begins_like(text, "dddd-dd-dd")) {
    const auto date = days_of(static_cast<int>(digits_value(text.substr(0, 4))), digits_value(text.substr(5, 2)),
                              digits_value(text.substr(8, 2)));
    if (date && begins_like(text.substr(10), "Tdd:dd:dd")) return Token{Kind::time, 19};
    if (date && begins_like(text.substr(10), " dd:dd:dd")) return Token{Kind::time, 19};
    if (date && ends_token(text, 10)) return Token{Kind::date, 10};
  }
  if (is_upper(text[0]) && text.size() >= 16 && begins_like(text.substr(3), ", dd ") && text[11] == ' ' &&
      begins_like(text.substr(12), "dddd") && name_index(kWeekdays, text.substr(0, 3)) &&
      name_index(kMonths, text.substr(8, 3))) {
    return Token{Kind::http_date, 16};
  }
  if (!is_hex(text[0])) return std::nullopt;
  if (begins_like(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") && ends_token(text, 36)) return Token{Kind::uuid, 36};
  if (begins_like(text, "xx:xx:xx:xx:xx:xx") && ends_token(text, 17) && (text.size() == 17 || text[17] != ':')) {
    return Token{Kind::mac, 17};
  }
  if (!is_digit(text[0])) return std::nullopt;
  std::size_t end = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t digits = run_of_digits(text, end);
    if (digits == 0 || digits > 3 || digits_value(text.substr(end, digits)) > 255) return std::nullopt;
    end += digits;
    if (part == 3) break;
    if (end >= text.size() || text[end] != '.') return std::nullopt;
    ++end;
  }
  if (!ends_token(text, end) || (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]))) {
    return std::nullopt;
  }
  return Token{Kind::address, end};
}

struct RunShape {
  std::size_t digits = 0, uppers = 0, lowers = 0, hexes = 0, changes = 0;
};

RunShape shape_of(std::string_view run) {
  RunShape shape;
  int before = -1;
  for (const char c : run) {
    const int kind = is_digit(c) ? 0 : is_upper(c) ? 1 : 2;
    shape.digits += kind == 0;
    shape.uppers += kind == 1;
    shape.lowers += kind == 2;
    shape.hexes += is_hex(c);
    shape.changes += before >= 0 && kind != before;
    before = kind;
  }
  return shape;
}

std::optional<Token> long_run_token(std::string_view run) {
  const RunShape shape = shape_of(run);
  const bool one_case = shape.uppers == 0 || shape.lowers == 0;
  if (shape.hexes == run.size() && one_case && shape.digits > 0 && shape.digits < run.size()) {
    return Token{Kind::hex_id, run.size()};
  }
  if (shape.digits == run.size()) return std::nullopt;
  if (shape.digits > 0 && shape.changes * 3 >= run.size()) return Token{Kind::random, run.size()};
  return Token{Kind::maybe, run.size()};
}

/// A number with at most three letters of a unit behind it, which stay.
std::optional<Token> number_token(std::string_view text, std::size_t run_size) {
  const std::size_t digits = run_of_digits(text, 0);
  if (digits == 0 || run_size - digits > 3) return std::nullopt;
  if (digits < run_size || digits + 1 >= text.size() || text[digits] != '.') return Token{Kind::number, digits};
  const std::size_t fraction = run_of_digits(text, digits + 1);
  const std::size_t end = digits + 1 + fraction;
  // 1.2.3 is no fraction: its parts stand alone.
  if (fraction == 0 || (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]))) {
    return Token{Kind::number, digits};
  }
  return Token{Kind::number, end};
}

// ---- the corpus, taken apart once ----

/// One distinct variable.
struct Value {
  std::string_view text;  ///< into the corpus
  Kind kind = Kind::number;
  std::uint64_t slot = 0;  ///< of kinds that are drawn within a slot, else 0
  std::uint64_t count = 0;
};

struct Piece {
  std::uint32_t literal_size = 0;  ///< bytes that stay, before the variable
  std::uint32_t value = 0;
};

struct SlotWords {
  std::uint64_t random = 0, maybe = 0;
};

struct ValueKey {
  std::uint64_t slot;
  Kind kind;
  std::string_view text;
  bool operator==(const ValueKey&) const = default;
};
struct ValueKeyHash {
  std::size_t operator()(const ValueKey& key) const {
    return XXH3_64bits_withSeed(key.text.data(), key.text.size(), key.slot + static_cast<std::uint64_t>(key.kind));
  }
};

class Corpus {
 public:
  explicit Corpus(std::string_view text) : text_(text), is_json_(text.starts_with('{')) {
    if (text.size() > UINT32_MAX) fail("the input must be below 4 GiB");
    pieces_.reserve(text.size() / 24);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t eol = std::min(text.find('\n', begin), text.size() - 1);
      scan_record(begin, eol + 1);
      ++records_;
      begin = eol + 1;
    }
    tail_size_ = text.size() - literal_begin_;
    settle_maybes();
    find_days();
  }

  std::string_view text() const { return text_; }
  std::span<const Piece> pieces() const { return pieces_; }
  std::size_t tail_size() const { return tail_size_; }
  std::span<const Value> values() const { return values_; }
  std::uint64_t records() const { return records_; }
  bool is_json() const { return is_json_; }
  Days first_day() const { return first_day_; }
  Days last_day() const { return last_day_; }

 private:
  void scan_record(std::size_t begin, std::size_t end) {
    masked_.clear();
    bool in_string = false;
    for (std::size_t at = begin; at < end;) {
      const char c = text_[at];
      if (is_json_ && c == '\\') {
        at += at + 1 < end && text_[at + 1] == 'u' ? 6 : 2;
        masked_ += '\\';
        continue;
      }
      in_string ^= is_json_ && c == '"';
      if (!is_alnum(c)) {
        masked_ += c;
        ++at;
        continue;
      }
      at = scan_run(at, end, in_string);
    }
  }

  /// A run of letters and digits begins at `at`. Returns where to go on.
  std::size_t scan_run(std::size_t at, std::size_t end, bool in_string) {
    const std::string_view rest = text_.substr(at, end - at);
    if (const std::optional<Token> token = shaped_token(rest)) {
      if (token->kind != Kind::time) return take(at, *token, 0);
      std::size_t size = token->size;
      if (size + 1 < rest.size() && rest[size] == '.') size += 1 + run_of_digits(rest, size + 1);
      return take(at, {Kind::time, rest[size - 1] == '.' ? size - 1 : size}, 0);
    }
    if (begins_like(rest, "dd:dd:dd")) {  // a time of day agrees with the record's time: it stays
      std::size_t size = 8;
      if (size + 1 < rest.size() && (rest[size] == '.' || rest[size] == ',')) size += 1 + run_of_digits(rest, size + 1);
      masked_ += 't';
      return at + size;
    }
    std::size_t run = 1;
    while (run < rest.size() && is_alnum(rest[run])) ++run;
    if (run >= 12) {
      if (const std::optional<Token> token = long_run_token(rest.substr(0, run))) {
        SlotWords& words = slot_words_[slot_of(Kind::maybe, in_string, false)];
        ++(token->kind == Kind::maybe ? words.maybe : words.random);
        return take(at, *token, slot_of(Kind::maybe, in_string, false));
      }
    }
    const bool after_word = at > 0 && text_[at - 1] == '_';
    if (run > 2 && rest.starts_with("0x") && is_all_hex(rest.substr(2, run - 2))) {
      return take(at, {Kind::hex_number, run}, slot_of(Kind::hex_number, in_string, false));
    }
    if (const std::optional<Token> token = number_token(rest, run); token && !after_word) {
      const bool leads_with_zero = token->size > 1 && rest[0] == '0' && rest[1] != '.';
      return take(at, *token, slot_of(Kind::number, in_string, leads_with_zero));
    }
    masked_ += rest.substr(0, run);
    return at + run;
  }

  static bool is_all_hex(std::string_view text) { return std::all_of(text.begin(), text.end(), is_hex); }

  std::uint64_t slot_of(Kind kind, bool in_string, bool leads_with_zero) const {
    const std::size_t size = std::min(masked_.size(), kContextBytes);
    const auto flags = static_cast<std::uint64_t>(kind) * 4 + (in_string ? 2U : 0U) + (leads_with_zero ? 1U : 0U);
    return XXH3_64bits_withSeed(masked_.data() + masked_.size() - size, size, flags) | 1;
  }

  std::size_t take(std::size_t at, Token token, std::uint64_t slot) {
    const std::string_view text = text_.substr(at, token.size);
    const bool in_slot = token.kind == Kind::number || token.kind == Kind::hex_number;
    const bool is_word = token.kind == Kind::maybe || token.kind == Kind::random;
    // The same text must be the same value wherever it stands; for short numbers that would tie slots without relation.
    const ValueKey key{in_slot && text.size() < 7 ? slot : 0, is_word ? Kind::maybe : token.kind, text};
    const auto [found, is_new] = ids_.try_emplace(key, static_cast<std::uint32_t>(values_.size()));
    if (is_new) values_.push_back({text, token.kind, in_slot || is_word ? slot : 0, 0});
    ++values_[found->second].count;
    pieces_.push_back({static_cast<std::uint32_t>(at - literal_begin_), found->second});
    literal_begin_ = at + token.size;
    masked_ += static_cast<char>(1 + static_cast<int>(token.kind));
    return literal_begin_;
  }

  /// Long words are random text where most words of their slot are.
  void settle_maybes() {
    for (Value& value : values_) {
      if (value.kind != Kind::maybe) continue;
      const SlotWords& words = slot_words_[value.slot];
      if (words.random > words.maybe) value.kind = Kind::random;
    }
    ids_.clear();
  }

  void find_days() {
    bool any = false;
    for (const Value& value : values_) {
      if (value.kind != Kind::time && value.kind != Kind::date) continue;
      const auto day = days_of(static_cast<int>(digits_value(value.text.substr(0, 4))),
                               digits_value(value.text.substr(5, 2)), digits_value(value.text.substr(8, 2)));
      if (!day || value.count * 1000 < records_ / 1000) continue;
      if (!any || *day < first_day_) first_day_ = *day;
      if (!any || *day > last_day_) last_day_ = *day;
      any = true;
    }
  }

  std::string_view text_;
  bool is_json_;
  std::uint64_t records_ = 0;
  std::size_t literal_begin_ = 0, tail_size_ = 0;
  std::string masked_;  ///< the record up to here, variables as one byte
  std::vector<Piece> pieces_;
  std::vector<Value> values_;
  std::unordered_map<ValueKey, std::uint32_t, ValueKeyHash> ids_;
  std::unordered_map<std::uint64_t, SlotWords> slot_words_;
  Days first_day_{}, last_day_{};
};

// ---- one copy's values ----

std::string shifted_date(std::string_view text, int days) {
  const auto day = days_of(static_cast<int>(digits_value(text.substr(0, 4))), digits_value(text.substr(5, 2)),
                           digits_value(text.substr(8, 2)));
  if (!day) return std::string(text);
  const std::chrono::year_month_day date{*day + std::chrono::days(days)};
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return out.data();
}

std::string shifted_http_date(std::string_view text, int days) {
  const auto month = name_index(kMonths, text.substr(8, 3));
  const auto day =
      days_of(static_cast<int>(digits_value(text.substr(12, 4))), *month + 1, digits_value(text.substr(5, 2)));
  if (!day) return std::string(text);
  const Days moved = *day + std::chrono::days(days);
  const std::chrono::year_month_day date{moved};
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%s, %02u %s %04d", kWeekdays[std::chrono::weekday(moved).c_encoding()].data(),
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1].data(),
                static_cast<int>(date.year()));
  return out.data();
}

/// New characters of the same alphabet from `offset` on; what is no letter or digit stays.
std::string fresh_text(std::string_view text, std::size_t offset, Random& random) {
  constexpr std::string_view kAll = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const RunShape shape = shape_of(text);
  std::string out(text);
  for (std::size_t i = offset; i < out.size(); ++i) {
    if (!is_alnum(out[i])) continue;
    const std::uint64_t draw = random.next();
    if (shape.uppers > 0 && shape.lowers > 0) {
      out[i] = kAll[draw % 62];
    } else if (shape.uppers > 0) {
      out[i] = draw % 36 < 10 ? kAll[draw % 36] : kAll[26 + draw % 36];
    } else {
      out[i] = kAll[draw % 36];
    }
  }
  return out;
}

std::string fresh_hex(std::string_view text, Random& random) {
  const bool is_upper_case = std::any_of(text.begin(), text.end(), is_upper);
  const std::string_view alphabet = is_upper_case ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out(text);
  std::size_t zeros = out.size() - (out.find_last_not_of('0') + 1);  // 49a5..3060000 keeps its padding
  if (zeros < 4) zeros = 0;
  for (std::size_t i = 0; i < out.size() - zeros; ++i) {
    const bool is_uuid_version = out.size() == 36 && i == 14;
    if (is_hex(out[i]) && !is_uuid_version) out[i] = alphabet[random.below(16)];
  }
  // One without a letter, or without a digit, would be no id to the tokeniser; its first two digits say otherwise.
  out[0] = alphabet[1 + random.below(9)];
  out[1] = alphabet[10 + random.below(6)];
  return out;
}

/// Digits after the first three significant ones anew. The last is no 0: decimal fractions have none.
std::string fresh_digits(std::string_view text, Random& random) {
  std::string out(text);
  std::size_t significant = 0, last = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!is_digit(out[i])) continue;
    if (significant > 0 || out[i] != '0') ++significant;
    if (significant <= 3) continue;
    out[i] = static_cast<char>('0' + random.below(10));
    last = i;
  }
  if (last > 0 && text.find('.') != std::string_view::npos && text.back() != '0') {
    out[last] = static_cast<char>('1' + random.below(9));
  }
  return out;
}

/// Below the millisecond.
std::string fresh_fraction(std::string_view time, Random& random) {
  std::string out(time);
  for (std::size_t i = 23; i < out.size(); ++i) {
    out[i] = static_cast<char>(i + 1 == out.size() ? '1' + random.below(9) : '0' + random.below(10));
  }
  return out;
}

std::size_t significant_digits(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += is_digit(c) && (count > 0 || c != '0');
  return count;
}

/// Makes the values of copy k.
class Redraw {
 public:
  Redraw(const Corpus& corpus, std::uint64_t seed) : corpus_(corpus), seed_(seed) { group(); }

  std::vector<std::string> copy(int k) const {
    const std::span<const Value> values = corpus_.values();
    std::vector<std::string> out(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = single(values[i], k);
    for (const Group& members : groups_) permute(members, k, out);
    return out;
  }

 private:
  using Group = std::vector<std::uint32_t>;

  std::uint64_t key_of(std::string_view text, int k) const {
    return XXH3_64bits_withSeed(text.data(), text.size(), mix(seed_ + static_cast<std::uint64_t>(k)));
  }

  bool is_entity(const Value& value) const {
    return value.count * kEntityDivisor > std::max<std::uint64_t>(corpus_.records(), 20000);
  }

  std::optional<std::string> moved_epoch(const Value& value, int k) const {
    const std::string_view text = value.text;
    const std::size_t point = std::min(text.find('.'), text.size());
    if (point != 10 && point != 13) return std::nullopt;
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + 10, seconds);
    const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
    if (corpus_.last_day() == Days{} || day < corpus_.first_day() || day > corpus_.last_day()) return std::nullopt;
    return std::to_string(seconds + 86400LL * k) + std::string(text.substr(10));
  }

  std::string single(const Value& value, int k) const {
    Random random(key_of(value.text, k));
    switch (value.kind) {
      case Kind::time:
        return shifted_date(value.text, k) + fresh_fraction(value.text, random).substr(10);
      case Kind::date:
        return shifted_date(value.text, k);
      case Kind::http_date:
        return shifted_http_date(value.text, k);
      case Kind::uuid:
      case Kind::hex_id:
        return is_entity(value) ? std::string(value.text) : fresh_hex(value.text, random);
      case Kind::random:
        return is_entity(value) ? std::string(value.text) : fresh_text(value.text, 1, random);
      case Kind::mac: {
        std::string out(value.text.substr(0, 9));
        return out + fresh_hex(value.text.substr(9), random);
      }
      case Kind::number:
        if (const auto moved = moved_epoch(value, k)) return *moved;
        if (significant_digits(value.text) >= 7 && !is_entity(value)) return fresh_digits(value.text, random);
        return std::string(value.text);
      case Kind::maybe:
      case Kind::address:
      case Kind::hex_number:
        return std::string(value.text);
    }
    return std::string(value.text);
  }

  /// The values that are permuted, by what they may be exchanged with.
  void group() {
    const std::span<const Value> values = corpus_.values();
    std::unordered_map<std::uint64_t, std::uint64_t> slot_count;
    std::unordered_map<std::uint64_t, Group> by_key;
    for (const Value& value : values) slot_count[slot_key(value)] += value.count;
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      const Value& value = values[i];
      const bool permutes = value.kind == Kind::address || value.kind == Kind::hex_number ||
                            (value.kind == Kind::number && significant_digits(value.text) < 7);
      if (!permutes || value.count * 100 > slot_count[slot_key(value)]) continue;
      const std::uint64_t size = value.kind == Kind::address ? 0 : value.text.size();
      by_key[mix(slot_key(value) + size)].push_back(i);
    }
    for (auto& [key, members] : by_key) {
      if (members.size() <= kFewValues) continue;
      groups_.push_back(std::move(members));
    }
    // The order of the map is none; that of first sight is the corpus' own.
    std::sort(groups_.begin(), groups_.end());
  }

  static std::uint64_t slot_key(const Value& value) {
    if (value.kind != Kind::address) return value.slot;
    return mix(digits_value(value.text.substr(0, value.text.find('.'))) + 1000);
  }

  void permute(const Group& members, int k, std::vector<std::string>& out) const {
    const std::span<const Value> values = corpus_.values();
    Random random(key_of(values[members[0]].text, k) ^ members.size());
    Group order = members;
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
    for (std::size_t i = 0; i < members.size(); ++i) out[members[i]] = values[order[i]].text;
  }

  const Corpus& corpus_;
  std::uint64_t seed_;
  std::vector<Group> groups_;
};

void write_copy(const Corpus& corpus, const std::vector<std::string>& values, Output& output) {
  std::string_view rest = corpus.text();
  for (const Piece& piece : corpus.pieces()) {
    output.add(rest.substr(0, piece.literal_size));
    output.add(values[piece.value]);
    rest.remove_prefix(piece.literal_size + corpus.values()[piece.value].text.size());
  }
  output.add(rest);
  if (!corpus.text().ends_with('\n')) output.add("\n");
}

// ---- synthetic sets ----

std::string hex_text(Random& random, std::size_t size) {
  std::string out;
  while (out.size() < size) out += "0123456789abcdef"[random.below(16)];
  return out;
}

/// From 2024-01-01 on.
std::string time_text(std::uint64_t milliseconds) {
  const Days day = Days(std::chrono::year(2024) / 1 / 1) + std::chrono::days(milliseconds / 86400000);
  const std::chrono::year_month_day date{day};
  const std::uint64_t ms = milliseconds % 86400000;
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<unsigned>(ms / 3600000), static_cast<unsigned>(ms / 60000 % 60),
                static_cast<unsigned>(ms / 1000 % 60), static_cast<unsigned>(ms % 1000));
  return out.data();
}

std::string access_record(Random& random, std::uint64_t ms) {
  constexpr std::array<std::string_view, 5> kMethods = {"GET", "POST", "PUT", "DELETE", "HEAD"};
  constexpr std::array<std::string_view, 8> kPaths = {
      "/api/v1/items/", "/api/v1/users/", "/static/app.", "/login?next=", "/search?q=", "/cart/", "/img/", "/health"};
  constexpr std::array<int, 9> kStatuses = {200, 304, 404, 201, 302, 500, 403, 502, 504};
  constexpr std::array<std::string_view, 4> kAgents = {
      "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "curl/8.5.0",
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
      "Go-http-client/2.0"};
  const std::size_t path = random.skewed(kPaths.size());
  const double latency = __builtin_exp2(random.unit() * random.unit() * 14) / 10;
  std::array<char, 1024> out{};
  std::snprintf(out.data(), out.size(),
                R"({"_time":"%s","service":"edge-%llu","remote":"10.%llu.%llu.%llu","method":"%s","path":"%s%llu",)"
                R"("status":%d,"bytes":%llu,"latency_ms":%.3f,"request_id":"%s","agent":"%s"})",
                time_text(ms).c_str(), static_cast<unsigned long long>(random.below(8)),
                static_cast<unsigned long long>(random.below(4)), static_cast<unsigned long long>(random.skewed(256)),
                static_cast<unsigned long long>(random.below(256)), kMethods[random.skewed(kMethods.size())].data(),
                kPaths[path].data(), static_cast<unsigned long long>(random.skewed(1 << 20)),
                kStatuses[random.skewed(kStatuses.size())], static_cast<unsigned long long>(random.skewed(1 << 22)),
                latency, hex_text(random, 32).c_str(), kAgents[random.skewed(kAgents.size())].data());
  return std::string(out.data()) + "\n";
}

std::string wide_record(Random& random, std::uint64_t ms) {
  std::string out = "{\"_time\":\"" + time_text(ms) + "\",\"service\":\"wide-" + std::to_string(random.below(4)) + "\"";
  for (unsigned i = 0; i < 298; ++i) {
    out += ",\"f" + std::to_string(i) + "." + (i % 3 == 0 ? "count" : i % 3 == 1 ? "name" : "ratio") + "\":";
    if (i % 3 == 0) {
      out += std::to_string(random.skewed(1ULL << (4 + i % 20)));
    } else if (i % 3 == 1) {
      out += i % 7 == 0 ? "\"" + hex_text(random, 16) + "\"" : "\"value-" + std::to_string(random.skewed(2 + i)) + "\"";
    } else {
      std::array<char, 32> number{};
      std::snprintf(number.data(), number.size(), "%.4f", random.unit());
      out += number.data();
    }
  }
  return out + "}\n";
}

std::string java_record(Random& random, std::uint64_t ms) {
  constexpr std::array<std::string_view, 6> kErrors = {
      "java.lang.NullPointerException",       "java.net.SocketTimeoutException: Read timed out",
      "java.lang.IllegalStateException: id ", "org.example.shop.OrderNotFoundException: order ",
      "java.sql.SQLTransientException: pool", "java.io.IOException: Broken pipe"};
  constexpr std::array<std::string_view, 8> kClasses = {"OrderService", "CartController", "PaymentClient",
                                                        "StockDao",     "UserFilter",     "HttpWorker",
                                                        "TaskQueue",    "RetryPolicy"};
  constexpr std::array<std::string_view, 6> kMethods = {"process", "load", "apply", "invoke", "run", "commit"};
  const bool is_error = random.below(5) == 0;
  const std::string thread = "http-exec-" + std::to_string(random.below(32));
  std::string body = is_error ? "Request failed after " : "Request served in ";
  body += std::to_string(random.skewed(4096)) + " ms, order " + std::to_string(1000000 + random.below(9000000));
  if (is_error) {
    const std::size_t causes = 1 + random.below(3);
    for (std::size_t cause = 0; cause < causes; ++cause) {
      body += cause == 0 ? "\\n" : "\\nCaused by: ";
      body += kErrors[random.skewed(kErrors.size())];
      body += std::to_string(random.below(100000));
      const std::size_t frames = 4 + random.skewed(40);
      for (std::size_t i = 0; i < frames; ++i) {
        const std::size_t name = (i * 5 + random.skewed(3)) % kClasses.size();
        body += "\\n\\tat org.example.shop." + std::string(kClasses[name]) + "." +
                std::string(kMethods[(i + name) % 6]) + "(" + std::string(kClasses[name]) +
                ".java:" + std::to_string(20 + 37 * ((i * 7 + name) % 11)) + ")";
      }
    }
  }
  return "{\"_time\":\"" + time_text(ms) + "\",\"service\":\"shop\",\"level\":\"" + (is_error ? "ERROR" : "INFO") +
         "\",\"thread\":\"" + thread + "\",\"trace_id\":\"" + hex_text(random, 32) + "\",\"body\":\"" + body + "\"}\n";
}

std::uint64_t write_synthetic(const std::string& name, std::uint64_t bytes, std::uint64_t seed, Output& output) {
  using Make = std::string (*)(Random&, std::uint64_t);
  const Make make = name == "access"    ? access_record
                    : name == "wide300" ? wide_record
                    : name == "java"    ? java_record
                                        : nullptr;
  if (make == nullptr) fail("--synthetic: access, wide300 or java", 2);
  Random random(seed);
  std::uint64_t records = 0;
  for (std::uint64_t ms = 0; output.bytes() < bytes; ms += random.below(20), ++records) output.add(make(random, ms));
  return records;
}

// ---- the program ----

constexpr const char* kUsage = R"(Usage: engine_scale_up --in FILE --times N [--seed S] [--out FILE]
       engine_scale_up --synthetic access|wide300|java --bytes N [--seed S] [--out FILE]
  --in FILE      NDJSON (begins with {) or lines of text, below 4 GiB
  --times N      1 to 100: how many times as long
  --seed S       default 1
  --out FILE     default: stdout
)";

struct Options {
  std::string in, out, synthetic;
  std::uint64_t times = 0, seed = 1, bytes = 0;
};

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (i + 1 >= argc) fail(std::string(name) + " needs a value, or is unknown\n" + kUsage, 2);
    const std::string value = argv[++i];
    const auto number = [&] {
      std::uint64_t read = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
      if (error != std::errc() || end != value.data() + value.size()) fail(std::string(name) + ": not a number", 2);
      return read;
    };
    if (name == "--in") {
      options.in = value;
    } else if (name == "--out") {
      options.out = value;
    } else if (name == "--synthetic") {
      options.synthetic = value;
    } else if (name == "--times") {
      options.times = number();
    } else if (name == "--seed") {
      options.seed = number();
    } else if (name == "--bytes") {
      options.bytes = number();
    } else {
      fail("unknown option " + std::string(name) + "\n" + kUsage, 2);
    }
  }
  const bool scales = !options.in.empty() && options.times >= 1 && options.times <= 100;
  const bool makes = !options.synthetic.empty() && options.bytes > 0;
  if (scales == makes) fail(std::string("usage\n") + kUsage, 2);
  return options;
}

std::string_view map_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (fd < 0 || fstat(fd, &info) != 0) fail(path + ": " + std::strerror(errno));
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) fail(path + ": empty");
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (data == MAP_FAILED) fail(path + ": " + std::strerror(errno));
  close(fd);
  return {static_cast<const char*>(data), size};
}

std::uint64_t write_scaled(const Options& options, Output& output) {
  const Corpus corpus(map_file(options.in));
  const Redraw redraw(corpus, options.seed);
  std::fprintf(stderr, "%llu records, %zu variables, %zu distinct\n", static_cast<unsigned long long>(corpus.records()),
               corpus.pieces().size(), corpus.values().size());
  output.add(corpus.text());
  if (!corpus.text().ends_with('\n')) output.add("\n");
  for (std::uint64_t k = 1; k < options.times; ++k) write_copy(corpus, redraw.copy(static_cast<int>(k)), output);
  return corpus.records() * options.times;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  Output output(options.out);
  const std::uint64_t records = options.in.empty()
                                    ? write_synthetic(options.synthetic, options.bytes, options.seed, output)
                                    : write_scaled(options, output);
  output.flush();
  std::fprintf(stderr, "generator %d, seed %llu: %llu records, %llu bytes, xxh3 %016llx\n", kGeneratorVersion,
               static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(records),
               static_cast<unsigned long long>(output.bytes()), static_cast<unsigned long long>(output.hash()));
  return 0;
}
