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

bool takes_one_field(StatKind kind) {
  return kind != StatKind::count && kind != StatKind::rate && kind != StatKind::count_empty &&
         kind != StatKind::count_uniq;
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
  }
  if (take_keyword("as")) {
    DENDRO_TRY_ASSIGN(const Token column, take_name("a name after \"as\""));
    DENDRO_TRY(check_column(column));
    key.column = column.text;
  }
  return key;
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
  if (!word->is_built) return not_built(name, "the statistics function " + folded + "()");
  take(name);
  Aggregate aggregate;
  aggregate.kind = word->kind;
  aggregate.phi = word->phi;
  aggregate.function = folded;
  if (const Token opener = peek(); opener.kind == TokenKind::open_round) {
    DENDRO_TRY(parse_aggregate_arguments(aggregate, name));
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

Status QueryParser::parse_aggregate_arguments(Aggregate& aggregate, const Token& name) {
  const Token opener = peek();
  take(opener);
  const bool is_quantile_call = aggregate.phi < 0;
  if (is_quantile_call) {
    const Token phi = peek();
    const auto number = phi.kind == TokenKind::word ? parse_number(phi.text) : std::nullopt;
    if (!number || number->to_double() < 0 || number->to_double() > 1)
      return unexpected(phi, "a number from 0 to 1, then a field");
    aggregate.phi = number->to_double();
    take(phi);
    const Token comma = peek();
    if (comma.kind != TokenKind::comma) return unexpected(comma, "\",\" and a field");
    take(comma);
  }
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
  const bool needs_field = takes_one_field(aggregate.kind) || aggregate.kind == StatKind::count_uniq ||
                           aggregate.kind == StatKind::count_empty;
  if (needs_field && aggregate.fields.empty()) {
    return fail(Place{name.offset, at_ - name.offset}, aggregate.function + "() needs a field");
  }
  if (takes_one_field(aggregate.kind) && aggregate.fields.size() > 1) {
    return fail(Place{name.offset, at_ - name.offset}, aggregate.function + "() takes one field");
  }
  if (aggregate.kind == StatKind::rate && !aggregate.fields.empty()) {
    return fail(Place{name.offset, at_ - name.offset}, "rate() takes no field");
  }
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
