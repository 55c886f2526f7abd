#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "query/query_ast.h"

namespace dendro {

/// Lower case of ASCII letters: keywords, pipe and function names are case-insensitive (query-language.md 3.1).
std::string fold_keyword(std::string_view word);

enum class PipeWord : std::uint8_t {
  where,
  fields,
  drop,
  limit,
  offset,
  sort,
  uniq,
  top,
  rare,
  stats,
  not_built,  ///< of the language, but of a later issue
};
/// Of a folded word; nothing if the language has no such pipe.
std::optional<PipeWord> find_pipe_word(std::string_view word);
std::span<const std::string_view> all_pipe_words();

struct StatWord {
  StatKind kind;
  double phi = 0;
  bool is_built = true;
};
/// Of a folded word; `quantile` has its phi as an argument.
std::optional<StatWord> find_stat_word(std::string_view word);
std::span<const std::string_view> all_stat_words();

enum class FilterFunction : std::uint8_t {
  in,
  fold,  ///< i()
  contains_all,
  contains_any,
  sequence,  ///< seq()
  length_range,
  ip,
  equal_field,
  less_field,
  less_equal_field,
  not_built,  ///< of the language, but of a later issue
};
std::optional<FilterFunction> find_filter_function(std::string_view word);
std::span<const std::string_view> all_filter_functions();

/// The nearest of `names` within two edits (insert, delete, replace); empty if none is near.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> names);

}  // namespace dendro
