// The row pipes of query-language.md 8.3. Some are short for others: `coalesce` and `fillnull` for `eval`, `first` and
// `last` for `sort .. limit`, `grok` for `extract_regexp`.
#include "query/language/grok_pattern.h"
#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {

Result<Pipe> QueryParser::parse_extended_pipe(PipeWord pipe, const Token& word) {
  switch (pipe) {
    case PipeWord::dedup:
      return parse_dedup(word);
    case PipeWord::join:
      return parse_join(word);
    case PipeWord::union_:
      return parse_union(false);
    case PipeWord::append:
      return parse_union(true);
    case PipeWord::coalesce:
      return parse_coalesce();
    case PipeWord::fill_null:
      return parse_fill_null();
    case PipeWord::sample: {
      DENDRO_TRY_ASSIGN(const std::uint64_t one_in, take_count(word.text));
      if (one_in == 0) return fail(word, "sample needs a number from 1 on: one row in so many stays");
      return Pipe{SamplePipe{one_in}};
    }
    case PipeWord::tail:
      return Pipe{TailPipe{take_optional_count().value_or(10)}};
    case PipeWord::first:
      return parse_ends(false, word);
    case PipeWord::last:
      return parse_ends(true, word);
    case PipeWord::grok:
      return parse_grok();
    case PipeWord::decolorize:
      return parse_text_pipe(TextPipe::Kind::decolorize);
    case PipeWord::mask:
      return parse_text_pipe(TextPipe::Kind::mask);
    case PipeWord::hash:
      return parse_text_pipe(TextPipe::Kind::hash);
    case PipeWord::split:
      return parse_text_pipe(TextPipe::Kind::split);
    case PipeWord::collapse_nums:
      return parse_text_pipe(TextPipe::Kind::collapse_nums);
    case PipeWord::pack:
      return parse_pack();
    default:
      return parse_analysis_pipe(pipe, word);
  }
}

Result<std::vector<std::string>> QueryParser::parse_by_names(std::string_view pipe) {
  const Token by = peek();
  if (!take_keyword("by"))
    return fail(by, "expected \"by\" after \"" + std::string(pipe) + "\"", with_part(by.offset, 0, "by "), {"by"});
  return parse_names();
}

Result<Pipe> QueryParser::parse_dedup(const Token& word) {
  DedupPipe dedup;
  dedup.count = take_optional_count().value_or(1);
  DENDRO_TRY_ASSIGN(dedup.names, parse_by_names(word.text));
  return Pipe{std::move(dedup)};
}

Result<Pipe> QueryParser::parse_join(const Token& word) {
  JoinPipe join;
  DENDRO_TRY_ASSIGN(join.keys, parse_by_names(word.text));
  const Token opener = peek();
  if (opener.kind != TokenKind::open_round) return unexpected(opener, "a query in parentheses");
  take(opener);
  DENDRO_TRY_ASSIGN(join.number, parse_subquery(opener, Subquery::Use::rows));
  join.query = subqueries_[join.number].text;
  join.is_inner = take_keyword("inner");
  if (take_keyword("prefix")) {
    const Token prefix = peek();
    if (!prefix.is_text()) return unexpected(prefix, "a text after \"prefix\"");
    take(prefix);
    join.prefix = prefix.text;
  }
  return Pipe{std::move(join)};
}

Result<Pipe> QueryParser::parse_union(bool appends) {
  UnionPipe pipe;
  pipe.appends = appends;
  const Token opener = peek();
  if (opener.kind != TokenKind::open_round) return unexpected(opener, "a query in parentheses");
  take(opener);
  DENDRO_TRY_ASSIGN(pipe.number, parse_subquery(opener, Subquery::Use::rows));
  pipe.query = subqueries_[pipe.number].text;
  return Pipe{std::move(pipe)};
}

/// A name between backticks cannot hold one.
Status QueryParser::check_expression_names(const std::vector<std::string>& names, const Token& first) {
  for (const std::string& name : names) {
    if (name.find('`') != std::string::npos)
      return fail(first, "\"" + name + "\" holds a backtick; copy it to another name first");
  }
  return {};
}

/// `coalesce (a, b) as c`.
Result<Pipe> QueryParser::parse_coalesce() {
  const Token first = peek();
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, parse_names());
  DENDRO_TRY(check_expression_names(names, first));
  const Token as = peek();
  if (!take_keyword("as")) return unexpected(as, "\"as\" and a name");
  DENDRO_TRY_ASSIGN(const Token to, take_name("a name after \"as\""));
  DENDRO_TRY(check_target(to));
  Expression call;
  call.kind = Expression::Kind::call;
  call.text = "coalesce";
  call.function = ScalarFunction::coalesce;
  for (const std::string& name : names) {
    Expression field;
    field.kind = Expression::Kind::field;
    field.text = name;
    call.operands.push_back(std::move(field));
  }
  EvalPipe eval;
  eval.items.push_back({std::move(call), to.text});
  return Pipe{std::move(eval)};
}

/// `fillnull with "none" (a, b)`; without `with`: 0.
Result<Pipe> QueryParser::parse_fill_null() {
  Expression filler;
  filler.text = "0";
  if (take_keyword("with")) {
    const Token text = peek(LexMode::value);
    if (!text.is_text()) return unexpected(text, "a value after \"with\"");
    take(text);
    const bool is_number = text.kind == TokenKind::word && parse_number(text.text) && !text.text.starts_with('+');
    filler.kind = is_number ? Expression::Kind::number : Expression::Kind::text;
    filler.text = text.text;
  }
  const Token first = peek();
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, parse_names());
  DENDRO_TRY(check_expression_names(names, first));
  EvalPipe eval;
  for (const std::string& name : names) {
    Token target = first;
    target.text = name;
    DENDRO_TRY(check_target(target));
    Expression field;
    field.kind = Expression::Kind::field;
    field.text = name;
    Expression call;
    call.kind = Expression::Kind::call;
    call.text = "coalesce";
    call.function = ScalarFunction::coalesce;
    call.operands = {std::move(field), filler};
    eval.items.push_back({std::move(call), name});
  }
  return Pipe{std::move(eval)};
}

/// `first 3 by (a, b desc)`: those that a sort puts first; `last`: the order turned round.
Result<Pipe> QueryParser::parse_ends(bool is_last, const Token& word) {
  const std::uint64_t count = take_optional_count().value_or(1);
  DENDRO_TRY_ASSIGN(Pipe pipe, parse_sort(word));
  auto& sort = std::get<SortPipe>(pipe);
  sort.limit = std::min(count, sort.limit.value_or(count));
  if (is_last) {
    for (SortKey& key : sort.keys) key.descending = !key.descending;
  }
  return pipe;
}

Result<Pipe> QueryParser::parse_grok() {
  ExtractRegexPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  DENDRO_TRY_ASSIGN(const Token text, take_string("a pattern"));
  const auto expression = expand_grok(text.text);
  if (!expression) return fail(text, expression.error().message());
  RegexFault found;
  auto regex = Regex::compile(*expression, &found);
  if (!regex) return fail(text, "bad pattern: " + found.message);
  pipe.regex = std::move(*regex);
  bool has_name = false;
  for (const std::string& name : pipe.regex->group_names()) {
    Token target = text;
    target.text = name;
    if (!name.empty()) DENDRO_TRY(check_target(target));
    has_name = has_name || !name.empty();
  }
  if (!has_name) return fail(text, "no place has a name; write %{IP:client}");
  DENDRO_TRY_ASSIGN(pipe.from, take_from());
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_text_pipe(TextPipe::Kind kind) {
  TextPipe pipe;
  pipe.kind = kind;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  if (kind == TextPipe::Kind::split) {
    DENDRO_TRY_ASSIGN(const Token separator, take_string("the text between the parts"));
    if (separator.text.empty()) return fail(separator, "an empty text separates nothing");
    pipe.separator = separator.text;
  }
  DENDRO_TRY_ASSIGN(pipe.at, take_optional_name("at", "body"));
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_pack() {
  PackPipe pipe;
  if (peek().kind == TokenKind::open_round) {
    DENDRO_TRY_ASSIGN(pipe.names, parse_name_patterns());
  }
  DENDRO_TRY_ASSIGN(pipe.to, take_optional_name("as", "body"));
  return Pipe{std::move(pipe)};
}

}  // namespace dendro
