#pragma once

#include <functional>
#include <memory>

#include "base/ids.h"
#include "base/result.h"
#include "record/record_sink.h"
#include "services/entries/entry_store.h"
#include "storage/snapshot.h"

namespace dendro {

using SnapshotFunction = std::function<Result<std::shared_ptr<const Snapshot>>(const TenantId&)>;

/// Entries as ordinary records: label dendro.source="entries", severity 9/13/17, body = message, attribute `logId`, the
/// severity word as severity text. Ties of a millisecond go by sequence number. `sink` and what `snapshot` calls
/// outlive the store.
std::unique_ptr<EntryStore> make_engine_entry_store(RecordSink& sink, SnapshotFunction snapshot);

}  // namespace dendro
