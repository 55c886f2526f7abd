#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "query/language/query_ast.h"

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
  rename,
  copy,
  eval,
  extract,
  extract_regex,
  unpack,
  unpack_json,
  unpack_logfmt,
  format,
  replace,
  replace_regex,
  unroll,
  field_names,
  field_values,
  facets,
  pattern,
  dedup,
  join,
  union_,
  append,
  coalesce,
  fill_null,
  trace,
  sample,
  tail,
  first,
  last,
  grok,
  decolorize,
  mask,
  hash,
  split,
  pack,
  collapse_nums,
  context,
  flatten,
  lookup,
  transaction,
  event_stats,
  stream_stats,
  delta,
  timechart,
  fill_gaps,
  compare,
  histogram,
  streams,
  anomaly,
  changepoint,
  forecast,
  correlate,
  geoip,
  block_stats,
};
/// Of a folded word; nothing if the language has no such pipe.
std::optional<PipeWord> find_pipe_word(std::string_view word);
std::span<const std::string_view> all_pipe_words();

/// "json", "logfmt", ...
std::optional<UnpackFormat> find_unpack_format(std::string_view word);
std::string_view unpack_format_name(UnpackFormat format);

struct StatWord {
  StatKind kind;
  double phi = 0;
  /// Numbers in front of the fields, and fields: at least and at most.
  std::size_t numbers_min = 0, numbers_max = 0;
  std::size_t fields_min = 1, fields_max = 1;
};
/// Of a folded word; `quantile` has its phi as an argument (-1 here).
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
  string_range,
  type,
  pattern,
  near,
};
std::optional<FilterFunction> find_filter_function(std::string_view word);
std::span<const std::string_view> all_filter_functions();

/// Of `eval`. Arguments: at least and at most.
struct ScalarWord {
  ScalarFunction function = ScalarFunction::none;
  std::size_t arguments_min = 1, arguments_max = 1;
};
std::optional<ScalarWord> find_scalar_word(std::string_view word);
std::span<const std::string_view> all_scalar_words();

/// The nearest of `names` within two edits (insert, delete, replace); empty if none is near.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> names);

}  // namespace dendro
