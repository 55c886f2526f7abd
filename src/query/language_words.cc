#include "query/language_words.h"

#include <array>
#include <utility>

#include "base/edit_distance.h"

namespace dendro {
namespace {

constexpr std::array<std::pair<std::string_view, PipeWord>, 45> kPipeWords = {{
    {"where", PipeWord::where},
    {"filter", PipeWord::where},
    {"fields", PipeWord::fields},
    {"keep", PipeWord::fields},
    {"drop", PipeWord::drop},
    {"delete", PipeWord::drop},
    {"limit", PipeWord::limit},
    {"head", PipeWord::limit},
    {"offset", PipeWord::offset},
    {"skip", PipeWord::offset},
    {"sort", PipeWord::sort},
    {"order", PipeWord::sort},
    {"uniq", PipeWord::uniq},
    {"top", PipeWord::top},
    {"rare", PipeWord::rare},
    {"stats", PipeWord::stats},
    {"rename", PipeWord::not_built},
    {"copy", PipeWord::not_built},
    {"eval", PipeWord::not_built},
    {"math", PipeWord::not_built},
    {"extract", PipeWord::not_built},
    {"extract_regexp", PipeWord::not_built},
    {"rex", PipeWord::not_built},
    {"unpack", PipeWord::not_built},
    {"unpack_json", PipeWord::not_built},
    {"unpack_logfmt", PipeWord::not_built},
    {"format", PipeWord::not_built},
    {"replace", PipeWord::not_built},
    {"replace_regexp", PipeWord::not_built},
    {"unroll", PipeWord::not_built},
    {"expand", PipeWord::not_built},
    {"field_names", PipeWord::not_built},
    {"field_values", PipeWord::not_built},
    {"facets", PipeWord::not_built},
    {"pattern", PipeWord::not_built},
    {"dedup", PipeWord::not_built},
    {"join", PipeWord::not_built},
    {"union", PipeWord::not_built},
    {"coalesce", PipeWord::not_built},
    {"fillnull", PipeWord::not_built},
    {"context", PipeWord::not_built},
    {"trace", PipeWord::not_built},
    {"sample", PipeWord::not_built},
    {"timechart", PipeWord::not_built},
    {"compare", PipeWord::not_built},
}};

constexpr std::array<std::pair<std::string_view, StatWord>, 22> kStatWords = {{
    {"count", {StatKind::count}},
    {"count_empty", {StatKind::count_empty}},
    {"count_uniq", {StatKind::count_uniq}},
    {"sum", {StatKind::sum}},
    {"avg", {StatKind::avg}},
    {"min", {StatKind::min}},
    {"max", {StatKind::max}},
    {"median", {StatKind::quantile, 0.5}},
    {"quantile", {StatKind::quantile, -1}},
    {"p50", {StatKind::quantile, 0.5}},
    {"p90", {StatKind::quantile, 0.9}},
    {"p95", {StatKind::quantile, 0.95}},
    {"p99", {StatKind::quantile, 0.99}},
    {"p999", {StatKind::quantile, 0.999}},
    {"first", {StatKind::first}},
    {"last", {StatKind::last}},
    {"earliest", {StatKind::first}},
    {"latest", {StatKind::last}},
    {"values", {StatKind::values}},
    {"uniq_values", {StatKind::uniq_values}},
    {"rate", {StatKind::rate}},
    {"count_uniq_approx", {StatKind::count_uniq, 0, false}},
}};

constexpr std::array<std::pair<std::string_view, FilterFunction>, 16> kFilterFunctions = {{
    {"in", FilterFunction::in},
    {"i", FilterFunction::fold},
    {"contains_all", FilterFunction::contains_all},
    {"contains_any", FilterFunction::contains_any},
    {"seq", FilterFunction::sequence},
    {"eq_field", FilterFunction::equal_field},
    {"lt_field", FilterFunction::less_field},
    {"le_field", FilterFunction::less_equal_field},
    {"len_range", FilterFunction::length_range},
    {"string_range", FilterFunction::not_built},
    {"ip", FilterFunction::ip},
    {"type", FilterFunction::not_built},
    {"pattern", FilterFunction::not_built},
    {"near", FilterFunction::not_built},
    {"day_range", FilterFunction::not_built},
    {"week_range", FilterFunction::not_built},
}};

template <typename Row, std::size_t kCount>
constexpr std::array<std::string_view, kCount> names_of(
    const std::array<std::pair<std::string_view, Row>, kCount>& table) {
  std::array<std::string_view, kCount> names;
  for (std::size_t i = 0; i < kCount; ++i) names[i] = table[i].first;
  return names;
}

constexpr auto kPipeWordNames = names_of(kPipeWords);
constexpr auto kStatWordNames = names_of(kStatWords);
constexpr auto kFilterFunctionNames = names_of(kFilterFunctions);

template <typename Row, std::size_t kCount>
std::optional<Row> find_word(const std::array<std::pair<std::string_view, Row>, kCount>& table, std::string_view word) {
  for (const auto& [name, row] : table) {
    if (name == word) return row;
  }
  return std::nullopt;
}

}  // namespace

std::string fold_keyword(std::string_view word) {
  std::string folded(word);
  for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return folded;
}

std::optional<PipeWord> find_pipe_word(std::string_view word) {
  return find_word(kPipeWords, word);
}
std::span<const std::string_view> all_pipe_words() {
  return kPipeWordNames;
}
std::optional<StatWord> find_stat_word(std::string_view word) {
  return find_word(kStatWords, word);
}
std::span<const std::string_view> all_stat_words() {
  return kStatWordNames;
}
std::optional<FilterFunction> find_filter_function(std::string_view word) {
  return find_word(kFilterFunctions, word);
}
std::span<const std::string_view> all_filter_functions() {
  return kFilterFunctionNames;
}

std::string_view nearest_name(std::string_view word, std::span<const std::string_view> names) {
  constexpr std::size_t kEditsMax = 2;
  if (word.size() > 64) return {};
  std::string_view nearest;
  std::size_t best = kEditsMax + 1;
  for (const std::string_view name : names) {
    if (name.size() > word.size() + kEditsMax || word.size() > name.size() + kEditsMax) continue;
    const std::size_t distance = edit_distance(word, name);
    if (distance < best && distance < word.size()) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace dendro
