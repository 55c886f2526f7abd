#include "query/language/parser_state.h"

#include "base/utf8.h"
#include "query/language/language_words.h"

namespace dendro {

bool QueryParser::is_keyword(const Token& token, std::string_view word) const {
  return token.kind == TokenKind::word && token.text.size() == word.size() && fold_keyword(token.text) == word;
}

bool QueryParser::take_keyword(std::string_view word) {
  const Token token = peek();
  if (!is_keyword(token, word)) return false;
  take(token);
  return true;
}

Error QueryParser::fail(Place place, std::string message, std::string suggestion, std::vector<std::string> expected) {
  fault_ = fault_at(query(), place.offset, place.size, std::move(message));
  fault_.expected = std::move(expected);
  fault_.suggestion = std::move(suggestion);
  return fault_.to_error();
}

Error QueryParser::not_built(const Token& token, const std::string& what) {
  fail(token, what + " is not built yet");
  fault_.code = ErrorCode::unimplemented;
  return fault_.to_error();
}

Error QueryParser::unexpected(const Token& token, const std::string& expected, std::string suggestion) {
  if (token.kind == TokenKind::bad) {
    return fail(token, token.problem, token.repair.empty() ? "" : with_part(token.offset, token.size, token.repair));
  }
  if (token.kind == TokenKind::end) {
    return fail(token, "expected " + expected + ", the query ends here", std::move(suggestion), {expected});
  }
  return fail(token,
              "expected " + expected + ", found \"" + std::string(query().substr(token.offset, token.size)) + "\"",
              std::move(suggestion), {expected});
}

Status QueryParser::take_list_closer(const Token& opener) {
  const Token closer = peek();
  if (closer.kind == TokenKind::end) {
    return fail(opener, "this \"(\" is never closed", std::string(query()) + ")", {")"});
  }
  if (closer.kind != TokenKind::close_round) return unexpected(closer, "\",\" or \")\"");
  take(closer);
  return {};
}

std::string QueryParser::with_part(std::size_t offset, std::size_t size, std::string_view text) const {
  std::string changed(query().substr(0, offset));
  changed += text;
  changed += query().substr(offset + size);
  return changed;
}

Status QueryParser::check_depth(const Token& token) {
  if (depth_ <= kMaxQueryDepth) return {};
  return fail(token, "nesting is deeper than " + std::to_string(kMaxQueryDepth));
}

void QueryParser::note_use(std::string_view field, const Token& token) {
  uses_.push_back({std::string(field), token.offset, token.size, pipe_index_});
}

Result<ParsedQuery> QueryParser::parse() {
  return parse_body(TokenKind::end);
}

/// Up to `closer`, which is left.
Result<ParsedQuery> QueryParser::parse_body(TokenKind closer) {
  ParsedQuery parsed;
  const Token first = peek();
  if (first.kind != closer && first.kind != TokenKind::end && first.kind != TokenKind::bar) {
    if (closer == TokenKind::end) parts_ = &parsed.filter_parts;
    DENDRO_TRY_ASSIGN(parsed.filter, parse_filter(nullptr));
    parsed.filter_place = {first.offset, at_ - first.offset};
  }
  for (;;) {
    const Token token = peek();
    if (token.kind == closer || token.kind == TokenKind::end) break;
    if (token.kind == TokenKind::close_round)
      return fail(token, "this \")\" was never opened", with_part(token.offset, 1, ""));
    if (token.kind != TokenKind::bar) return unexpected(token, "a filter or \"|\"");
    take(token);
    if (++pipe_index_ > kMaxQueryPipes) {
      return fail(token, "the query has more than " + std::to_string(kMaxQueryPipes) + " pipes");
    }
    const Token word = peek();
    if (is_keyword(word, "trace")) {
      DENDRO_TRY_ASSIGN(parsed, trace_of(std::move(parsed), word));
      continue;
    }
    DENDRO_TRY_ASSIGN(Pipe pipe, parse_pipe());
    parsed.pipes.push_back(std::move(pipe));
    parsed.pipe_words.push_back({word.offset, word.size});
  }
  parsed.uses = std::move(uses_);
  parsed.unindexed_regexes = std::move(unindexed_regexes_);
  parsed.subqueries = std::move(subqueries_);
  return parsed;
}

Result<ParsedQuery> parse_query(std::string_view query, const ParseOptions& options, QueryFault& fault) {
  fault = QueryFault();
  if (query.size() > kMaxQueryBytes) {
    fault.message = "the query has " + std::to_string(query.size()) + " bytes, at most " +
                    std::to_string(kMaxQueryBytes) + " are read";
    return fault.to_error();
  }
  if (!is_valid_utf8(query)) {
    fault.message = "the query is not UTF-8";
    return fault.to_error();
  }
  auto parsed = QueryParser(query, options, fault).parse();
  if (parsed.has_value() || fault.suggestion.empty()) return parsed;
  // A suggestion must parse itself (section 10); one that only meets what is not built yet may stand.
  QueryFault second;
  if (!QueryParser(fault.suggestion, options, second).parse().has_value() && second.code != ErrorCode::unimplemented) {
    fault.suggestion.clear();
  }
  return parsed;
}

}  // namespace dendro
