#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace dendro {
namespace {

/// 0: copy; 1: escape or check. Bytes from 0x80 on are checked as UTF-8 for the whole string at once.
constexpr std::array<bool, 256> kNeedsEscape = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = true;
  table['"'] = table['\\'] = table[0x7f] = true;
  return table;
}();

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 15]);
}

void append_valid_string(std::string& out, std::string_view text) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kNeedsEscape[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, first, i - first);
    append_escaped(out, text[i]);
    first = i + 1;
  }
  out.append(text, first);
}

template <typename Number>
void append_chars(std::string& out, Number number) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, number);
  out.append(text, result.ptr);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (is_valid_utf8(text)) {
    append_valid_string(out, text);
  } else {
    std::string repaired;
    append_utf8_lossy(repaired, text);
    append_valid_string(out, repaired);
  }
  out.push_back('"');
}

void append_json_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
  } else {
    append_chars(out, number);
  }
}

void append_json_int(std::string& out, std::int64_t number) {
  append_chars(out, number);
}
void append_json_uint(std::string& out, std::uint64_t number) {
  append_chars(out, number);
}

}  // namespace dendro
