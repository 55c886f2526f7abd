#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "query/plan/query_engine.h"
#include "services/audit/audit_store.h"
#include "storage/store.h"

namespace dendro {

/// What became of a use.
enum class UseOutcome : std::uint8_t { allowed, denied, failed };
std::string_view use_outcome_name(UseOutcome outcome);

/// What entries say of native routes beyond what those of the audit log service do (five-systems.md 4.7).
struct UseDetail {
  std::string principal_kind;  ///< "api_key", "token", "user", "certificate", "anonymous"
  std::string method;
  UseOutcome outcome = UseOutcome::allowed;
  int status = 0;              ///< of the reply
  std::string result_id;       ///< `id` of what was made; empty: nothing, or it has none
  std::string peer_address;    ///< of the connection, where a trusted proxy forwarded the request; else empty
  std::uint64_t left_out = 0;  ///< refusals before this one that were only counted (refusal_budget.h)
};

/// One use of what a tenant has stored: who, what, when, from where, with which question.
struct AccessEntry {
  TenantId tenant = TenantId::default_tenant();
  Timestamp timestamp;
  std::optional<std::string> user_id;   ///< Principal::id; nothing where nobody is asked who they are
  std::optional<std::string> token_id;  ///< Principal::token_id
  std::string action;                   ///< the route's operation_id: "list_logs"
  std::string resource_path;            ///< "/api/v1/logs"
  std::vector<std::pair<std::string, std::string>> query_params;  ///< as asked; secrets are the recorder's to mask
  std::string ip_address;
  std::string request_id;
  std::optional<UseDetail> detail;  ///< nothing in entries of the audit log service
};

/// Keeps what was used. Thread-safe.
class AccessRecorder {
 public:
  virtual ~AccessRecorder() = default;
  /// `done` is called exactly once, durable or failed, on any thread: post to your own loop, do not block. The reply to
  /// the caller waits for it. Errors: those of RecordSink::append.
  virtual void record(AccessEntry entry, std::function<void(Status)> done) = 0;
};

/// An entry as it is answered.
struct AccessTrailRow {
  std::string id;  ///< 24 hex digits
  AccessEntry entry;
  std::string query_params_json;  ///< instead of entry.query_params
};
/// `{"id":..,"timestamp":..,"tenant_id":..,"user_id":..,"token_id":..,"action":..,"resource_path":..,"query_params":{..},
/// "ip_address":..,"request_id":..}` and, with a detail, `"principal_kind","method","outcome","status"` and those of
/// `"result_id","peer_address","left_out"` that say something.
void append_access_row_json(std::string& out, const AccessTrailRow& row);

inline std::size_t page_row_bytes(const AccessTrailRow& row) {
  return row.query_params_json.size() + row.entry.resource_path.size();
}

/// Which entries are asked for; both times inclusive.
struct AccessFilter {
  std::optional<std::string> user_id, action, ip_address, request_id;
  std::optional<Timestamp> start, end;
};

/// Where entries live.
class AccessTrail : public AccessRecorder {
 public:
  /// Errors: as AuditStore::list.
  virtual Result<AuditPage<AccessTrailRow>> list(const AuditPageRequest& request, const AccessFilter& filter) = 0;
};

/// `dendro.source` of the records that entries are in the engine.
inline constexpr std::string_view kAccessTrailSource = "audit_trail";
/// Entries as ordinary records of the engine: label dendro.source="audit_trail", severity info, every field an
/// attribute of its name, the parameters one JSON text (their names are anybody's). The arguments outlive it.
std::unique_ptr<AccessTrail> make_engine_access_trail(Store& store, const Clock& clock, RandomSource& random,
                                                      QueryLimits limits = {});

/// The parameters as a JSON object, a name that stands several times with a list; values of secret names as "***".
/// Values beyond kTrailValueBytesMax, or that pass kTrailParamsBytesMax together, are cut and end with U+2026.
std::string access_params_json(const std::vector<std::pair<std::string, std::string>>& params);

}  // namespace dendro
