#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/time_zone.h"
#include "parse/text_arena.h"
#include "query/language/pipe_ast.h"
#include "query/rows/row_batch.h"

namespace dendro {

/// An expression of `eval` ready to be computed for rows of one shape (query-language.md 6.4, 8.6). Not thread-safe.
class ExpressionValue {
 public:
  virtual ~ExpressionValue() = default;
  /// Null where it has no value. Texts live in the row's batch or in `arena`.
  virtual Value compute(const RowBatch& rows, std::size_t index, TextArena& arena) = 0;
};
using ExpressionValuePtr = std::unique_ptr<ExpressionValue>;

/// `zone`: of the request, for time_part(); outlives the value.
ExpressionValuePtr make_expression_value(const Expression& expression, const RowShape& shape, const TimeZone& zone);

/// A scalar function of values; null where they are not what it takes.
struct ScalarCall {
  std::span<const Value> arguments;
  TextArena& arena;
  const TimeZone& zone;
};
Value call_number_function(ScalarFunction function, const ScalarCall& call);  // round floor ceil abs min max ln exp pow
Value call_text_function(ScalarFunction function, const ScalarCall& call);    // the others
/// Text that lives in the arena: text, or bytes where it is no UTF-8.
Value arena_text(TextArena& arena, std::string_view text);

/// `a op b` of numbers, exact where it fits 64 bits; null where one is no number, and for division by zero.
Value compute_arithmetic(Expression::Kind kind, const Value& a, const Value& b);

}  // namespace dendro
