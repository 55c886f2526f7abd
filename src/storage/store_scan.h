#pragma once

#include <memory>
#include <vector>

#include "base/worker_pool.h"
#include "record/record_block.h"
#include "storage/segment/piece_cache.h"
#include "storage/snapshot.h"
#include "storage/tenant_table.h"

namespace dendro {

/// What scans need beside their view. Shared, so that a snapshot may outlive its store.
struct ScanResources {
  std::shared_ptr<PieceCache> cache;
  std::shared_ptr<WorkerPool> helpers = nullptr;  ///< threads that work ahead of scans; null: none do
};

/// The blocks of a view that a request asks for, one after the other. Holds the view and so all it reads. Not
/// thread-safe; what the request holds is used by the helpers' threads while this lives.
std::unique_ptr<BlockSource> make_store_scan(TenantView view, ScanResources resources, ScanRequest request);

/// A tenant's view as a Snapshot.
std::shared_ptr<const Snapshot> make_store_snapshot(const TenantId& tenant, TenantView view, ScanResources resources);

}  // namespace dendro
