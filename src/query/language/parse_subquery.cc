// Queries inside a query, and filters that were saved under a name.
#include "query/language/parser_state.h"

namespace dendro {
namespace {

/// Saved filters may name others, a few levels deep.
constexpr int kMaxSavedDepth = 10;

}  // namespace

bool QueryParser::is_subquery(const Token& opener) const {
  int depth = 1;
  for (std::size_t at = opener.end(); depth > 0;) {
    const Token token = lexer_.lex(at, LexMode::value);
    switch (token.kind) {
      case TokenKind::bar:
        if (depth == 1) return true;
        break;
      // One count for both: a range may open with one kind and close with the other.
      case TokenKind::open_round:
      case TokenKind::open_square:
        ++depth;
        break;
      case TokenKind::close_round:
      case TokenKind::close_square:
        --depth;
        break;
      case TokenKind::end:
      case TokenKind::bad:
        return false;
      default:
        break;
    }
    at = token.end();
  }
  return false;
}

Result<std::size_t> QueryParser::parse_subquery(const Token& opener, Subquery::Use use) {
  const DepthGuard guard(depth_);
  DENDRO_TRY(check_depth(opener));
  // What belongs to the query around it waits meanwhile.
  std::vector<Subquery> outer_subqueries = std::move(subqueries_);
  std::vector<FieldUse> outer_uses = std::move(uses_);
  std::vector<QueryPart> outer_regexes = std::move(unindexed_regexes_);
  const std::size_t outer_pipe = pipe_index_;
  subqueries_.clear();
  uses_.clear();
  unindexed_regexes_.clear();
  pipe_index_ = 0;
  DENDRO_TRY_ASSIGN(ParsedQuery inner, parse_body(TokenKind::close_round));
  pipe_index_ = outer_pipe;
  uses_ = std::move(outer_uses);
  unindexed_regexes_ = std::move(outer_regexes);
  subqueries_ = std::move(outer_subqueries);
  const Token closer = peek();
  if (closer.kind != TokenKind::close_round)
    return fail(opener, "this \"(\" is never closed", std::string(query()) + ")", {")"});
  take(closer);
  Subquery sub{std::make_shared<const ParsedQuery>(std::move(inner)), use, {}};
  sub.text = to_text(*sub.query);
  subqueries_.push_back(std::move(sub));
  if (++subquery_count_ > kMaxSubqueries)
    return fail(opener, "the query holds more than " + std::to_string(kMaxSubqueries) + " others");
  return subqueries_.size() - 1;
}

Result<Condition> QueryParser::parse_in_query(const Token& opener) {
  DENDRO_TRY_ASSIGN(const std::size_t number, parse_subquery(opener, Subquery::Use::values));
  --at_;  // the closing bracket is the caller's
  return in_condition(number);
}

/// The values of a query inside, as far as they are known.
Condition QueryParser::in_condition(std::size_t number) {
  const std::string& text = subqueries_[number].text;
  const SubqueryValues* values = options_.subquery_values;
  if (values != nullptr) {
    if (const auto known = values->find(text); known != values->end()) {
      Condition condition(known->second);
      subqueries_.pop_back();
      return condition;
    }
  }
  return Condition(InQuery{text, number});
}

Result<ParsedQuery> QueryParser::trace_of(ParsedQuery parsed, const Token& word) {
  take(word);
  FieldsPipe fields;
  fields.names.push_back({"trace_id", false});
  parsed.pipes.push_back(std::move(fields));
  parsed.pipe_words.push_back({word.offset, word.size});
  parsed.uses = std::move(uses_);
  parsed.unindexed_regexes = std::move(unindexed_regexes_);
  parsed.subqueries = std::move(subqueries_);
  uses_.clear();
  unindexed_regexes_.clear();
  subqueries_.clear();
  ParsedQuery whole;
  whole.filter_place = parsed.filter_place;
  whole.filter_parts = parsed.filter_parts;
  Subquery sub{std::make_shared<const ParsedQuery>(std::move(parsed)), Subquery::Use::values, {}};
  sub.text = to_text(*sub.query);
  subqueries_.push_back(std::move(sub));
  pipe_index_ = 0;
  whole.filter = Predicate{FieldTest{"trace_id", in_condition(0)}};
  return whole;
}

Result<Predicate> QueryParser::parse_saved_filter() {
  const Token name = peek();
  if (options_.saved_filters == nullptr) {
    return fail(name, "saved filters ($name) are not known here; text that starts with \"$\" needs quotes");
  }
  const auto text = options_.saved_filters->find(name.text.substr(1));
  if (!text) return fail(name, "no saved filter \"" + name.text + "\"");
  if (saved_depth_ >= kMaxSavedDepth) {
    return fail(name, "saved filters name each other more than " + std::to_string(kMaxSavedDepth) + " deep");
  }
  take(name);
  QueryFault inner_fault;
  QueryParser inner(*text, options_, inner_fault);
  inner.saved_depth_ = saved_depth_ + 1;
  inner.depth_ = depth_ + 1;
  auto parsed = inner.parse();
  if (!parsed) return fail(name, "the saved filter \"" + name.text + "\": " + inner_fault.detail());
  if (!parsed->pipes.empty()) return fail(name, "\"" + name.text + "\" is no filter, it has pipes");
  if (!parsed->subqueries.empty())
    return fail(name, "\"" + name.text + "\" holds a query inside in( ), which a saved filter cannot");
  for (const FieldUse& use : parsed->uses) note_use(use.name, name);
  return std::move(parsed->filter);
}

}  // namespace dendro
