#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/strong_int.h"
#include "base/timestamp.h"
#include "record/record_sink.h"
#include "services/access/restricted_snapshot.h"
#include "services/audit/audit_filter.h"
#include "services/audit/audit_log.h"

namespace dendro {

/// What could not be taken, for the dead letters.
struct AuditDeadLetter {
  std::string reason;  ///< for people: which field, what is wrong
  std::string raw;     ///< as sent, its secrets masked
};

/// Logs of one request, kept whole or not at all.
struct AuditPut {
  TenantId tenant = TenantId::default_tenant();
  std::vector<AuditLog> logs;
  std::vector<AuditDeadLetter> dead_letters;  ///< with no logs, too: then the request only leaves these
  std::optional<BatchKey> key;                ///< of a retry: a repeat stores nothing
  Timestamp receive_time;
  std::string request_id;
};
struct AuditPutReply {
  bool replayed = false;
};

/// Whose logs are read, and what of them the reader may see. Implicitly made of a tenant: then everything.
struct AuditReader {
  AuditReader() = default;
  AuditReader(TenantId of_tenant, std::shared_ptr<const RecordRestriction> view = nullptr)  // NOLINT: implicit
      : tenant(std::move(of_tenant)), restriction(std::move(view)) {}

  TenantId tenant = TenantId::default_tenant();
  std::shared_ptr<const RecordRestriction> restriction;  ///< null: everything

  /// Equal of readers who see the same.
  std::pair<TenantId, std::string> key() const {
    return {tenant, restriction == nullptr ? std::string() : restriction->key};
  }
};

/// What every log has, by the names of its record.
inline constexpr std::string_view kWholeAuditFields[] = {"id", "action", "severity"};
inline constexpr std::string_view kPresentAuditFields[] = {"resource_type", "resource_id", "body"};
inline constexpr NeededFields kNeededAuditFields{kWholeAuditFields, kPresentAuditFields};

/// How far a page goes. Skip and cursor exclude each other.
struct AuditPageRequest {
  TenantId tenant = TenantId::default_tenant();
  std::shared_ptr<const RecordRestriction> restriction;  ///< null: everything is seen
  std::uint64_t skip = 0;
  std::uint64_t limit = 0;  ///< 1 or more
  std::string cursor;       ///< `next_cursor` of the page before, of the same filters; empty: from the newest
  Timestamp now;
  CancelToken cancel;
};
/// Newest first: timestamp descending, then the store's own stable tie-break.
template <typename Row>
struct AuditPage {
  std::vector<Row> rows;
  std::uint64_t total = 0;                 ///< that match, on all pages
  std::optional<std::string> next_cursor;  ///< nothing: this page is the last one
  bool is_complete = true;                 ///< false: stored logs that are damaged were left out
};

struct AuditStats {
  std::uint64_t total = 0;
  std::array<std::uint64_t, kAuditSeverityCount> by_severity{};
  std::array<std::uint64_t, kAuditActionCount> by_action{};
  std::map<std::string, std::uint64_t> by_resource_type;
  std::map<Timestamp, std::uint64_t> by_day;  ///< by the start of the UTC day; days without logs are not there
  bool is_complete = true;
};
/// Which statistics are wanted; `total` always is.
struct AuditStatsParts {
  bool severity = false, action = false, resource_type = false, day = false;
};

/// Logs that match, newest first, pulled one by one. Not thread-safe; calls may come from different threads one after
/// the other.
class AuditLogSource {
 public:
  virtual ~AuditLogSource() = default;
  /// Nothing at the end. May wait for the disk. Errors: cancelled, deadline_exceeded, corruption (something was left
  /// out), io_error; all of them final.
  virtual Result<std::optional<AuditLog>> next() = 0;
};

/// Place in the order in which a store takes logs, whatever their times; a later log has a higher one.
using StoredPlace = StrongInt<struct StoredPlaceTag, std::uint64_t>;
struct StoredAuditLog {
  StoredPlace place;
  AuditLog log;
};
struct StoredAuditLogs {
  std::vector<StoredAuditLog> logs;  ///< by rising place
  StoredPlace through;               ///< everything up to it has been looked at
  bool at_end = false;               ///< nothing more was stored then
};
/// How much of that is read at once: logs, and about how many bytes of them, but one log at least.
struct StoredPage {
  std::size_t logs_max = 0, bytes_max = 0;
};

/// Where audit logs live: the engine, MongoDB with OpenSearch. Everything is one tenant's and sees no other's.
/// Thread-safe; what is not said to be asynchronous blocks: call it on a worker.
class AuditStore {
 public:
  virtual ~AuditStore() = default;
  /// `done` is called exactly once, durable or failed, on any thread: post to your own loop, do not block. A log whose
  /// id is stored already is not stored again by a store that knows ids (not the engine: it knows retry keys).
  /// Errors: already_exists (same key, other content), too_large, resource_exhausted, unavailable, storage_full,
  /// io_error.
  virtual void put(AuditPut request, std::function<void(Result<AuditPutReply>)> done) = 0;
  /// Errors: invalid_argument (`cursor`), deadline_exceeded, resource_exhausted, cancelled, io_error; the same below.
  virtual Result<AuditPage<AuditLog>> list(const AuditPageRequest& request, const AuditFilter& filter) = 0;
  virtual Result<std::optional<AuditLog>> get(const AuditReader& reader, const std::string& id,
                                              const CancelToken& cancel) = 0;
  /// Errors: too_large as well (over kAuditResourceTypesMax).
  virtual Result<AuditStats> stats(const AuditReader& reader, const AuditFilter& filter, AuditStatsParts parts,
                                   const CancelToken& cancel) = 0;
  virtual Result<std::unique_ptr<AuditLogSource>> read_all(const AuditReader& reader, const AuditFilter& filter,
                                                           const CancelToken& cancel) = 0;
  /// How many logs are older than `cutoff`.
  virtual Result<std::uint64_t> count_older(const TenantId& tenant, Timestamp cutoff, const CancelToken& cancel) = 0;
  /// Deletes them; gives how many there were. New readers see none of them when this returns.
  virtual Result<std::uint64_t> delete_older(const TenantId& tenant, Timestamp cutoff) = 0;

  // ---- in the order of storing, for the stream ----
  /// Everything that is stored now lies at or before it.
  virtual Result<StoredPlace> newest_place(const TenantId& tenant) = 0;
  /// Of the log with this id; nothing if there is none that the reader sees.
  virtual Result<std::optional<StoredPlace>> place_of(const AuditReader& reader, const std::string& id) = 0;
  /// The first logs behind `after`; none, and not at_end, where much had to be passed over.
  virtual Result<StoredAuditLogs> read_stored(const AuditReader& reader, StoredPlace after, StoredPage page,
                                              const CancelToken& cancel) = 0;
  /// `on_stored` is called soon after a log of the tenant became readable, perhaps once for several, perhaps for
  /// nothing; from any thread, so it must neither block nor throw. Until what is returned is let go, and the call that
  /// is running then returned.
  [[nodiscard]] virtual std::shared_ptr<void> listen(const TenantId& tenant, std::function<void()> on_stored) = 0;
};

}  // namespace dendro
