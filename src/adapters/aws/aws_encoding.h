#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dendro {

enum class KeepSlash : std::uint8_t { no, yes };
/// Every byte but A-Z a-z 0-9 - . _ ~ (and `/` if kept) as %XX with capital digits.
std::string aws_percent_encode(std::string_view text, KeepSlash keep_slash);
/// Nothing where a % is not followed by two hexadecimal digits. `+` stays.
std::optional<std::string> aws_percent_decode(std::string_view text);
/// A form body or query: "A=1&B=x%20y".
template <typename Pairs>
std::string aws_form_text(const Pairs& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text.push_back('&');
    text += aws_percent_encode(name, KeepSlash::no) + "=" + aws_percent_encode(value, KeepSlash::no);
  }
  return text;
}

}  // namespace dendro
