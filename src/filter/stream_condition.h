#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "filter/predicate.h"
#include "record/shape.h"

namespace dendro {

/// A condition on nothing but the labels of a record's stream. Immutable; thread-safe.
class StreamCondition {
 public:
  virtual ~StreamCondition() = default;
  virtual bool accepts(const Stream& stream) const = 0;
};
using StreamConditionPtr = std::shared_ptr<const StreamCondition>;

/// `{name="text"}`, `{name=~"re"}`.
class LabelCondition final : public StreamCondition {
 public:
  explicit LabelCondition(const LabelTest& test);
  explicit LabelCondition(const LabelMatch& test);

  bool accepts(const Stream& stream) const override;
  /// @param text  of the label; "" where a record has none.
  bool accepts_text(std::string_view text) const { return accepts_text_(text); }
  const std::string& name() const { return name_; }

 private:
  const std::string name_;
  const std::function<bool(std::string_view)> accepts_text_;
};

/// Every stream but those of dead letters (D12).
class LivingCondition final : public StreamCondition {
 public:
  bool accepts(const Stream& stream) const override;
};

}  // namespace dendro
