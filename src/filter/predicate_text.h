#pragma once

#include <string>
#include <string_view>

#include "filter/predicate.h"

namespace dendro {

/// The filter in its one canonical form (query-language.md 13.3). It parses to the same tree whatever `now` is; times
/// without a zone in comparisons of other fields are those of UTC (with another `tz` the literal got its zone).
std::string to_text(const Predicate& predicate);

/// "number" "string" "bool" "list": the argument of type().
std::string_view value_kind_name(ValueKind kind);

/// True if `c` may stand in a bare word (3.2). Bytes of UTF-8 beyond ASCII may.
bool is_query_word_char(char c);
/// True if `text` can be written without quotes where a filter may stand.
bool is_bare_word(std::string_view text);
/// Appends `text` bare if possible, else in double quotes with escapes.
void append_query_text(std::string& out, std::string_view text);
/// The same for a field name: one that starts with a digit is quoted.
void append_query_name(std::string& out, std::string_view name);
/// Always in double quotes.
void append_query_string(std::string& out, std::string_view text);

}  // namespace dendro
