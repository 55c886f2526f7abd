#pragma once

#include <memory>
#include <vector>

#include "record/record_block.h"
#include "storage/segment/piece_cache.h"
#include "storage/snapshot.h"
#include "storage/tenant_table.h"

namespace dendro {

/// The blocks of a view that a request asks for, one after the other. Holds the view and so all it reads. Not
/// thread-safe.
std::unique_ptr<BlockSource> make_store_scan(TenantView view, std::shared_ptr<PieceCache> cache, ScanRequest request);

/// A tenant's view as a Snapshot. The cache is shared so that a snapshot may outlive its store.
std::shared_ptr<const Snapshot> make_store_snapshot(const TenantId& tenant, TenantView view,
                                                    std::shared_ptr<PieceCache> cache);

}  // namespace dendro
