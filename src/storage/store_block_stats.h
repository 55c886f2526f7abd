#pragma once

#include <memory>

#include "storage/block_stats.h"
#include "storage/segment/piece_cache.h"
#include "storage/snapshot.h"
#include "storage/tenant_table.h"

namespace dendro {

/// The row groups of a view that a scan of the request would read, newest first; what is in memory has none.
std::unique_ptr<BlockStatsSource> make_store_block_stats(TenantView view, std::shared_ptr<PieceCache> cache,
                                                         ScanRequest request);

}  // namespace dendro
