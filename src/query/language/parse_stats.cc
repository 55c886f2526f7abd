// stats, groups, buckets, aggs of the grammar.
#include <algorithm>
#include <cmath>
#include <set>

#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {
namespace {

/// A field as part of a column's name: other characters than letters, digits and `_` become `_`
/// (query-language.md 8.5).
std::string column_part(std::string_view field) {
  std::string part(field);
  for (char& c : part) c = is_word_char(c) ? c : '_';
  return part;
}

std::string default_column(const Aggregate& aggregate) {
  std::string column = aggregate.function;
  for (const std::string& field : aggregate.fields) column += "_" + column_part(field);
  if (aggregate.condition) column += "_if";
  return column;
}

std::string count_text(std::size_t least, std::size_t most, std::string_view what) {
  if (most == 0) return "no " + std::string(what);
  std::string text = least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
  if (most == 1) text = "one";
  return text + " " + std::string(what) + (most == 1 ? "" : "s");
}

}  // namespace

Result<Pipe> QueryParser::parse_stats() {
  StatsPipe stats;
  if (const Token by = peek(); is_keyword(by, "by")) {
    take(by);
    const Token opener = peek();
    if (opener.kind != TokenKind::open_round) {
      // The names up to the first function, in parentheses.
      std::size_t end = opener.offset;
      for (Token token = opener; token.is_text() || token.kind == TokenKind::comma;
           token = lexer_.lex(end, LexMode::plain)) {
        const bool is_function = lexer_.lex(token.end(), LexMode::plain).kind == TokenKind::open_round;
        if (is_function) break;
        end = token.end();
      }
      const std::string names(query().substr(opener.offset, end - opener.offset));
      return fail(opener, "\"by\" before the functions needs parentheses",
                  with_part(opener.offset, end - opener.offset, "(" + names + ")"));
    }
    DENDRO_TRY_ASSIGN(stats.groups, parse_groups(true));
    DENDRO_TRY_ASSIGN(stats.aggregates, parse_aggregates());
  } else {
    DENDRO_TRY_ASSIGN(stats.aggregates, parse_aggregates());
    if (take_keyword("by")) {
      DENDRO_TRY_ASSIGN(stats.groups, parse_groups(peek().kind == TokenKind::open_round));
    }
  }
  name_columns(stats);
  return Pipe{std::move(stats)};
}

Result<std::vector<GroupKey>> QueryParser::parse_groups(bool in_brackets) {
  const Token opener = peek();
  if (in_brackets) take(opener);
  std::vector<GroupKey> groups;
  for (;;) {
    DENDRO_TRY_ASSIGN(GroupKey key, parse_group_key());
    groups.push_back(std::move(key));
    const Token next = peek();
    if (next.kind != TokenKind::comma) break;
    take(next);
  }
  if (in_brackets) DENDRO_TRY(take_list_closer(opener));
  return groups;
}

Result<GroupKey> QueryParser::parse_group_key() {
  GroupKey key;
  DENDRO_TRY_ASSIGN(const Token name, take_name("the name of a field"));
  key.name = name.text;
  key.column = name.text;
  note_use(name.text, name);
  if (const Token colon = peek(); colon.kind == TokenKind::colon) {
    take(colon);
    DENDRO_TRY_ASSIGN(key.bucket, parse_bucket(key.name));
    if (const Token window = peek(); take_keyword("window")) DENDRO_TRY(parse_window(key, window));
  }
  if (take_keyword("as")) {
    DENDRO_TRY_ASSIGN(const Token column, take_name("a name after \"as\""));
    DENDRO_TRY(check_column(column));
    key.column = column.text;
  }
  return key;
}

/// `window 5m offset 1h` behind the width of a bucket of time.
Status QueryParser::parse_window(GroupKey& key, const Token& word) {
  constexpr std::int64_t kBucketsOfOneRowMax = 1'000;
  const bool is_short = key.bucket.kind == BucketKind::duration && key.bucket.width_ns < kNanosPerDay;
  if (!is_short) return fail(word, "a window needs buckets of time shorter than a day");
  DENDRO_TRY_ASSIGN(const Duration window, take_duration("window"));
  if (window.ns / key.bucket.width_ns > kBucketsOfOneRowMax) {
    return fail(word, "a row would count in more than " + std::to_string(kBucketsOfOneRowMax) +
                          " buckets; make them wider or the window shorter");
  }
  key.window_ns = window.ns;
  key.window = window.text;
  if (!take_keyword("offset")) return {};
  DENDRO_TRY_ASSIGN(const Duration offset, take_duration("offset"));
  key.offset_ns = offset.ns;
  key.window += " offset " + offset.text;
  return {};
}

Result<QueryParser::Duration> QueryParser::take_duration(std::string_view after) {
  const Token token = peek();
  const auto duration = token.kind == TokenKind::word ? parse_duration(token.text) : std::nullopt;
  if (!duration || *duration <= 0) return unexpected(token, "a duration like 5m after \"" + std::string(after) + "\"");
  take(token);
  return Duration{*duration, token.text};
}

Result<Bucket> QueryParser::parse_bucket(std::string_view field) {
  const Token token = peek();
  if (token.kind != TokenKind::word)
    return unexpected(token, "the width of a bucket after \"" + std::string(field) + ":\"");
  take(token);
  Bucket bucket;
  bucket.text = token.text;
  const std::string folded = fold_keyword(token.text);
  if (folded == "week" || folded == "month" || folded == "year") {
    bucket.kind = folded == "week" ? BucketKind::week : folded == "month" ? BucketKind::month : BucketKind::year;
    bucket.text = folded;
    return bucket;
  }
  if (token.text[0] == '/') {
    const auto bits = parse_number(token.text.substr(1));
    if (!bits || !bits->is_int64() || bits->int64() < 0 || bits->int64() > 128) {
      return fail(token, "\"" + token.text + "\" is not a prefix of an address; write /24");
    }
    bucket.kind = BucketKind::ip_prefix;
    bucket.prefix_bits = static_cast<int>(bits->int64());
    return bucket;
  }
  if (const auto number = parse_number(token.text)) {
    bucket.kind = BucketKind::number;
    bucket.step = number->to_double();
  } else if (const auto duration = parse_duration(token.text)) {
    bucket.kind = BucketKind::duration;
    bucket.width_ns = *duration;
  }
  const bool is_positive = bucket.kind == BucketKind::number ? bucket.step > 0 : bucket.width_ns > 0;
  if (bucket.kind == BucketKind::none || !is_positive) {
    return fail(token, "\"" + token.text + "\" is not the width of a bucket; write 5m, 100, /24, week, month or year");
  }
  return bucket;
}

Result<std::vector<Aggregate>> QueryParser::parse_aggregates() {
  std::vector<Aggregate> aggregates;
  for (;;) {
    DENDRO_TRY_ASSIGN(Aggregate aggregate, parse_aggregate());
    aggregates.push_back(std::move(aggregate));
    const Token next = peek();
    if (next.kind != TokenKind::comma) break;
    take(next);
  }
  return aggregates;
}

Result<Aggregate> QueryParser::parse_aggregate() {
  const Token name = peek();
  if (name.kind != TokenKind::word) return unexpected(name, "a statistics function");
  const std::string folded = fold_keyword(name.text);
  const auto word = find_stat_word(folded);
  if (!word) {
    const std::string_view near = nearest_name(folded, all_stat_words());
    return fail(name, "unknown statistics function \"" + name.text + "\"",
                near.empty() ? "" : with_part(name.offset, name.size, near));
  }
  take(name);
  Aggregate aggregate;
  aggregate.kind = word->kind;
  aggregate.phi = word->phi;
  aggregate.function = folded;
  if (const Token opener = peek(); opener.kind == TokenKind::open_round) {
    DENDRO_TRY(parse_aggregate_arguments(aggregate, *word, name));
  } else if (aggregate.kind != StatKind::count) {
    return fail(name, folded + "() needs a field");
  }
  if (take_keyword("if")) {
    const Token opener = peek();
    if (opener.kind != TokenKind::open_round) return unexpected(opener, "\"(\" after \"if\"");
    DENDRO_TRY_ASSIGN(aggregate.condition, parse_group(nullptr));
  }
  const bool has_as = take_keyword("as");
  const Token column = peek();
  const bool is_name = column.is_text() && !is_keyword(column, "by") && !is_keyword(column, "if");
  if (has_as && !column.is_text()) return unexpected(column, "a name after \"as\"");
  if (has_as || is_name) {
    take(column);
    DENDRO_TRY(check_column(column));
    aggregate.column = column.text;
  }
  return aggregate;
}

/// Numbers in front of the fields: a field whose name begins with a digit stands in quotes.
Status QueryParser::parse_aggregate_numbers(Aggregate& aggregate, const StatWord& word) {
  const bool are_shares = aggregate.kind != StatKind::top_values;
  while (aggregate.numbers.size() < word.numbers_max) {
    const Token token = peek();
    const auto number = token.kind == TokenKind::word ? parse_number(token.text) : std::nullopt;
    const double amount = number ? number->to_double() : 0;
    if (!number && aggregate.numbers.size() >= word.numbers_min) return {};
    if (!number || amount < 0 || (are_shares && amount > 1))
      return unexpected(token, are_shares ? "a number from 0 to 1, then a field" : "a number of values, then a field");
    take(token);
    aggregate.numbers.push_back(amount);
    const Token comma = peek();
    if (comma.kind != TokenKind::comma) return unexpected(comma, "\",\" and a field");
    take(comma);
  }
  return {};
}

Status QueryParser::parse_aggregate_arguments(Aggregate& aggregate, const StatWord& word, const Token& name) {
  const Token opener = peek();
  take(opener);
  DENDRO_TRY(parse_aggregate_numbers(aggregate, word));
  if (aggregate.phi < 0) aggregate.phi = aggregate.numbers[0];
  for (;;) {
    const Token token = peek();
    if (token.kind == TokenKind::close_round) break;
    if (token.kind == TokenKind::end)
      return fail(opener, "this \"(\" is never closed", std::string(query()) + ")", {")"});
    if (token.kind == TokenKind::star) {
      take(token);
    } else {
      DENDRO_TRY_ASSIGN(const Token field, take_name("the name of a field"));
      note_use(field.text, field);
      aggregate.fields.push_back(field.text);
    }
    const Token next = peek();
    if (next.kind == TokenKind::comma) {
      take(next);
    } else if (next.kind != TokenKind::close_round && next.kind != TokenKind::end) {
      return unexpected(next, "\",\" or \")\"");
    }
  }
  take(peek());
  if (aggregate.kind == StatKind::bytes && aggregate.fields.empty()) aggregate.fields.push_back("body");
  const std::size_t count = aggregate.fields.size();
  const Place place{name.offset, at_ - name.offset};
  if (count < word.fields_min && count == 0) return fail(place, aggregate.function + "() needs a field");
  if (count < word.fields_min || count > word.fields_max)
    return fail(place, aggregate.function + "() takes " + count_text(word.fields_min, word.fields_max, "field"));
  return {};
}

Status QueryParser::check_column(const Token& token) {
  for (const std::string_view reserved : {"_meta", "_progress", "_status", "_clipped"}) {
    if (token.text == reserved)
      return fail(token, "\"" + token.text + "\" is reserved for answers; choose another name");
  }
  return {};
}

/// Gives each column without a name its default one; equal names get _2, _3, ...
void QueryParser::name_columns(StatsPipe& stats) {
  std::set<std::string> taken;
  const auto claim = [&taken](std::string& column) {
    const std::string wanted = column;
    for (int number = 2; !taken.insert(column).second; ++number) column = wanted + "_" + std::to_string(number);
  };
  for (GroupKey& key : stats.groups) claim(key.column);
  for (Aggregate& aggregate : stats.aggregates) {
    if (aggregate.column.empty()) aggregate.column = default_column(aggregate);
    claim(aggregate.column);
  }
}

}  // namespace dendro
