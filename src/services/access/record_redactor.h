#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "record/record_batch_builder.h"
#include "record/record_block.h"

namespace dendro {

/// Takes fields out of records before anything else sees them. A name means the field and what lies below it: `user`
/// is also `user.email`. `body` is the body, whatever its sender called it. What may hold such a field inside goes
/// whole: a list or a JSON text above it (`user` of `user.email`), the rest of a record with too many fields, what was
/// sent of one that was refused. Immutable; thread-safe.
class RecordRedactor {
 public:
  RecordRedactor(std::vector<std::string> hidden, std::vector<std::string> masked)
      : hidden_(std::move(hidden)), masked_(std::move(masked)) {}

  bool changes_nothing() const { return hidden_.empty() && masked_.empty(); }
  bool touches(std::string_view field) const;
  /// The field is left out.
  bool hides(std::string_view field) const;
  /// The block's rows, and nothing else of its batch, without what is hidden, with "***" for what is masked. Weights
  /// are not taken: the block must be of a scan without reduction.
  RecordBlock redact(const RecordBlock& block) const;

 private:
  enum class Fate : std::uint8_t { kept, masked, hidden };
  Fate fate_of(std::string_view field, const Value& value) const;
  void append(RecordBatchBuilder& builder, const RecordView& record) const;
  const std::vector<std::string> hidden_, masked_;
};

}  // namespace dendro
