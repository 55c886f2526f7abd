#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "storage/manifest_edit.h"
#include "storage/tenant_table.h"

namespace dendro {

/// The retry keys that the manifest must keep for a tenant once `gone` are listed no more: those of its window, of
/// `gone` and of what it kept before. Nothing: what it keeps is right already. Pure.
///
/// @param now  of the wall clock.
std::optional<RetryKeys> collect_retry_keys(const TenantId& tenant, const ManifestState& state, const SegmentList& gone,
                                            Timestamp now, std::chrono::nanoseconds window);

}  // namespace dendro
