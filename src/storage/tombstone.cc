#include "storage/tombstone.h"

#include <algorithm>

#include "filter/predicate_codec.h"
#include "storage/limits.h"

namespace dendro {

Result<std::string> encode_tombstone_predicate(const Predicate& predicate) {
  bool is_decidable = true;
  for_each_field(predicate, [&is_decidable](std::string_view field) {
    if (field == "_id" || field == "_observed") is_decidable = false;
  });
  if (!is_decidable) {
    return Error(ErrorCode::invalid_argument, "records cannot be deleted by _id or _observed: name their content");
  }
  std::string encoded = encode_predicate(predicate);
  if (encoded.size() > kMaxTombstonePredicateBytes) {
    return Error(ErrorCode::invalid_argument, "the filter of a deletion takes " + std::to_string(encoded.size()) +
                                                  " bytes, at most " + std::to_string(kMaxTombstonePredicateBytes) +
                                                  " are kept: delete in several steps");
  }
  DENDRO_TRY_ASSIGN(const Predicate again, decode_predicate(encoded));
  if (!(again == predicate)) return Error(ErrorCode::internal, "a filter does not survive being stored");
  return encoded;
}

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
