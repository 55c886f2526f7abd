#include "record/record_id.h"

#include <cstddef>
#include <cstdint>

namespace dendro {
namespace {

constexpr std::size_t kIdDigitsPerNumber = 13;  // 13 * 5 bits hold 64
constexpr std::uint64_t kIdSignBit = std::uint64_t{1} << 63;

void append_id_digits(std::string& out, std::uint64_t number) {
  constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";
  for (std::size_t i = kIdDigitsPerNumber; i-- > 0;) out.push_back(kDigits[(number >> (5 * i)) & 31]);
}

std::optional<std::uint64_t> parse_id_digits(std::string_view text) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'v') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    if (i == 0 && digit > 15) return std::nullopt;
    number = (number << 5) | digit;
  }
  return number;
}

}  // namespace

void append_record_id(std::string& out, RecordPosition position) {
  append_id_digits(out, static_cast<std::uint64_t>(position.timestamp.number()) ^ kIdSignBit);
  append_id_digits(out, position.sequence.number());
}

std::string to_record_id(RecordPosition position) {
  std::string text;
  append_record_id(text, position);
  return text;
}

std::optional<RecordPosition> parse_record_id(std::string_view text) {
  if (text.size() != 2 * kIdDigitsPerNumber) return std::nullopt;
  const auto time = parse_id_digits(text.substr(0, kIdDigitsPerNumber));
  const auto sequence = parse_id_digits(text.substr(kIdDigitsPerNumber));
  if (!time || !sequence) return std::nullopt;
  return RecordPosition{Timestamp(static_cast<std::int64_t>(*time ^ kIdSignBit)), SequenceNumber(*sequence)};
}

}  // namespace dendro
