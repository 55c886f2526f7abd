#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dendro {

/// ASCII case folding only, as HTTP names want it.
bool equals_folding_case(std::string_view a, std::string_view b);
/// A character of methods and field names (RFC 9110, 5.6.2).
bool is_token_char(char c);
/// Without blanks and tabs at both ends. Borrowed.
std::string_view trim_blanks(std::string_view text);
/// A list field's parts between commas, trimmed, empty ones left out. Borrowed.
std::vector<std::string_view> split_list(std::string_view field);

enum class PlusSign : bool { literal, blank };
/// "%41" becomes "A"; a malformed escape stays as it is written.
std::string percent_decode(std::string_view text, PlusSign plus);
/// "a=1&b" as pairs in order; a part without "=" has an empty value, empty parts are left out.
std::vector<std::pair<std::string, std::string>> parse_query_text(std::string_view query);

/// Appends `text` with & < > " ' escaped: safe in HTML text and in quoted attributes.
void append_html(std::string& out, std::string_view text);

/// "OK" of 200; "Unknown" where we have no word.
std::string_view reason_phrase(int status);

}  // namespace dendro
