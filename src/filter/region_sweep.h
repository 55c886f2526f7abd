#pragma once

#include <cstdint>
#include <string_view>

#include "filter/text_pattern.h"
#include "record/record_batch.h"

namespace dendro {

/// Tells, for ascending rows of a batch, whether a text stands among the record's stored bytes. One memmem runs over
/// the values of many records at once, so that a rare text costs next to nothing a record. Borrows both.
class RegionSweep {
 public:
  /// @param dense  most rows will be asked about, so that searching on beyond the row at hand pays.
  RegionSweep(const RecordBatch& batch, std::string_view needle, bool dense)
      : batch_(&batch), needle_(needle), dense_(dense) {
    const std::string_view last = batch.record(batch.size() - 1).value_bytes();
    const char* first = batch.record(0).value_bytes().data();
    values_ = std::string_view(first, static_cast<std::size_t>(last.data() + last.size() - first));
  }

  /// True if the needle stands wholly inside the record's value bytes (which also hold lengths and numbers: it may be
  /// chance).
  bool may_contain(std::uint32_t row) {
    const std::string_view own = batch_->record(row).value_bytes();
    if (!dense_) return find_literal(own, needle_) != std::string_view::npos;
    const auto first = static_cast<std::size_t>(own.data() - values_.data());
    if (next_hit_ == kUnknown || next_hit_ < first) {
      next_hit_ = find_literal(values_, needle_, first);
      if (next_hit_ == std::string_view::npos) next_hit_ = values_.size();
    }
    return next_hit_ + needle_.size() <= first + own.size();
  }

 private:
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);
  const RecordBatch* batch_;
  std::string_view needle_;
  bool dense_;
  std::string_view values_;
  std::size_t next_hit_ = kUnknown;
};

}  // namespace dendro
