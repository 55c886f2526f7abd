#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/language/language_words.h"
#include "query/language/lexer.h"
#include "query/language/query_parser.h"

namespace dendro {

/// The recursive descent over one query. Inside of query_parser; split over parse_*.cc by the part of the grammar.
/// Every method that returns an Error has filled the fault.
class QueryParser {
 public:
  QueryParser(std::string_view query, const ParseOptions& options, QueryFault& fault)
      : lexer_(query), options_(options), fault_(fault) {}
  Result<ParsedQuery> parse();

 private:
  /// The field that the tests inside `field:` or `field:( )` are about.
  struct Scope {
    std::string field;
  };
  struct Place {
    std::size_t offset = 0, size = 0;
  };
  /// Counts nested brackets and negations.
  class DepthGuard {
   public:
    explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;

   private:
    int& depth_;
  };

  // parser_state.cc: tokens and faults
  Token peek(LexMode mode = LexMode::plain) const { return lexer_.lex(at_, mode); }
  void take(const Token& token) { at_ = token.end(); }
  bool is_adjacent(const Token& token) const { return token.offset == at_ && token.kind != TokenKind::end; }
  bool is_keyword(const Token& token, std::string_view word) const;
  /// Takes the token if it is the keyword.
  bool take_keyword(std::string_view word);
  std::string_view query() const { return lexer_.query(); }
  Error fail(Place place, std::string message, std::string suggestion = {}, std::vector<std::string> expected = {});
  Error fail(const Token& token, std::string message, std::string suggestion = {},
             std::vector<std::string> expected = {}) {
    return fail(Place{token.offset, token.size}, std::move(message), std::move(suggestion), std::move(expected));
  }
  Error not_built(const Token& token, const std::string& what);
  /// `expected a filter, the query ends here`, or what was found.
  Error unexpected(const Token& token, const std::string& expected, std::string suggestion = {});
  /// Takes the ")" that ends a list begun at `opener`.
  Status take_list_closer(const Token& opener);
  /// The query with a part replaced.
  std::string with_part(std::size_t offset, std::size_t size, std::string_view text) const;
  Status check_depth(const Token& token);
  void note_use(std::string_view field, const Token& token);

  // parse_filter.cc: filter, conj, unary, primary, labels
  Result<Predicate> parse_filter(const Scope* scope);
  /// `wanted`, if given, gets each of the conditions.
  Result<Predicate> parse_conjunction(const Scope* scope, std::vector<FilterPart>* wanted);
  Result<Predicate> parse_unary(const Scope* scope);
  Result<Predicate> parse_primary(const Scope* scope);
  Result<Predicate> parse_group(const Scope* scope);
  Result<Predicate> parse_labels();
  Result<Predicate> parse_label();
  Result<Predicate> parse_scoped(const Token& name);
  bool starts_unary(const Token& token) const;
  Error digit_name_fault(const Token& name);
  Error missing_operand(const Token& found, std::size_t keep_until);

  // parse_test.cc: test, pattern, range, call
  Result<Predicate> parse_test(const Scope* scope);
  Result<Predicate> parse_pattern(const Scope* scope);
  Result<Predicate> parse_equals(const Scope* scope, bool negated);
  Result<Predicate> parse_comparison(const Scope* scope);
  Result<Predicate> parse_range(const Scope* scope);
  Result<Predicate> parse_regex(const Scope* scope, bool negated);
  /// The expression at hand, compiled; its faults point into it.
  Result<std::shared_ptr<const Regex>> take_regex(const Token& op);
  Status check_bare_regex(const Token& word);
  /// `[ "*" ] text [ "*" ]` as an argument.
  Result<TextPattern> take_pattern_argument();

  // parse_call.cc: functions of filters
  Result<Predicate> parse_call(const Scope* scope);
  Error unknown_function(const Scope* scope, const Token& name);
  Result<Condition> parse_arguments(FilterFunction function, const Token& opener);
  Result<Condition> parse_in(const Token& opener);
  Result<Condition> parse_fold();
  Result<std::vector<TextPattern>> parse_patterns();
  Result<Condition> parse_length_range();
  Result<std::uint64_t> take_length();
  Result<Condition> parse_ip();
  Result<Condition> parse_string_range();
  Result<Condition> parse_type();
  Result<Condition> parse_placeholder_match();
  Result<Condition> parse_near();
  Result<Predicate> parse_field_comparison(const Scope* scope, FieldOrder order, const Token& name);
  Status check_bare_operator(const Token& word);
  Error star_inside(const Token& first, const Token& star);
  /// A word or string where a literal must stand.
  Result<Token> take_literal_token(std::string_view after);
  Literal literal_of(const Token& token) const;
  Result<Predicate> make_test(const Scope* scope, Condition condition, Place place);

  // parse_subquery.cc: queries inside a query, saved filters
  /// True if what stands behind an opening bracket holds a "|" before the bracket closes.
  bool is_subquery(const Token& opener) const;
  /// A whole query up to the ")" that closes `opener`, which is taken. The number is its place among the sub-queries.
  Result<std::size_t> parse_subquery(const Token& opener, Subquery::Use use);
  Result<Condition> parse_in_query(const Token& opener);
  Condition in_condition(std::size_t number);
  Result<Predicate> parse_saved_filter();
  Result<ParsedQuery> parse_body(TokenKind closer);

  // parse_special.cc: severity and time
  Result<Predicate> make_severity_test(const std::string& field, const Condition& condition, Place place);
  Result<std::uint32_t> severity_numbers(const Literal& literal, Place place);
  Result<std::uint32_t> severity_numbers_against(CompareOp op, const Literal& literal, Place place);
  Result<Predicate> parse_when(const std::string& field);
  Result<Predicate> parse_when_word(const std::string& field, bool negated);
  Result<Predicate> parse_when_comparison(const std::string& field);
  Result<Predicate> parse_when_range(const std::string& field);
  Result<Predicate> parse_clock_range(const std::string& field, ClockTest::Cycle cycle);
  Result<TimeRange> parse_clock_time(ClockTest::Cycle cycle);
  Result<TimeRange> parse_instant_token(std::string_view after);
  Error not_a_time(const Token& token);
  struct RangeBrackets {
    bool includes_first = true, includes_last = true;
  };
  /// `[`, `range[` or `range(`.
  Result<bool> take_range_start(RangeBrackets& brackets);
  Status take_range_comma();
  Status take_range_end(RangeBrackets& brackets, const Token& opener);
  bool starts_range(const Token& token) const;

  // parse_pipe.cc
  Result<Pipe> parse_pipe();
  Result<Pipe> parse_fields(bool drops);
  Result<Pipe> parse_sort(const Token& word);
  Result<Pipe> parse_uniq();
  Result<Pipe> parse_top(bool rarest);
  Result<std::vector<NamePattern>> parse_name_patterns();
  Result<std::vector<std::string>> parse_names();
  Result<Token> take_name(std::string_view what);
  Result<std::uint64_t> take_count(std::string_view after);
  std::optional<std::uint64_t> take_optional_count();

  // parse_row_pipe.cc
  /// `if (filter)`, if it stands there.
  Result<std::optional<Predicate>> parse_condition();
  /// `word name`, or `otherwise`.
  Result<std::string> take_optional_name(std::string_view word, std::string otherwise);
  Result<std::string> take_from();
  Status check_target(const Token& token);
  Result<Token> take_string(std::string_view what);
  Result<Pipe> parse_rename(bool copies);
  Result<Pipe> parse_eval();
  Result<Pipe> parse_extract();
  Result<Pipe> parse_extract_regex();
  Result<Pipe> parse_unpack(std::optional<UnpackFormat> format);
  Result<Pipe> parse_format();
  Result<Pipe> parse_replace(bool by_regex);
  Result<Pipe> parse_unroll(const Token& word);
  Result<Pipe> parse_field_values();

  // parse_extended_pipe.cc
  Result<Pipe> parse_extended_pipe(PipeWord pipe, const Token& word);
  Result<Pipe> parse_dedup(const Token& word);
  Result<Pipe> parse_join(const Token& word);
  Result<Pipe> parse_union(bool appends);
  Status check_expression_names(const std::vector<std::string>& names, const Token& first);
  Result<Pipe> parse_coalesce();
  Result<Pipe> parse_fill_null();
  Result<Pipe> parse_ends(bool is_last, const Token& word);
  Result<Pipe> parse_grok();
  Result<Pipe> parse_text_pipe(TextPipe::Kind kind);
  Result<Pipe> parse_pack();
  /// The names behind `by`, in brackets or not.
  Result<std::vector<std::string>> parse_by_names(std::string_view pipe);
  /// Everything so far becomes a query inside `trace_id:in( )`.
  Result<ParsedQuery> trace_of(ParsedQuery parsed, const Token& word);

  // parse_analysis_pipe.cc
  Result<Pipe> parse_analysis_pipe(PipeWord pipe, const Token& word);
  Result<Pipe> parse_flatten();
  Result<Pipe> parse_lookup();
  Result<Pipe> parse_geoip();
  Result<Pipe> parse_transaction();
  Status parse_transaction_option(TransactionPipe& pipe, const Token& word);
  Result<Pipe> parse_with_stats(bool is_running);
  Result<Pipe> parse_delta();
  Result<Pipe> parse_timechart(const Token& word);
  Result<Pipe> parse_fill_gaps();
  Result<Pipe> parse_compare();
  Result<Pipe> parse_pattern();
  Result<Pipe> parse_histogram();
  Result<Pipe> parse_series(SeriesPipe::Kind kind);
  Result<Pipe> parse_correlate();
  /// `by (a, b)`, if it stands there.
  Result<std::vector<std::string>> parse_optional_by();

  // parse_expression.cc
  Result<Expression> parse_expression();
  Result<Expression> parse_term();
  Result<Expression> parse_factor();
  Result<Expression> parse_number_factor(const Token& token, std::string_view sign);
  Result<Expression> parse_conditional();
  Result<Expression> parse_scalar_call();
  Status check_chain(int links, const Token& op);

  // parse_stats.cc
  Result<Pipe> parse_stats();
  Result<std::vector<GroupKey>> parse_groups(bool in_brackets);
  Result<GroupKey> parse_group_key();
  Result<Bucket> parse_bucket(std::string_view field);
  Result<std::vector<Aggregate>> parse_aggregates();
  Result<Aggregate> parse_aggregate();
  Status parse_aggregate_arguments(Aggregate& aggregate, const StatWord& word, const Token& name);
  Status parse_aggregate_numbers(Aggregate& aggregate, const StatWord& word);
  Status parse_window(GroupKey& key, const Token& word);
  struct Duration {
    std::int64_t ns = 0;
    std::string text;
  };
  /// One above 0.
  Result<Duration> take_duration(std::string_view after);
  Status check_column(const Token& token);
  static void name_columns(StatsPipe& stats);

  Lexer lexer_;
  const ParseOptions& options_;
  QueryFault& fault_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t pipe_index_ = 0;
  std::vector<FilterPart>* parts_ = nullptr;  ///< of the filter that comes next, if anybody wants them
  int saved_depth_ = 0;                       ///< saved filters inside saved filters
  std::vector<Subquery> subqueries_;
  std::size_t subquery_count_ = 0;
  std::vector<FieldUse> uses_;
  std::vector<QueryPart> unindexed_regexes_;
};

}  // namespace dendro
