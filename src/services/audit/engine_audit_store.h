#pragma once

#include <memory>

#include "base/clock.h"
#include "query/plan/query_engine.h"
#include "services/audit/audit_store.h"
#include "services/audit/limits.h"
#include "storage/store.h"

namespace dendro {

struct EngineAuditOptions {
  QueryLimits limits = {};  ///< of each reading
  std::size_t resource_types_max = kAuditResourceTypesMax;
};

/// Audit logs as ordinary records of the engine (audit_record.h): creation commits straight to the WAL, filters become
/// predicates of the scan, statistics are the engine's; ties of a time go by sequence number, and so does the stream.
/// `store` and `clock` outlive it.
std::unique_ptr<AuditStore> make_engine_audit_store(Store& store, const Clock& clock, EngineAuditOptions options = {});

}  // namespace dendro
