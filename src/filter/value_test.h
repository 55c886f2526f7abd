#pragma once

#include <string>
#include <string_view>

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
  /// False: no number, boolean, time or empty object can match, whatever it is.
  bool may_match_non_text() const { return may_match_non_text_; }
  /// True if `value` is a plain number and the literal has a unit, so that it takes no part (warning `unit_mismatch`).
  bool is_unit_mismatch(const Value& value) const;
  bool has_unit() const { return has_unit_; }

 private:
  bool matches_scalar(const Value& value) const;
  void derive_required_text();

  Condition condition_;
  std::string required_text_;
  bool may_match_non_text_ = true;
  bool has_unit_ = false;
};

}  // namespace dendro
