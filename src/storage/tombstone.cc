#include "storage/tombstone.h"

#include <algorithm>

#include "filter/predicate_codec.h"

namespace dendro {

Result<std::shared_ptr<const Tombstone>> Tombstone::open(TombstoneInfo info) {
  Result<Predicate> predicate = decode_predicate(info.predicate);
  if (!predicate) return predicate.error().with_context("tombstone " + std::to_string(info.id.number()));
  return std::shared_ptr<const Tombstone>(new Tombstone(std::move(info), compile_filter(*predicate)));
}

void Tombstone::subtract(RecordBlock& block) const {
  std::vector<std::uint32_t> taken;
  for (const std::uint32_t row : block.rows) {
    if (block.sequence(row) <= info_.sequence && info_.range.contains(block.batch->timestamp(row))) {
      taken.push_back(row);
    }
  }
  if (taken.empty()) return;
  std::sort(taken.begin(), taken.end());
  filter_->select(*block.batch, taken);
  if (taken.empty()) return;
  std::erase_if(block.rows,
                [&taken](std::uint32_t row) { return std::binary_search(taken.begin(), taken.end(), row); });
}

void subtract_deleted(const TombstoneList* tombstones, RecordBlock& block) {
  if (tombstones == nullptr) return;
  for (const auto& tombstone : *tombstones) {
    if (block.rows.empty()) return;
    if (tombstone->may_take(block.batch->min_timestamp(), block.batch->max_timestamp(), SequenceNumber())) {
      tombstone->subtract(block);
    }
  }
}

}  // namespace dendro
