// The pipes of the grammar that change rows, and the tables of names and values.
#include <algorithm>
#include <array>

#include "query/language/language_words.h"
#include "query/language/parser_state.h"
#include "query/language/regex_replacement.h"

namespace dendro {

Result<std::optional<Predicate>> QueryParser::parse_condition() {
  const Token word = peek();
  const Token opener = lexer_.lex(word.end(), LexMode::plain);
  if (!is_keyword(word, "if") || opener.kind != TokenKind::open_round) return std::optional<Predicate>();
  take(word);
  DENDRO_TRY_ASSIGN(Predicate condition, parse_group(nullptr));
  return std::optional<Predicate>(std::move(condition));
}

Result<std::string> QueryParser::take_optional_name(std::string_view word, std::string otherwise) {
  if (!take_keyword(word)) return otherwise;
  DENDRO_TRY_ASSIGN(const Token name, take_name("a name after \"" + std::string(word) + "\""));
  if (word == "from" || word == "at") note_use(name.text, name);
  if (word != "from") DENDRO_TRY(check_target(name));
  return name.text;
}

/// Of a name that a pipe gives a value.
Status QueryParser::check_target(const Token& token) {
  static constexpr std::array<std::string_view, 6> kFixed = {"_time",   "_observed", "_id",
                                                             "_stream", "_template", "_tenant"};
  if (std::find(kFixed.begin(), kFixed.end(), token.text) != kFixed.end())
    return fail(token, "\"" + token.text + "\" cannot be set; choose another name");
  return check_column(token);
}

Result<Pipe> QueryParser::parse_rename(bool copies) {
  RenamePipe pipe;
  pipe.copies = copies;
  for (;;) {
    DENDRO_TRY_ASSIGN(const Token from, take_name("the name of a field"));
    note_use(from.text, from);
    if (!copies) {
      if (const Status is_movable = check_target(from); !is_movable) {
        return fail(from, "\"" + from.text + "\" cannot be renamed; copy it");
      }
    }
    const Token as = peek();
    if (!take_keyword("as")) return unexpected(as, "\"as\" and a name");
    DENDRO_TRY_ASSIGN(const Token to, take_name("a name after \"as\""));
    DENDRO_TRY(check_target(to));
    pipe.items.push_back({from.text, to.text});
    const Token next = peek();
    if (next.kind != TokenKind::comma) return Pipe{std::move(pipe)};
    take(next);
  }
}

Result<Pipe> QueryParser::parse_eval() {
  EvalPipe pipe;
  for (;;) {
    const Token first = peek(LexMode::expression);
    DENDRO_TRY_ASSIGN(Expression expression, parse_expression());
    if (depth_ + printed_depth(expression) > kMaxQueryDepth)
      return fail(first, "nesting is deeper than " + std::to_string(kMaxQueryDepth));
    const Token as = peek();
    if (!is_keyword(as, "as")) {
      if (as.kind == TokenKind::bad) return unexpected(as, "\"as\" and a name");
      return fail(as, "expected \"as\" and a name", "", {"as"});
    }
    take(as);
    DENDRO_TRY_ASSIGN(const Token name, take_name("a name after \"as\""));
    DENDRO_TRY(check_target(name));
    pipe.items.push_back({std::move(expression), name.text});
    const Token next = peek();
    if (next.kind != TokenKind::comma) return Pipe{std::move(pipe)};
    take(next);
  }
}

Result<Token> QueryParser::take_string(std::string_view what) {
  const Token token = peek();
  if (token.kind == TokenKind::word) {
    return fail(token, "expected " + std::string(what) + " in quotes",
                with_part(token.offset, token.size, "\"" + token.text + "\""));
  }
  if (token.kind != TokenKind::string) return unexpected(token, std::string(what) + " in quotes");
  take(token);
  return token;
}

Result<Pipe> QueryParser::parse_extract() {
  ExtractPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  const Token text = peek();
  DENDRO_TRY(take_string("a pattern"));
  pipe.pattern = parse_placeholders(text.text);
  const bool has_name = std::any_of(pipe.pattern.places.begin(), pipe.pattern.places.end(),
                                    [](const PlaceholderText::Place& place) { return place.is_named(); });
  if (!has_name) return fail(text, "no <name> in the pattern");
  for (std::size_t i = 0; i < pipe.pattern.places.size(); ++i) {
    const PlaceholderText::Place& place = pipe.pattern.places[i];
    if (place.literal.empty() && i + 1 < pipe.pattern.places.size()) {
      return fail(text, "<" + place.name + "> and <" + pipe.pattern.places[i + 1].name + "> need text between them");
    }
    Token target = text;
    target.text = place.name;
    if (place.is_named()) DENDRO_TRY(check_target(target));
  }
  DENDRO_TRY_ASSIGN(pipe.from, take_from());
  return Pipe{std::move(pipe)};
}

/// `from name`, or body.
Result<std::string> QueryParser::take_from() {
  return take_optional_name("from", "body");
}

Result<Pipe> QueryParser::parse_extract_regex() {
  ExtractRegexPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  const Token text = peek();
  if (text.kind == TokenKind::word) DENDRO_TRY(take_string("a regular expression"));
  if (!text.is_text()) return unexpected(text, "a regular expression in quotes");
  DENDRO_TRY_ASSIGN(pipe.regex, take_regex(text));
  bool has_name = false;
  for (const std::string& name : pipe.regex->group_names()) {
    Token target = text;
    target.text = name;
    if (!name.empty()) DENDRO_TRY(check_target(target));
    has_name = has_name || !name.empty();
  }
  if (!has_name) return fail(text, "no group has a name; write (?P<name>..)");
  DENDRO_TRY_ASSIGN(pipe.from, take_from());
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_unpack(std::optional<UnpackFormat> format) {
  UnpackPipe pipe;
  if (!format) {
    const Token word = peek();
    const auto named = word.kind == TokenKind::word ? find_unpack_format(fold_keyword(word.text)) : std::nullopt;
    if (!named) return unexpected(word, "a format (json, logfmt, kv, csv, syslog, cef, xml)");
    take(word);
    format = named;
  }
  pipe.format = *format;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  DENDRO_TRY_ASSIGN(pipe.from, take_from());
  if (take_keyword("fields")) {
    const std::size_t uses_before = uses_.size();
    DENDRO_TRY_ASSIGN(pipe.fields, parse_name_patterns());
    uses_.resize(uses_before);  // names inside the unpacked text, not of the record
  }
  if (take_keyword("prefix")) {
    const Token prefix = peek();
    if (!prefix.is_text()) return unexpected(prefix, "a text after \"prefix\"");
    take(prefix);
    pipe.prefix = prefix.text;
  }
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_format() {
  FormatPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  const Token text = peek();
  DENDRO_TRY(take_string("a text"));
  pipe.pattern = parse_placeholders(text.text);
  for (const PlaceholderText::Place& place : pipe.pattern.places) {
    if (place.is_named()) note_use(place.name, text);
  }
  DENDRO_TRY_ASSIGN(pipe.to, take_optional_name("as", "body"));
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_replace(bool by_regex) {
  ReplacePipe pipe;
  DENDRO_TRY_ASSIGN(pipe.condition, parse_condition());
  const Token opener = peek();
  if (opener.kind != TokenKind::open_round) return unexpected(opener, "\"(\"");
  take(opener);
  const Token from = peek();
  if (by_regex && from.kind == TokenKind::string) {
    DENDRO_TRY_ASSIGN(pipe.regex, take_regex(from));
  } else {
    DENDRO_TRY_ASSIGN(const Token text, take_string(by_regex ? "a regular expression" : "the text to replace"));
    if (text.text.empty()) return fail(text, "an empty text stands everywhere; give the text to replace");
    pipe.from = text.text;
  }
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(const Token to, take_string("the replacement"));
  pipe.to = to.text;
  if (by_regex) {
    if (auto replacement = RegexReplacement::make(pipe.regex, pipe.to); !replacement)
      return fail(to, replacement.error().message());
  }
  DENDRO_TRY(take_list_closer(opener));
  DENDRO_TRY_ASSIGN(pipe.at, take_optional_name("at", "body"));
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_unroll(const Token& word) {
  const Token by = peek();
  if (!take_keyword("by"))
    return fail(by, "expected \"by\" after \"" + word.text + "\"", with_part(by.offset, 0, "by "), {"by"});
  const Token first = peek();
  UnrollPipe pipe;
  DENDRO_TRY_ASSIGN(pipe.names, parse_names());
  for (const std::string& name : pipe.names) {
    Token target = first;
    target.text = name;
    DENDRO_TRY(check_target(target));
  }
  return Pipe{std::move(pipe)};
}

Result<Pipe> QueryParser::parse_field_values() {
  DENDRO_TRY_ASSIGN(const Token name, take_name("the name of a field"));
  note_use(name.text, name);
  return Pipe{FieldValuesPipe{name.text}};
}

}  // namespace dendro
