#include "storage/tombstone_log.h"

#include <algorithm>

namespace dendro {

Result<TombstoneInfo> add_tombstone(SharedManifest& manifest, TenantTable& tenants, const Clock& clock,
                                    TombstoneInfo info, const std::vector<TombstoneId>& superseded) {
  // The counter of segments serves: it is durable and never goes back. Stores of earlier versions counted deletions by
  // themselves.
  const TombstoneId taken(manifest.take_segment_id().number());
  info.created = clock.now();
  std::shared_ptr<const Tombstone> tombstone;
  const auto prepare = [&](const ManifestState& state, SharedManifest::Change& change) -> Status {
    info.id = state.tombstones.empty() ? taken : std::max(taken, state.tombstones.rbegin()->first.next());
    info.sequence = change.last_sequence = tenants.last_sequence();
    DENDRO_TRY_ASSIGN(tombstone, Tombstone::open(info));
    change.edits.emplace_back(info);
    for (const TombstoneId id : superseded) {
      if (state.tombstones.contains(id)) change.edits.emplace_back(TombstoneDone{id});
    }
    return {};
  };
  const auto publish = [&] {
    tenants.add_tombstone(tombstone);
    for (const TombstoneId id : superseded) tenants.remove_tombstone(info.tenant, id);
  };
  DENDRO_TRY(manifest.change(prepare, publish));
  return info;
}

}  // namespace dendro
