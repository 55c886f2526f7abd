// The pipes of language/analysis_ast.h: context, lookup, running and grouped statistics, charts, comparisons, series.
#include <algorithm>

#include "filter/literal.h"
#include "filter/text_pattern.h"
#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {
namespace {

constexpr std::uint64_t kMaxContextRecords = 1'000;
constexpr std::uint64_t kMaxRunningWindow = 1'000;
constexpr std::uint64_t kMaxHistogramBuckets = 1'000;
constexpr std::uint64_t kMaxForecastRows = 10'000;

/// True if the result so far is at hand after each row, whatever their number.
bool is_cheap_so_far(StatKind kind) {
  switch (kind) {
    case StatKind::quantile:
    case StatKind::quantiles:
    case StatKind::values:
    case StatKind::uniq_values:
    case StatKind::count_uniq_approx:
    case StatKind::mode:
    case StatKind::top_values:
    case StatKind::histogram:
    case StatKind::entropy:
    case StatKind::increase:
    case StatKind::ewma:
      return false;
    default:
      return true;
  }
}

std::string geo_fields_text() {
  std::string text;
  for (const std::string_view field : kGeoFields) text += (text.empty() ? "" : ", ") + std::string(field);
  return text;
}

std::string delta_column(std::string_view field) {
  std::string column = "delta_" + std::string(field);
  for (char& c : column) c = is_word_char(c) ? c : '_';
  return column;
}

}  // namespace

Result<Pipe> QueryParser::parse_analysis_pipe(PipeWord pipe, const Token& word) {
  switch (pipe) {
    case PipeWord::context: {
      const Token count = peek();
      const std::uint64_t records = take_optional_count().value_or(3);
      if (records > kMaxContextRecords)
        return fail(count, "context takes at most " + std::to_string(kMaxContextRecords) + " records on either side");
      return Pipe{ContextPipe{records}};
    }
    case PipeWord::flatten:
      return parse_flatten();
    case PipeWord::lookup:
      return parse_lookup();
    case PipeWord::geoip:
      return parse_geoip();
    case PipeWord::transaction:
      return parse_transaction();
    case PipeWord::event_stats:
      return parse_with_stats(false);
    case PipeWord::stream_stats:
      return parse_with_stats(true);
    case PipeWord::delta:
      return parse_delta();
    case PipeWord::timechart:
      return parse_timechart(word);
    case PipeWord::fill_gaps:
      return parse_fill_gaps();
    case PipeWord::compare:
      return parse_compare();
    case PipeWord::histogram:
      return parse_histogram();
    case PipeWord::streams:
      return Pipe{StreamsPipe{}};
    case PipeWord::block_stats:
      return Pipe{BlockStatsPipe{}};
    case PipeWord::anomaly:
      return parse_series(SeriesPipe::Kind::anomaly);
    case PipeWord::changepoint:
      return parse_series(SeriesPipe::Kind::changepoint);
    case PipeWord::forecast:
      return parse_series(SeriesPipe::Kind::forecast);
    case PipeWord::correlate:
      return parse_correlate();
    default:
      return not_built(word, "the pipe \"" + fold_keyword(word.text) + "\"");
  }
}

Result<std::vector<std::string>> QueryParser::parse_optional_by() {
  if (!take_keyword("by")) return std::vector<std::string>();
  return parse_names();
}

Result<Pipe> QueryParser::parse_flatten() {
  const Token first = peek();
  FlattenPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.names, parse_names());
  for (const std::string& name : pipe.names) {
    Token target = first;
    target.text = name;
    DENDRO_TRY(check_target(target));
  }
  return Pipe{std::move(pipe)};
}

/// `lookup "table.csv" by (k as column) fields (a) prefix "p."`
Result<Pipe> QueryParser::parse_lookup() {
  LookupPipe pipe;
  const Token table = peek();
  if (!table.is_text() || table.text.empty()) return unexpected(table, "the name of a table in quotes");
  take(table);
  pipe.table = table.text;
  const Token by = peek();
  if (!take_keyword("by")) return fail(by, "expected \"by\" after the table", with_part(by.offset, 0, "by "), {"by"});
  const Token opener = peek();
  const bool in_brackets = opener.kind == TokenKind::open_round;
  if (in_brackets) take(opener);
  for (;;) {
    DENDRO_TRY_ASSIGN(const Token field, take_name("the name of a field"));
    note_use(field.text, field);
    LookupPipe::Key key{field.text, field.text};
    if (take_keyword("as")) {
      DENDRO_TRY_ASSIGN(const Token column, take_name("a column of the table after \"as\""));
      key.column = column.text;
    }
    pipe.keys.push_back(std::move(key));
    const Token next = peek();
    if (next.kind != TokenKind::comma) break;
    take(next);
  }
  if (in_brackets) DENDRO_TRY(take_list_closer(opener));
  if (take_keyword("fields")) {
    const std::size_t uses_before = uses_.size();
    DENDRO_TRY_ASSIGN(pipe.fields, parse_name_patterns());
    uses_.resize(uses_before);  // columns of the table, not of the record
  }
  if (take_keyword("prefix")) {
    const Token prefix = peek();
    if (!prefix.is_text()) return unexpected(prefix, "a text after \"prefix\"");
    take(prefix);
    pipe.prefix = prefix.text;
  }
  return Pipe{std::move(pipe)};
}

/// `geoip if (..) f fields (country.*) prefix "geo."`
Result<Pipe> QueryParser::parse_geoip() {
  GeoipPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  DENDRO_TRY_ASSIGN(const Token at, take_name("the field that holds an address"));
  note_use(at.text, at);
  pipe.at = at.text;
  if (take_keyword("fields")) {
    const Token first = peek();
    const std::size_t uses_before = uses_.size();
    DENDRO_TRY_ASSIGN(pipe.fields, parse_name_patterns());
    uses_.resize(uses_before);  // what comes out
    for (const NamePattern& name : pipe.fields) {
      const bool is_known = std::any_of(kGeoFields.begin(), kGeoFields.end(),
                                        [&name](std::string_view field) { return name.matches(field); });
      if (!is_known) return fail(first, "geoip gives no \"" + name.name + "\"; it gives " + geo_fields_text());
    }
  }
  if (take_keyword("prefix")) {
    const Token prefix = peek();
    if (!prefix.is_text()) return unexpected(prefix, "a text after \"prefix\"");
    take(prefix);
    pipe.prefix = prefix.text;
  }
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_transaction() {
  TransactionPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.names, parse_optional_by());
  for (;;) {
    const Token word = peek();
    const bool is_option = is_keyword(word, "maxspan") || is_keyword(word, "maxpause") ||
                           is_keyword(word, "startswith") || is_keyword(word, "endswith");
    if (!is_option) break;
    take(word);
    DENDRO_TRY(parse_transaction_option(pipe, word));
  }
  return Pipe{std::move(pipe)};
}

Status QueryParser::parse_transaction_option(TransactionPipe& pipe, const Token& word) {
  const bool is_span = is_keyword(word, "maxspan");
  if (is_span || is_keyword(word, "maxpause")) {
    DENDRO_TRY_ASSIGN(Duration duration, take_duration(word.text));
    (is_span ? pipe.span_ns_max : pipe.pause_ns_max) = duration.ns;
    (is_span ? pipe.span : pipe.pause) = std::move(duration.text);
    return {};
  }
  const Token opener = peek();
  if (opener.kind != TokenKind::open_round) return unexpected(opener, "a filter in parentheses");
  DENDRO_TRY_ASSIGN(Predicate filter, parse_group(nullptr));
  (is_keyword(word, "startswith") ? pipe.starts : pipe.ends) = std::move(filter);
  return {};
}

Result<Pipe> QueryParser::parse_with_stats(bool is_running) {
  WithStatsPipe pipe;
  pipe.is_running = is_running;
  if (is_running && take_keyword("window")) {
    const Token count = peek();
    DENDRO_TRY_ASSIGN(pipe.window, take_count("window"));
    if (pipe.window == 0 || pipe.window > kMaxRunningWindow)
      return fail(count, "a window holds 1 to " + std::to_string(kMaxRunningWindow) + " rows");
  }
  const Token first = peek();
  DENDRO_TRY_ASSIGN(pipe.stats.aggregates, parse_aggregates());
  for (const Aggregate& aggregate : pipe.stats.aggregates) {
    if (!is_running || pipe.window != 0 || is_cheap_so_far(aggregate.kind)) continue;
    return fail(first, aggregate.function + "() of all rows so far would be worked out anew for each row; write " +
                           "streamstats window 100 " + aggregate.function + "(..)");
  }
  if (take_keyword("by")) {
    DENDRO_TRY_ASSIGN(pipe.stats.groups, parse_groups(peek().kind == TokenKind::open_round));
    for (const GroupKey& key : pipe.stats.groups) {
      if (key.window_ns != 0)
        return fail(first, "a row has one place here; leave out the window of \"" + key.name + "\"");
    }
  }
  name_columns(pipe.stats);
  for (const Aggregate& aggregate : pipe.stats.aggregates) {
    Token target = first;
    target.text = aggregate.column;
    DENDRO_TRY(check_target(target));
  }
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_delta() {
  DeltaPipe pipe;
  DENDRO_TRY_ASSIGN(const Token field, take_name("the name of a field"));
  note_use(field.text, field);
  pipe.field = field.text;
  DENDRO_TRY_ASSIGN(pipe.to, take_optional_name("as", delta_column(field.text)));
  DENDRO_TRY_ASSIGN(pipe.names, parse_optional_by());
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_timechart(const Token& word) {
  TimechartPipe pipe;
  GroupKey time;
  time.name = time.column = "_time";
  if (take_keyword("span")) {
    const Token span = peek();
    DENDRO_TRY_ASSIGN(time.bucket, parse_bucket("_time"));
    if (time.bucket.kind == BucketKind::number || time.bucket.kind == BucketKind::ip_prefix)
      return fail(span, "\"" + span.text + "\" is not a span of time; write 5m, 1h, 1d, week, month");
  }
  pipe.stats.groups.push_back(std::move(time));
  DENDRO_TRY_ASSIGN(pipe.stats.aggregates, parse_aggregates());
  if (take_keyword("by")) {
    DENDRO_TRY_ASSIGN(std::vector<GroupKey> groups, parse_groups(peek().kind == TokenKind::open_round));
    for (GroupKey& key : groups) {
      if (key.window_ns != 0) return fail(word, "timechart takes no window; use stats by (_time:1m window 5m)");
      pipe.stats.groups.push_back(std::move(key));
    }
  }
  name_columns(pipe.stats);
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_fill_gaps() {
  FillGapsPipe pipe;
  const Token first = peek();
  DENDRO_TRY_ASSIGN(pipe.time, parse_group_key());
  const BucketKind kind = pipe.time.bucket.kind;
  const bool is_time = kind != BucketKind::none && kind != BucketKind::number && kind != BucketKind::ip_prefix;
  if (!is_time || pipe.time.window_ns != 0 || pipe.time.column != pipe.time.name)
    return fail(first, "fill_gaps needs a column of times and the width of its buckets: fill_gaps _time:1m");
  DENDRO_TRY_ASSIGN(pipe.names, parse_optional_by());
  if (take_keyword("with")) {
    const Token number = peek(LexMode::value);
    if (number.kind != TokenKind::word || !parse_number(number.text))
      return unexpected(number, "a number after \"with\"");
    take(number);
    pipe.filler = number.text;
  }
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_compare() {
  ComparePipe pipe;
  const Token by = peek();
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, parse_optional_by());
  if (names.size() > 1) return fail(by, "compare takes one field; make one of several with format");
  if (!names.empty()) pipe.name = names[0];
  if (take_keyword("offset")) {
    DENDRO_TRY_ASSIGN(Duration offset, take_duration("offset"));
    pipe.offset_ns = offset.ns;
    pipe.offset = std::move(offset.text);
  }
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_pattern() {
  PatternPipe pipe;
  pipe.count = take_optional_count().value_or(10);
  const Token by = peek();
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, parse_optional_by());
  if (names.size() > 1) return fail(by, "pattern takes one field; make one of several with format");
  if (!names.empty()) pipe.by = names[0];
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_histogram() {
  HistogramPipe pipe;
  const Token count = peek();
  pipe.count = take_optional_count().value_or(20);
  if (pipe.count == 0 || pipe.count > kMaxHistogramBuckets)
    return fail(count, "histogram makes 1 to " + std::to_string(kMaxHistogramBuckets) + " buckets");
  take_keyword("by");
  const Token first = peek();
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, parse_names());
  if (names.size() > 1) return fail(first, "histogram takes one field");
  pipe.name = names[0];
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_series(SeriesPipe::Kind kind) {
  SeriesPipe pipe;
  pipe.kind = kind;
  if (kind == SeriesPipe::Kind::forecast) {
    const Token count = peek();
    DENDRO_TRY_ASSIGN(pipe.count, take_count("forecast"));
    if (pipe.count == 0 || pipe.count > kMaxForecastRows)
      return fail(count, "forecast adds 1 to " + std::to_string(kMaxForecastRows) + " rows");
  }
  DENDRO_TRY_ASSIGN(const Token name, take_name("the name of a column"));
  note_use(name.text, name);
  pipe.name = name.text;
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_correlate() {
  CorrelatePipe pipe;
  DENDRO_TRY_ASSIGN(const Token name, take_name("the name of a column"));
  note_use(name.text, name);
  pipe.name = name.text;
  if (take_keyword("with")) {
    DENDRO_TRY_ASSIGN(pipe.others, parse_names());
  }
  return Pipe{std::move(pipe)};
}

}  // namespace dendro
