// The pipes of the grammar but stats.
#include <charconv>

#include "query/language/language_words.h"
#include "query/language/parser_state.h"

namespace dendro {
namespace {

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, count);
  return !text.empty() && result.ec == std::errc() && result.ptr == end ? std::optional(count) : std::nullopt;
}

}  // namespace

Result<Pipe> QueryParser::parse_pipe() {
  const Token word = peek();
  if (word.kind != TokenKind::word) return unexpected(word, "a pipe");
  const std::string folded = fold_keyword(word.text);
  const auto pipe = find_pipe_word(folded);
  // `| count() by (f)`: stats without its name.
  const bool is_call = word.end() < query().size() && query()[word.end()] == '(';
  if ((!pipe || is_call) && find_stat_word(folded)) return parse_stats();
  if (!pipe) {
    const std::string_view near = nearest_name(folded, all_pipe_words());
    return fail(word, "unknown pipe \"" + word.text + "\"",
                near.empty() ? "" : with_part(word.offset, word.size, near));
  }
  take(word);
  switch (*pipe) {
    case PipeWord::where: {
      DENDRO_TRY_ASSIGN(Predicate filter, parse_filter(nullptr));
      return Pipe{WherePipe{std::move(filter)}};
    }
    case PipeWord::fields:
      return parse_fields(false);
    case PipeWord::drop:
      return parse_fields(true);
    case PipeWord::limit:
      return Pipe{LimitPipe{take_optional_count().value_or(10)}};
    case PipeWord::offset: {
      DENDRO_TRY_ASSIGN(const std::uint64_t count, take_count(word.text));
      return Pipe{OffsetPipe{count}};
    }
    case PipeWord::sort:
      return parse_sort(word);
    case PipeWord::uniq:
      return parse_uniq();
    case PipeWord::top:
      return parse_top(false);
    case PipeWord::rare:
      return parse_top(true);
    case PipeWord::stats:
      return parse_stats();
    case PipeWord::rename:
      return parse_rename(false);
    case PipeWord::copy:
      return parse_rename(true);
    case PipeWord::eval:
      return parse_eval();
    case PipeWord::extract:
      return parse_extract();
    case PipeWord::extract_regex:
      return parse_extract_regex();
    case PipeWord::unpack:
      return parse_unpack(std::nullopt);
    case PipeWord::unpack_json:
      return parse_unpack(UnpackFormat::json);
    case PipeWord::unpack_logfmt:
      return parse_unpack(UnpackFormat::logfmt);
    case PipeWord::format:
      return parse_format();
    case PipeWord::replace:
      return parse_replace(false);
    case PipeWord::replace_regex:
      return parse_replace(true);
    case PipeWord::unroll:
      return parse_unroll(word);
    case PipeWord::field_names:
      return Pipe{FieldNamesPipe{}};
    case PipeWord::field_values:
      return parse_field_values();
    case PipeWord::facets:
      return Pipe{FacetsPipe{take_optional_count().value_or(10)}};
    case PipeWord::pattern:
      return parse_pattern();
    case PipeWord::trace:  // parse_body sees to it
      break;
    default:
      return parse_extended_pipe(*pipe, word);
  }
  return not_built(word, "the pipe \"" + folded + "\"");
}

Result<Token> QueryParser::take_name(std::string_view what) {
  const Token token = peek();
  if (!token.is_text() || token.text.empty()) return unexpected(token, std::string(what));
  take(token);
  return token;
}

std::optional<std::uint64_t> QueryParser::take_optional_count() {
  const Token token = peek();
  const auto count = token.kind == TokenKind::word ? parse_count(token.text) : std::nullopt;
  if (count) take(token);
  return count;
}

Result<std::uint64_t> QueryParser::take_count(std::string_view after) {
  const Token token = peek();
  const auto count = take_optional_count();
  if (!count) return unexpected(token, "a whole number after \"" + std::string(after) + "\"");
  return *count;
}

Result<std::vector<NamePattern>> QueryParser::parse_name_patterns() {
  const Token opener = peek();
  const bool in_brackets = opener.kind == TokenKind::open_round;
  if (in_brackets) take(opener);
  std::vector<NamePattern> names;
  for (;;) {
    if (const Token star = peek(); star.kind == TokenKind::star) {
      take(star);
      names.push_back({"", true});
    } else {
      DENDRO_TRY_ASSIGN(const Token name, take_name("the name of a field"));
      const Token behind = peek();
      const bool is_prefix = behind.kind == TokenKind::star && is_adjacent(behind);
      if (is_prefix) take(behind);
      if (!is_prefix) note_use(name.text, name);
      names.push_back({name.text, is_prefix});
    }
    const Token next = peek();
    if (next.kind != TokenKind::comma) break;
    take(next);
  }
  if (in_brackets) DENDRO_TRY(take_list_closer(opener));
  return names;
}

Result<std::vector<std::string>> QueryParser::parse_names() {
  const Token first = peek();
  DENDRO_TRY_ASSIGN(const std::vector<NamePattern> patterns, parse_name_patterns());
  std::vector<std::string> names;
  for (const NamePattern& pattern : patterns) {
    if (pattern.is_prefix) return fail(first, "whole names are needed here, not \"" + pattern.name + "*\"");
    names.push_back(pattern.name);
  }
  return names;
}

Result<Pipe> QueryParser::parse_fields(bool drops) {
  DENDRO_TRY_ASSIGN(std::vector<NamePattern> names, parse_name_patterns());
  return Pipe{FieldsPipe{std::move(names), drops}};
}

Result<Pipe> QueryParser::parse_sort(const Token& word) {
  const Token by = peek();
  if (!take_keyword("by"))
    return fail(by, "expected \"by\" after \"" + word.text + "\"", with_part(by.offset, 0, "by "), {"by"});
  const Token opener = peek();
  const bool in_brackets = opener.kind == TokenKind::open_round;
  if (in_brackets) take(opener);
  SortPipe sort;
  for (;;) {
    DENDRO_TRY_ASSIGN(const Token name, take_name("the name of a field"));
    note_use(name.text, name);
    const bool descending = take_keyword("desc");
    if (!descending) take_keyword("asc");
    sort.keys.push_back({name.text, descending});
    const Token next = peek();
    if (next.kind != TokenKind::comma) break;
    take(next);
  }
  if (in_brackets) DENDRO_TRY(take_list_closer(opener));
  if (take_keyword("limit")) {
    DENDRO_TRY_ASSIGN(const std::uint64_t limit, take_count("limit"));
    sort.limit = limit;
  }
  return Pipe{std::move(sort)};
}

Result<Pipe> QueryParser::parse_uniq() {
  const Token by = peek();
  if (!take_keyword("by")) return fail(by, "expected \"by\" after \"uniq\"", with_part(by.offset, 0, "by "), {"by"});
  UniqPipe uniq;
  DENDRO_TRY_ASSIGN(uniq.names, parse_names());
  if (take_keyword("with")) {
    const Token hits = peek();
    if (!take_keyword("hits")) return unexpected(hits, "\"hits\" after \"with\"");
    uniq.with_hits = true;
  }
  return Pipe{std::move(uniq)};
}

Result<Pipe> QueryParser::parse_top(bool rarest) {
  TopPipe top;
  top.rarest = rarest;
  top.count = take_optional_count().value_or(10);
  take_keyword("by");
  DENDRO_TRY_ASSIGN(top.names, parse_names());
  return Pipe{std::move(top)};
}

}  // namespace dendro
