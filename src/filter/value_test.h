#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "filter/literal_set.h"
#include "filter/predicate.h"
#include "record/value.h"

namespace dendro {

/// A Condition ready to be asked about values. Immutable; thread-safe; borrows nothing.
class ValueTest {
 public:
  explicit ValueTest(Condition condition);

  /// True if a present value satisfies the condition; a list does if any scalar element does.
  bool matches(const Value& value) const;
  /// What a record without the field gets.
  bool matches_missing() const { return std::holds_alternative<Empty>(condition_); }

  /// Text that stands, byte by byte, in every stored text, byte string or number text that matches; empty if there is
  /// no such text. Lists may hold it in escaped form.
  std::string_view required_text() const { return required_text_; }
  /// The same for text that stands there folded (record/fold.h); an empty needle if there is none. At most one of the
  /// two is given, and this one is UTF-8.
  const FoldedNeedle& required_folded() const { return required_folded_; }
  /// False: no number, boolean, time or empty object can match, whatever it is.
  bool may_match_non_text() const { return may_match_non_text_; }
  /// True if `value` is a plain number and the literal has a unit, so that it takes no part (warning `unit_mismatch`).
  bool is_unit_mismatch(const Value& value) const;
  bool has_unit() const { return has_unit_; }

 private:
  bool matches_scalar(const Value& value) const;
  void derive_required_text();
  void require_pattern(const TextPattern& pattern);

  Condition condition_;
  LiteralSet literals_;                ///< of OneOf
  std::vector<PatternTest> patterns_;  ///< those of the condition, in its order
  std::string required_text_;
  FoldedNeedle required_folded_;
  bool may_match_non_text_ = true;
  bool has_unit_ = false;
};

}  // namespace dendro
