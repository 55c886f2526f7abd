#pragma once

#include <cstdint>
#include <string_view>

#include "filter/text_pattern.h"
#include "filter/value_test.h"
#include "record/record_batch.h"

namespace dendro {

/// Tells, for ascending rows of a batch, whether a text stands among the record's stored bytes. One search runs over
/// the values of many records at once, so that a rare text costs next to nothing a record. Borrows both.
class RegionSweep {
 public:
  /// Looks for what the test requires, as it is or folded.
  /// @param dense  most rows will be asked about, so that searching on beyond the row at hand pays.
  RegionSweep(const RecordBatch& batch, const ValueTest& test, bool dense)
      : batch_(&batch), needle_(test.required_text()), folded_(&test.required_folded()), dense_(dense) {
    const std::string_view last = batch.record(batch.size() - 1).value_bytes();
    const char* first = batch.record(0).value_bytes().data();
    values_ = std::string_view(first, static_cast<std::size_t>(last.data() + last.size() - first));
  }

  /// False: the test requires no text, so there is nothing to look for.
  bool has_needle() const { return !needle_.empty() || !folded_->text().empty(); }

  /// True if the needle stands wholly inside the record's value bytes (which also hold lengths and numbers: it may be
  /// chance).
  bool may_contain(std::uint32_t row) {
    const std::string_view own = batch_->record(row).value_bytes();
    if (!dense_) return find(own, 0) != std::string_view::npos;
    const auto first = static_cast<std::size_t>(own.data() - values_.data());
    if (next_hit_ == kUnknown || next_hit_ < first) {
      next_hit_ = find(values_, first);
      if (next_hit_ == std::string_view::npos) next_hit_ = values_.size();
    }
    return next_hit_ < values_.size() && next_hit_ + hit_bytes_ <= first + own.size();
  }

 private:
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);

  std::size_t find(std::string_view bytes, std::size_t first) {
    hit_bytes_ = needle_.size();
    return needle_.empty() ? find_folded(bytes, *folded_, first, &hit_bytes_) : find_literal(bytes, needle_, first);
  }

  const RecordBatch* batch_;
  std::string_view needle_;
  const FoldedNeedle* folded_;
  bool dense_;
  std::string_view values_;
  std::size_t next_hit_ = kUnknown;
  std::size_t hit_bytes_ = 0;
};

}  // namespace dendro
