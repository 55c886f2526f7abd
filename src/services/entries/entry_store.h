#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "record/record_sink.h"
#include "services/access/restricted_snapshot.h"
#include "services/entries/entry.h"

namespace dendro {

/// An entry that is to be kept.
struct NewEntry {
  TenantId tenant = TenantId::default_tenant();
  std::string log_id;
  EntrySeverity severity = EntrySeverity::info;
  std::string message;
  Timestamp receive_time;
  std::optional<BatchKey> key;  ///< of a retry; `log_id` is then derived from it, so that a replay names the same entry
};

/// What was kept, now or the first time.
struct KeptEntry {
  std::int64_t timestamp_ms = 0;
  bool replayed = false;
};

/// What every entry has, by the names of its record.
inline constexpr std::string_view kWholeEntryFields[] = {"severity"};
inline constexpr std::string_view kPresentEntryFields[] = {"logId", "body"};
inline constexpr NeededFields kNeededEntryFields{kWholeEntryFields, kPresentEntryFields};

struct EntryQuery {
  TenantId tenant = TenantId::default_tenant();
  std::size_t limit = kDefaultRecentEntries;
  std::optional<EntrySeverity> severity;
  std::string cursor;  ///< `next` of an earlier page; empty: from the newest
  /// What of the entries the reader may see; null: everything. A store that cannot restrict refuses: permission_denied.
  std::shared_ptr<const RecordRestriction> restriction;
  CancelToken cancel;
};

/// Newest first: timestamp descending, then the store's own stable tie-break.
struct EntryPage {
  std::vector<Entry> entries;
  std::optional<std::string> next;  ///< cursor of the next page; nothing: this is the last one
};

/// Where entries live: the engine, DynamoDB. Thread-safe.
class EntryStore {
 public:
  virtual ~EntryStore() = default;
  /// `done` is called exactly once, durable or failed, on any thread: post to your own loop, do not block.
  /// Errors: already_exists (same key, other content), resource_exhausted, unavailable, storage_full, io_error.
  virtual void put(NewEntry entry, std::function<void(Result<KeptEntry>)> done) = 0;
  /// Blocks. Errors: invalid_argument (not one of our cursors), not_found (no such table), unavailable, io_error,
  /// cancelled.
  virtual Result<EntryPage> read_recent(const EntryQuery& query) = 0;
};

}  // namespace dendro
