#pragma once

#include <functional>
#include <memory>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "filter/record_filter.h"

namespace dendro {

enum class RemovalCause : std::uint8_t { request, stream_rule, day_retention, tenant };

/// Records that are about to go: those of the tenant inside the range, stored by now, that the filter takes.
struct Removal {
  TenantId tenant;
  TimeRange range;
  std::shared_ptr<const RecordFilter> filter;  ///< null: every one
  RemovalCause cause = RemovalCause::request;
};

/// Hears of each removal before it is decided, and may keep it from happening now by an error. What it gives is let go
/// once the removal is visible to readers, or has failed. May wait for the disk and read the store; called without any
/// of the store's locks, on the thread of whoever removes.
using RemovalWitness = std::function<Result<std::shared_ptr<void>>(const Removal&)>;

}  // namespace dendro
