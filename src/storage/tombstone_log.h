#pragma once

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/shared_manifest.h"
#include "storage/tenant_table.h"
#include "storage/tombstone.h"

namespace dendro {

/// Makes a deletion durable, then visible to readers that come. It takes what was acknowledged before; `id`, `sequence`
/// and `created` of `info` are filled in here. An id is given once in the life of a store.
///
/// @param superseded  live tombstones that take nothing which this one does not take: they end with the same edit.
/// Errors: corruption, unimplemented (the predicate), and those of SharedManifest::change.
Result<TombstoneInfo> add_tombstone(SharedManifest& manifest, TenantTable& tenants, const Clock& clock,
                                    TombstoneInfo info, const std::vector<TombstoneId>& superseded = {});

}  // namespace dendro
