#include <algorithm>
#include <array>

#include "filter/sensitive/detectors.h"

namespace dendro::sensitive {
namespace {

constexpr std::size_t kCardDigitsMin = 13, kCardDigitsMax = 19;

/// Prefixes of issuers and the lengths of their numbers (ISO/IEC 7812; ranges as the networks publish them, 2025).
struct CardRange {
  std::uint32_t first, last;  ///< of the first six digits
  std::uint32_t lengths;      ///< bit n: n digits
};
constexpr std::uint32_t kSixteenToNineteen = 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19;
constexpr CardRange kCardRanges[] = {
    {400000, 499999, 1u << 13 | 1u << 16 | 1u << 19},  // Visa
    {510000, 559999, 1u << 16},                        // Mastercard
    {222100, 272099, 1u << 16},                        // Mastercard
    {340000, 349999, 1u << 15},                        // American Express
    {370000, 379999, 1u << 15},                        // American Express
    {300000, 305999, 1u << 14 | kSixteenToNineteen},   // Diners Club
    {309500, 309599, 1u << 14 | kSixteenToNineteen},   // Diners Club
    {360000, 369999, 1u << 14 | kSixteenToNineteen},   // Diners Club
    {380000, 399999, 1u << 14 | kSixteenToNineteen},   // Diners Club
    {352800, 358999, kSixteenToNineteen},              // JCB
    {601100, 601199, kSixteenToNineteen},              // Discover
    {644000, 659999, kSixteenToNineteen},              // Discover
    {620000, 629999, kSixteenToNineteen},              // UnionPay
    {810000, 817199, kSixteenToNineteen},              // UnionPay
    {220000, 220499, kSixteenToNineteen},              // Mir
    {500000, 509999, kSixteenToNineteen},              // Maestro, Elo, Verve
    {560000, 589999, kSixteenToNineteen},              // Maestro
    {670000, 679999, kSixteenToNineteen},              // Maestro
};

using CardDigits = std::array<char, kCardDigitsMax>;

bool is_issued(const CardDigits& digits, std::size_t count) {
  std::uint32_t prefix = 0;
  for (std::size_t i = 0; i < 6; ++i) prefix = prefix * 10 + static_cast<std::uint32_t>(digits[i] - '0');
  return std::ranges::any_of(kCardRanges, [&](const CardRange& range) {
    return prefix >= range.first && prefix <= range.last && (range.lengths >> count & 1) != 0;
  });
}

/// ISO/IEC 7812-1, annex B.
bool passes_luhn(const CardDigits& digits, std::size_t count) {
  int sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = digits[count - 1 - i] - '0';
    const int weighted = i % 2 == 0 ? digit : 2 * digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 == 0;
}

std::size_t digits_at(std::string_view text, std::size_t first) {
  std::size_t end = first;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - first;
}

/// Ways to write a number in groups.
constexpr std::array<std::array<std::size_t, 5>, 4> kCardGroups = {
    {{4, 4, 4, 4, 3}, {4, 4, 4, 4, 0}, {4, 6, 5, 0, 0}, {4, 6, 4, 0, 0}}};

/// The end of groups of exactly these sizes with one separator throughout; 0: they are not there.
std::size_t groups_end(std::string_view text, std::size_t first, const std::array<std::size_t, 5>& groups,
                       CardDigits& digits, std::size_t& count) {
  const char separator = byte_at(text, first + groups[0]);
  std::size_t at = first;
  count = 0;
  for (std::size_t i = 0; i < groups.size() && groups[i] != 0; ++i) {
    if (i > 0 && byte_at(text, at++) != separator) return 0;
    if (digits_at(text, at) != groups[i]) return 0;
    for (std::size_t j = 0; j < groups[i]; ++j) digits[count++] = text[at++];
  }
  return at;
}

bool is_card(const CardDigits& digits, std::size_t count) {
  return is_issued(digits, count) && passes_luhn(digits, count);
}

/// Letters and digits of each country's accounts, its two letters and two digits among them (ISO 13616, registry of
/// 2025).
struct IbanLength {
  char country[3];
  std::size_t size;
};
constexpr IbanLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28},
    {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22},
    {"MK", 19}, {"MN", 20}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23},
    {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28},
    {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30}};

std::size_t iban_size_of(std::string_view country) {
  for (const IbanLength& known : kIbanLengths) {
    if (country == known.country) return known.size;
  }
  return 0;
}

/// ISO/IEC 7064, MOD 97-10: the first four characters last, letters as 10 to 35.
bool passes_mod_97(std::string_view iban) {
  unsigned rest = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    rest = is_digit(c) ? (rest * 10 + static_cast<unsigned>(c - '0')) % 97
                       : (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
  }
  return rest == 1;
}

bool is_in_number(char c) {
  return is_alnum(c) || c == '_';
}

/// `+` and a number of ITU-T E.164: one separator at most between two digits.
Found international_phone_at(std::string_view text, std::size_t first) {
  constexpr std::size_t kDigitsMin = 8, kDigitsMax = 15;
  if (byte_at(text, first + 1) == '0' || is_alnum(byte_before(text, first))) return std::nullopt;
  std::size_t at = first + 1, end = at, digits = 0;
  bool is_open = false;
  while (at < text.size()) {
    const char c = text[at];
    if (is_digit(c)) {
      ++digits;
      end = ++at;
      continue;
    }
    if (c == '(' && !is_open) {
      is_open = true;
      ++at;
      continue;
    }
    const bool is_separator = c == ' ' || c == '-' || c == '.' || (c == ')' && is_open);
    if (!is_separator) break;
    if (c == ')') is_open = false;
    const char next = byte_at(text, at + 1);
    const bool closes = c == ')' && (next == ' ' || next == '-');
    const bool opens = c == ' ' && next == '(';
    if (!is_digit(next) && !closes && !opens) break;
    ++at;
  }
  if (digits < kDigitsMin || digits > kDigitsMax || is_in_number(byte_at(text, end))) return std::nullopt;
  return SensitiveSpan{first, end - first, SensitiveKind::phone};
}

bool is_from_two(char c) {
  return c >= '2' && c <= '9';
}

/// (415) 555-2671, 415-555-2671, 415.555.2671: area and exchange begin with 2 to 9.
Found american_phone_at(std::string_view text, std::size_t first) {
  const bool is_open = text[first] == '(';
  const std::size_t area = first + (is_open ? 1 : 0);
  std::size_t at = area + 3 + (is_open ? 1 : 0);
  const char separator = byte_at(text, at);
  if (separator == ' ' || separator == '-' || (separator == '.' && !is_open)) {
    ++at;
  } else if (!is_open) {
    return std::nullopt;
  }
  const std::size_t exchange = at;
  const char second = byte_at(text, exchange + 3);
  // Blanks alone are too often the columns of a table.
  if (second != '-' && second != '.') return std::nullopt;
  if (!is_open && separator != second) return std::nullopt;
  const std::size_t end = exchange + 8;
  if (digits_at(text, area) != 3 || digits_at(text, exchange) != 3 || digits_at(text, exchange + 4) != 4) {
    return std::nullopt;
  }
  if (!is_from_two(text[area]) || !is_from_two(text[exchange])) return std::nullopt;
  const char before = byte_before(text, first), behind = byte_at(text, end);
  if (is_in_number(before) || before == '-' || before == '.' || is_in_number(behind) || behind == '-') {
    return std::nullopt;
  }
  return SensitiveSpan{first, end - first, SensitiveKind::phone};
}

}  // namespace

Found card_at(std::string_view text, std::size_t first) {
  const char before = byte_before(text, first);
  if (is_letter(before) || (before == '.' && first > 1 && is_digit(text[first - 2]))) return std::nullopt;
  CardDigits digits{};
  const std::size_t run = digits_at(text, first);
  std::size_t end = 0;
  if (run >= kCardDigitsMin && run <= kCardDigitsMax) {
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(first), run, digits.begin());
    if (is_card(digits, run)) end = first + run;
  } else if (run == 4) {
    for (const auto& groups : kCardGroups) {
      std::size_t count = 0;
      const std::size_t behind = groups_end(text, first, groups, digits, count);
      if (behind == 0 || !is_card(digits, count)) continue;
      end = behind;
      break;
    }
  }
  if (end == 0 || is_letter(byte_at(text, end))) return std::nullopt;
  if (byte_at(text, end) == '.' && is_digit(byte_at(text, end + 1))) return std::nullopt;
  return SensitiveSpan{first, end - first, SensitiveKind::card};
}

Found phone_at(std::string_view text, std::size_t first) {
  return text[first] == '+' ? international_phone_at(text, first) : american_phone_at(text, first);
}

Found ssn_at(std::string_view text, std::size_t first) {
  constexpr std::size_t kSsnBytes = 11;
  const std::string_view ssn = text.substr(first, kSsnBytes);
  const char before = byte_before(text, first), behind = byte_at(text, first + kSsnBytes);
  if (is_in_number(before) || before == '-' || is_in_number(behind) || behind == '-') return std::nullopt;
  const std::string_view area = ssn.substr(0, 3);
  if (area == "000" || area == "666" || area[0] == '9') return std::nullopt;
  if (ssn.substr(4, 2) == "00" || ssn.substr(7, 4) == "0000") return std::nullopt;
  return SensitiveSpan{first, kSsnBytes, SensitiveKind::ssn};
}

Found iban_at(std::string_view text, std::size_t first) {
  constexpr std::size_t kIbanMax = 34;
  const std::size_t size = iban_size_of(text.substr(first, 2));
  if (size == 0) return std::nullopt;
  std::array<char, kIbanMax> iban{};
  std::size_t at = first;
  const bool is_grouped = byte_at(text, first + 4) == ' ';
  for (std::size_t i = 0; i < size; ++i) {
    if (is_grouped && i > 0 && i % 4 == 0 && byte_at(text, at++) != ' ') return std::nullopt;
    const char c = byte_at(text, at++);
    if (!is_digit(c) && !is_upper(c)) return std::nullopt;
    iban[i] = c;
  }
  if (is_alnum(byte_at(text, at)) || !passes_mod_97({iban.data(), size})) return std::nullopt;
  return SensitiveSpan{first, at - first, SensitiveKind::iban};
}

}  // namespace dendro::sensitive
