#include "query/language/language_words.h"

#include <array>
#include <utility>

#include "base/edit_distance.h"

namespace dendro {
namespace {

constexpr std::array<std::pair<std::string_view, PipeWord>, 71> kPipeWords = {{
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
    {"rename", PipeWord::rename},
    {"copy", PipeWord::copy},
    {"eval", PipeWord::eval},
    {"math", PipeWord::eval},
    {"extract", PipeWord::extract},
    {"extract_regexp", PipeWord::extract_regex},
    {"rex", PipeWord::extract_regex},
    {"unpack", PipeWord::unpack},
    {"unpack_json", PipeWord::unpack_json},
    {"unpack_logfmt", PipeWord::unpack_logfmt},
    {"format", PipeWord::format},
    {"replace", PipeWord::replace},
    {"replace_regexp", PipeWord::replace_regex},
    {"unroll", PipeWord::unroll},
    {"expand", PipeWord::unroll},
    {"field_names", PipeWord::field_names},
    {"field_values", PipeWord::field_values},
    {"facets", PipeWord::facets},
    {"pattern", PipeWord::pattern},
    {"dedup", PipeWord::dedup},
    {"join", PipeWord::join},
    {"union", PipeWord::union_},
    {"append", PipeWord::append},
    {"coalesce", PipeWord::coalesce},
    {"fillnull", PipeWord::fill_null},
    {"trace", PipeWord::trace},
    {"sample", PipeWord::sample},
    {"tail", PipeWord::tail},
    {"first", PipeWord::first},
    {"last", PipeWord::last},
    {"grok", PipeWord::grok},
    {"decolorize", PipeWord::decolorize},
    {"mask", PipeWord::mask},
    {"hash", PipeWord::hash},
    {"split", PipeWord::split},
    {"pack", PipeWord::pack},
    {"collapse_nums", PipeWord::collapse_nums},
    {"context", PipeWord::context},
    {"flatten", PipeWord::flatten},
    {"lookup", PipeWord::lookup},
    {"geoip", PipeWord::geoip},
    {"transaction", PipeWord::transaction},
    {"streamstats", PipeWord::stream_stats},
    {"eventstats", PipeWord::event_stats},
    {"delta", PipeWord::delta},
    {"timechart", PipeWord::timechart},
    {"fill_gaps", PipeWord::fill_gaps},
    {"compare", PipeWord::compare},
    {"histogram", PipeWord::histogram},
    {"streams", PipeWord::streams},
    {"anomaly", PipeWord::anomaly},
    {"changepoint", PipeWord::changepoint},
    {"forecast", PipeWord::forecast},
    {"correlate", PipeWord::correlate},
    {"block_stats", PipeWord::block_stats},
}};

constexpr std::size_t kManyFields = 32;
constexpr std::array<std::pair<std::string_view, StatWord>, 42> kStatWords = {{
    {"count", {StatKind::count, 0, 0, 0, 0, kManyFields}},
    {"count_empty", {StatKind::count_empty, 0, 0, 0, 1, kManyFields}},
    {"count_uniq", {StatKind::count_uniq, 0, 0, 0, 1, kManyFields}},
    {"count_uniq_approx", {StatKind::count_uniq_approx, 0, 0, 0, 1, kManyFields}},
    {"sum", {StatKind::sum}},
    {"avg", {StatKind::avg}},
    {"min", {StatKind::min}},
    {"max", {StatKind::max}},
    {"median", {StatKind::quantile, 0.5}},
    {"quantile", {StatKind::quantile, -1, 1, 1}},
    {"quantiles", {StatKind::quantiles, 0, 1, 20}},
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
    {"rate", {StatKind::rate, 0, 0, 0, 0, 0}},
    {"rate_sum", {StatKind::rate_sum}},
    {"increase", {StatKind::increase}},
    {"sum_len", {StatKind::sum_len, 0, 0, 0, 1, kManyFields}},
    {"bytes", {StatKind::bytes, 0, 0, 0, 0, kManyFields}},
    {"stddev", {StatKind::stddev}},
    {"variance", {StatKind::variance}},
    {"skew", {StatKind::skew}},
    {"mode", {StatKind::mode}},
    {"range", {StatKind::range}},
    {"row_min", {StatKind::row_min, 0, 0, 0, 1, kManyFields}},
    {"row_max", {StatKind::row_max, 0, 0, 0, 1, kManyFields}},
    {"row_any", {StatKind::row_any, 0, 0, 0, 1, kManyFields}},
    {"top_values", {StatKind::top_values, 0, 0, 1}},
    {"histogram", {StatKind::histogram}},
    {"entropy", {StatKind::entropy}},
    {"corr", {StatKind::corr, 0, 0, 0, 2, 2}},
    {"covar", {StatKind::covar, 0, 0, 0, 2, 2}},
    {"slope", {StatKind::slope, 0, 0, 0, 1, 2}},
    {"ewma", {StatKind::ewma, 0, 0, 1}},
}};

constexpr std::array<std::pair<std::string_view, FilterFunction>, 14> kFilterFunctions = {{
    {"in", FilterFunction::in},
    {"i", FilterFunction::fold},
    {"contains_all", FilterFunction::contains_all},
    {"contains_any", FilterFunction::contains_any},
    {"seq", FilterFunction::sequence},
    {"eq_field", FilterFunction::equal_field},
    {"lt_field", FilterFunction::less_field},
    {"le_field", FilterFunction::less_equal_field},
    {"len_range", FilterFunction::length_range},
    {"string_range", FilterFunction::string_range},
    {"ip", FilterFunction::ip},
    {"type", FilterFunction::type},
    {"pattern", FilterFunction::pattern},
    {"near", FilterFunction::near},
}};

constexpr std::array<std::pair<std::string_view, UnpackFormat>, 7> kUnpackFormats = {{
    {"json", UnpackFormat::json},
    {"logfmt", UnpackFormat::logfmt},
    {"kv", UnpackFormat::kv},
    {"csv", UnpackFormat::csv},
    {"syslog", UnpackFormat::syslog},
    {"cef", UnpackFormat::cef},
    {"xml", UnpackFormat::xml},
}};

constexpr std::size_t kManyArguments = 32;
constexpr std::array<std::pair<std::string_view, ScalarWord>, 28> kScalarWords = {{
    {"len", {ScalarFunction::len}},
    {"lower", {ScalarFunction::lower}},
    {"upper", {ScalarFunction::upper}},
    {"trim", {ScalarFunction::trim}},
    {"substr", {ScalarFunction::substr, 2, 3}},
    {"concat", {ScalarFunction::concat, 1, kManyArguments}},
    {"replace", {ScalarFunction::replace, 3, 3}},
    {"coalesce", {ScalarFunction::coalesce, 1, kManyArguments}},
    {"round", {ScalarFunction::round, 1, 2}},
    {"floor", {ScalarFunction::floor}},
    {"ceil", {ScalarFunction::ceil}},
    {"abs", {ScalarFunction::abs}},
    {"min", {ScalarFunction::min, 1, kManyArguments}},
    {"max", {ScalarFunction::max, 1, kManyArguments}},
    {"duration_ms", {ScalarFunction::duration_ms}},
    {"bytes", {ScalarFunction::bytes}},
    {"time_part", {ScalarFunction::time_part, 2, 2}},
    {"split", {ScalarFunction::split, 2, 3}},
    {"levenshtein", {ScalarFunction::levenshtein, 2, 2}},
    {"parse_url", {ScalarFunction::parse_url, 2, 2}},
    {"json_path", {ScalarFunction::json_path, 2, 2}},
    {"base64_decode", {ScalarFunction::base64_decode}},
    {"url_decode", {ScalarFunction::url_decode}},
    {"ln", {ScalarFunction::ln}},
    {"exp", {ScalarFunction::exp}},
    {"pow", {ScalarFunction::pow, 2, 2}},
    {"sha256", {ScalarFunction::sha256}},
    {"parse_user_agent", {ScalarFunction::parse_user_agent, 2, 2}},
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
constexpr auto kScalarWordNames = names_of(kScalarWords);

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
std::optional<UnpackFormat> find_unpack_format(std::string_view word) {
  return find_word(kUnpackFormats, word);
}
std::string_view unpack_format_name(UnpackFormat format) {
  for (const auto& [name, known] : kUnpackFormats) {
    if (known == format) return name;
  }
  return "";
}
std::optional<StatWord> find_stat_word(std::string_view word) {
  return find_word(kStatWords, word);
}
std::span<const std::string_view> all_stat_words() {
  return kStatWordNames;
}
bool depends_on_place(StatKind kind) {
  switch (kind) {
    case StatKind::first:
    case StatKind::last:
    case StatKind::values:
    case StatKind::uniq_values:
    case StatKind::increase:
    case StatKind::row_min:
    case StatKind::row_max:
    case StatKind::row_any:
    case StatKind::slope:
    case StatKind::ewma:
      return true;
    default:
      return false;
  }
}
bool is_zero_of_nothing(StatKind kind) {
  switch (kind) {
    case StatKind::count:
    case StatKind::count_empty:
    case StatKind::count_uniq:
    case StatKind::count_uniq_approx:
    case StatKind::sum:
    case StatKind::sum_len:
    case StatKind::bytes:
    case StatKind::rate:
    case StatKind::rate_sum:
    case StatKind::increase:
      return true;
    default:
      return false;
  }
}
std::optional<FilterFunction> find_filter_function(std::string_view word) {
  return find_word(kFilterFunctions, word);
}
std::span<const std::string_view> all_filter_functions() {
  return kFilterFunctionNames;
}

std::optional<ScalarWord> find_scalar_word(std::string_view word) {
  return find_word(kScalarWords, word);
}
std::span<const std::string_view> all_scalar_words() {
  return kScalarWordNames;
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
