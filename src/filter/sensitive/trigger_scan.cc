// Bytes are sorted into classes, a bit a byte and 64 bytes at a time; triggers are then a few shifts and ands of those
// words. What lies up to kLookahead bytes further is seen in the words of the block behind.
#include "filter/sensitive/trigger_scan.h"

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstring>

namespace dendro {
namespace {

/// Three sets of bytes that stand one behind the other.
struct Trigram {
  unsigned bucket;
  std::array<std::string_view, 3> sets;
};
/// Those of one bucket are told apart by who looks closely.
constexpr Trigram kTrigrams[] = {
    {0, {"pP", "aA", "sS"}},      // password, passwd, passphrase
    {0, {"pP", "wW", "dD"}},      // pwd
    {1, {"sS", "eE", "cC"}},      // secret, secret_key
    {1, {"kK", "eE", "yY"}},      // api_key, access-key
    {2, {"tT", "oO", "kK"}},      // token
    {2, {"aA", "uU", "tT"}},      // authorization
    {3, {"bB", "eE", "aA"}},      // Bearer
    {3, {"bB", "aA", "sS"}},      // Basic
    {4, {"e", "y", "J"}},         // JSON Web Token
    {4, {"%", "4", "0"}},         // @ of an address that is escaped
    {4, {"A", "KS", "I"}},        // AKIA, ASIA
    {5, {"g", "hil", "pousrt"}},  // ghp_, github_pat_, glpat-
    {5, {"x", "o", "x"}},         // xoxb-
    {6, {"A", "I", "z"}},         // AIza
    {6, {"d", "k", "_"}},         // dk_
    {7, {"sr", "k", "_"}},        // sk_live_
    {7, {"B", "E", "G"}},         // -----BEGIN
};

/// Bit b of low[i][n]: some set i of bucket b has a byte with that low half; the same of high.
struct TrigramTables {
  std::array<std::array<std::uint8_t, 16>, 3> low{}, high{};
};
constexpr TrigramTables make_trigram_tables() {
  TrigramTables tables;
  for (const Trigram& trigram : kTrigrams) {
    for (std::size_t i = 0; i < 3; ++i) {
      for (const char c : trigram.sets[i]) {
        const auto byte = static_cast<std::uint8_t>(c);
        const auto bit = static_cast<std::uint8_t>(1u << trigram.bucket);
        tables.low[i][byte & 15] = static_cast<std::uint8_t>(tables.low[i][byte & 15] | bit);
        tables.high[i][byte >> 4] = static_cast<std::uint8_t>(tables.high[i][byte >> 4] | bit);
      }
    }
  }
  return tables;
}
constexpr TrigramTables kTables = make_trigram_tables();

constexpr std::size_t kBlock = 64;
/// Bytes behind a block that its letters are looked up in.
constexpr std::size_t kTrigramTail = 2;

/// Classes of 64 bytes, a bit each; the lowest is the first byte.
struct ByteClasses {
  std::uint64_t digit = 0, hex = 0, alnum = 0, upper = 0;
  std::uint64_t colon = 0, dot = 0, hyphen = 0, space = 0, at = 0, plus = 0, opening = 0, closing = 0;
  std::uint64_t letters = 0;  ///< a trigram begins
};

ByteClasses classify_plain(const char* at) {
  ByteClasses classes;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto byte = static_cast<std::uint8_t>(at[i]);
    const auto folded = static_cast<std::uint8_t>(byte | 0x20);
    const std::uint64_t bit = std::uint64_t{1} << i;
    const bool is_digit = byte >= '0' && byte <= '9';
    const bool is_letter = folded >= 'a' && folded <= 'z';
    if (is_digit) classes.digit |= bit;
    if (is_digit || (folded >= 'a' && folded <= 'f')) classes.hex |= bit;
    if (is_digit || is_letter) classes.alnum |= bit;
    if (byte >= 'A' && byte <= 'Z') classes.upper |= bit;
    if (byte == ':') classes.colon |= bit;
    if (byte == '.') classes.dot |= bit;
    if (byte == '-') classes.hyphen |= bit;
    if (byte == ' ') classes.space |= bit;
    if (byte == '@') classes.at |= bit;
    if (byte == '+') classes.plus |= bit;
    if (byte == '(') classes.opening |= bit;
    if (byte == ')') classes.closing |= bit;
    unsigned buckets = 0xFF;
    for (std::size_t j = 0; j < 3; ++j) {
      const auto next = static_cast<std::uint8_t>(at[i + j]);
      buckets &= static_cast<unsigned>(kTables.low[j][next & 15] & kTables.high[j][next >> 4]);
    }
    if (buckets != 0) classes.letters |= bit;
  }
  return classes;
}

#define DENDRO_TRIGGER_AVX2 __attribute__((target("avx2"), always_inline)) inline

DENDRO_TRIGGER_AVX2 std::uint64_t bits_of(__m256i mask) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(mask));
}
/// Bytes of [first, last].
DENDRO_TRIGGER_AVX2 __m256i within(__m256i bytes, char first, char last) {
  const __m256i above = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first));
  const __m256i span = _mm256_set1_epi8(static_cast<char>(last - first));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(above, span), above);
}
DENDRO_TRIGGER_AVX2 std::uint64_t equal_bits(__m256i bytes, char c) {
  return bits_of(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c)));
}
DENDRO_TRIGGER_AVX2 __m256i buckets_of(__m256i bytes, std::size_t i) {
  const __m256i low =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kTables.low[i].data())));
  const __m256i high =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kTables.high[i].data())));
  const __m256i half = _mm256_set1_epi8(0x0F);
  return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
                          _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}
DENDRO_TRIGGER_AVX2 __m256i load_32(const char* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

DENDRO_TRIGGER_AVX2 void classify_32(const char* at, unsigned shift, ByteClasses& classes) {
  const __m256i bytes = load_32(at);
  const __m256i folded = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
  const __m256i digit = within(bytes, '0', '9');
  classes.digit |= bits_of(digit) << shift;
  classes.hex |= bits_of(_mm256_or_si256(digit, within(folded, 'a', 'f'))) << shift;
  classes.alnum |= bits_of(_mm256_or_si256(digit, within(folded, 'a', 'z'))) << shift;
  classes.upper |= bits_of(within(bytes, 'A', 'Z')) << shift;
  classes.colon |= equal_bits(bytes, ':') << shift;
  classes.dot |= equal_bits(bytes, '.') << shift;
  classes.hyphen |= equal_bits(bytes, '-') << shift;
  classes.space |= equal_bits(bytes, ' ') << shift;
  classes.at |= equal_bits(bytes, '@') << shift;
  classes.plus |= equal_bits(bytes, '+') << shift;
  classes.opening |= equal_bits(bytes, '(') << shift;
  classes.closing |= equal_bits(bytes, ')') << shift;
  const __m256i buckets = _mm256_and_si256(_mm256_and_si256(buckets_of(bytes, 0), buckets_of(load_32(at + 1), 1)),
                                           buckets_of(load_32(at + 2), 2));
  classes.letters |= (~equal_bits(buckets, '\0') & 0xFFFF'FFFFu) << shift;
}

__attribute__((target("avx2"))) ByteClasses classify_avx2(const char* at) {
  ByteClasses classes;
  classify_32(at, 0, classes);
  classify_32(at + 32, 32, classes);
  return classes;
}

using Classify = ByteClasses (*)(const char* at);

/// Bits of a block and of the one behind it.
struct Bits {
  std::uint64_t low = 0, high = 0;
  /// Bit i is what bit i + by was; by is 1 to 63.
  Bits ahead(unsigned by) const { return {low >> by | high << (64 - by), high >> by}; }
  friend Bits operator&(Bits a, Bits b) { return {a.low & b.low, a.high & b.high}; }
  friend Bits operator|(Bits a, Bits b) { return {a.low | b.low, a.high | b.high}; }
};

/// Bits whose byte has one of its class at least `Count` times from here on.
template <unsigned Count>
Bits run_of(Bits bits) {
  if constexpr (Count == 1) {
    return bits;
  } else {
    constexpr unsigned kHalf = Count / 2;
    const Bits half = run_of<Count - kHalf>(bits);
    return half & half.ahead(kHalf);
  }
}

/// Walks the blocks of a text.
class TriggerWalk {
 public:
  TriggerWalk(std::string_view text, TriggerSet wanted, Classify classify, std::vector<TriggerHit>& hits)
      : text_(text), wanted_(wanted), classify_(classify), hits_(hits) {}

  void run() {
    if (text_.empty()) return;
    next_ = classes_at(0);
    for (std::size_t base = 0; base < text_.size(); base += kBlock) {
      const ByteClasses before = here_;
      here_ = next_;
      next_ = base + kBlock < text_.size() ? classes_at(base + kBlock) : ByteClasses();
      block(base, before);
    }
  }

 private:
  ByteClasses classes_at(std::size_t base) const {
    if (base + kBlock + kTrigramTail <= text_.size()) return classify_(text_.data() + base);
    std::array<char, kBlock + kTrigramTail> padded{};
    std::memcpy(padded.data(), text_.data() + base, std::min(padded.size(), text_.size() - base));
    return classify_(padded.data());
  }

  Bits bits(std::uint64_t ByteClasses::* which) const { return {here_.*which, next_.*which}; }
  bool wants(Trigger trigger) const { return (wanted_ & trigger_bit(trigger)) != 0; }
  void add(Trigger trigger, std::size_t base, std::uint64_t places) {
    for (; places != 0; places &= places - 1) {
      hits_.push_back({base + static_cast<std::size_t>(std::countr_zero(places)), trigger});
    }
  }
  /// Bytes whose neighbour before is not of the class.
  static std::uint64_t begins(std::uint64_t bits, std::uint64_t before) { return bits & ~(bits << 1 | before >> 63); }

  void block(std::size_t base, const ByteClasses& before) {
    if (wants(Trigger::letters)) add(Trigger::letters, base, here_.letters);
    if (wants(Trigger::at)) add(Trigger::at, base, here_.at);
    if (here_.digit != 0) digits(base, before);
    if (wants(Trigger::dot) && here_.dot != 0) dots(base, before);
    if (wants(Trigger::colons) && (here_.colon | here_.hex) != 0) colons(base, before);
    if (here_.hex != 0) hex(base, before);
    if (wants(Trigger::iban) && here_.upper != 0) iban(base, before);
    if (wants(Trigger::phone)) phone(base, before);
  }

  void digits(std::size_t base, const ByteClasses& before) {
    const Bits digit = bits(&ByteClasses::digit), hyphen = bits(&ByteClasses::hyphen);
    const std::uint64_t first = begins(here_.digit, before.digit);
    if (wants(Trigger::card)) {
      const Bits four = run_of<4>(digit), eight = four & four.ahead(4);
      const Bits separator = hyphen | bits(&ByteClasses::space);
      add(Trigger::card, base, first & (eight | (four & separator.ahead(4) & four.ahead(5))).low);
    }
    if (wants(Trigger::ssn)) {
      const Bits form =
          run_of<3>(digit) & hyphen.ahead(3) & run_of<2>(digit).ahead(4) & hyphen.ahead(6) & run_of<4>(digit).ahead(7);
      add(Trigger::ssn, base, first & form.low);
    }
  }

  void dots(std::size_t base, const ByteClasses& before) {
    const Bits dot = bits(&ByteClasses::dot);
    const std::uint64_t behind_digit = here_.digit << 1 | before.digit >> 63;
    const Bits form = dot & bits(&ByteClasses::digit).ahead(1) & (dot.ahead(2) | dot.ahead(3) | dot.ahead(4));
    add(Trigger::dot, base, behind_digit & form.low);
  }

  void colons(std::size_t base, const ByteClasses& before) {
    const Bits colon = bits(&ByteClasses::colon);
    const Bits long_run = run_of<15>(bits(&ByteClasses::hex) | colon);
    const std::uint64_t first = begins(here_.hex | here_.colon, before.hex | before.colon);
    const Bits early = colon.ahead(1) | colon.ahead(2) | colon.ahead(3) | colon.ahead(4);
    const std::uint64_t twice = begins(here_.colon, before.colon) & colon.ahead(1).low;
    add(Trigger::colons, base, twice | (first & (long_run & early).low));
  }

  void hex(std::size_t base, const ByteClasses& before) {
    const Bits digit = bits(&ByteClasses::hex), hyphen = bits(&ByteClasses::hyphen);
    const std::uint64_t first = begins(here_.hex, before.hex);
    if (wants(Trigger::pairs)) {
      const Bits pair = run_of<2>(digit), separator = hyphen | bits(&ByteClasses::colon);
      const Bits form =
          pair & separator.ahead(2) & pair.ahead(3) & separator.ahead(5) & pair.ahead(6) & separator.ahead(8);
      add(Trigger::pairs, base, first & form.low);
    }
    if (wants(Trigger::uuid)) {
      const Bits four = run_of<4>(digit);
      const Bits form = four & four.ahead(4) & hyphen.ahead(8) & four.ahead(9) & hyphen.ahead(13);
      add(Trigger::uuid, base, first & form.low);
    }
  }

  void iban(std::size_t base, const ByteClasses& before) {
    const Bits upper = bits(&ByteClasses::upper);
    const Bits more = bits(&ByteClasses::alnum) | bits(&ByteClasses::space);
    const Bits form = run_of<2>(upper) & run_of<2>(bits(&ByteClasses::digit)).ahead(2) & more.ahead(4);
    add(Trigger::iban, base, begins(here_.alnum, before.alnum) & form.low);
  }

  void phone(std::size_t base, const ByteClasses& before) {
    const Bits digit = bits(&ByteClasses::digit);
    const Bits separator = bits(&ByteClasses::hyphen) | bits(&ByteClasses::dot) | bits(&ByteClasses::space);
    const Bits three = run_of<3>(digit), four = run_of<4>(digit);
    const Bits rest = separator.ahead(3) & three.ahead(4) & separator.ahead(7) & four.ahead(8);
    const Bits in_parentheses = bits(&ByteClasses::opening) & three.ahead(1) & bits(&ByteClasses::closing).ahead(4);
    const std::uint64_t first = begins(here_.digit, before.digit);
    const std::uint64_t plus = here_.plus & digit.ahead(1).low;
    add(Trigger::phone, base, plus | (first & (three & rest).low) | in_parentheses.low);
  }

  const std::string_view text_;
  const TriggerSet wanted_;
  const Classify classify_;
  std::vector<TriggerHit>& hits_;
  ByteClasses here_, next_;
};

const bool kTriggersHaveAvx2 = __builtin_cpu_supports("avx2") != 0;

}  // namespace

void find_triggers(std::string_view text, TriggerSet wanted, std::vector<TriggerHit>& hits) {
  TriggerWalk(text, wanted, kTriggersHaveAvx2 ? &classify_avx2 : &classify_plain, hits).run();
}

void find_triggers_plain(std::string_view text, TriggerSet wanted, std::vector<TriggerHit>& hits) {
  TriggerWalk(text, wanted, &classify_plain, hits).run();
}

}  // namespace dendro
