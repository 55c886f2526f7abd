#include "server/routes/caller_restriction.h"

#include <utility>

#include "base/log.h"

namespace dendro {

Result<std::shared_ptr<const RecordRestriction>> restriction_of(const Access* access, Timestamp now,
                                                                std::string_view request_id) {
  if (access == nullptr) return std::shared_ptr<const RecordRestriction>();
  auto restriction = make_record_restriction(*access, now);
  if (!restriction) {
    log(LogLevel::error, "server", "a role's row filter cannot be read: its holders see nothing",
        {{"request_id", std::string(request_id)}, {"reason", restriction.error().message()}});
    return Error(ErrorCode::permission_denied, "a row filter of the caller's roles cannot be read");
  }
  if (restriction->restricts_nothing()) return std::shared_ptr<const RecordRestriction>();
  return std::make_shared<const RecordRestriction>(std::move(*restriction));
}

Result<std::shared_ptr<const RecordRestriction>> restriction_of(const HttpRequest& request,
                                                                const NeededFields& needed) {
  // What only keeps the trail of reads from it does not matter: that is another source.
  const bool is_restricted = request.access != nullptr && request.access->restricts_reading();
  if (!is_restricted) return std::shared_ptr<const RecordRestriction>();
  DENDRO_TRY_ASSIGN(auto restriction, restriction_of(request.access.get(), request.received, request.request_id));
  if (restriction != nullptr) DENDRO_TRY(check_needed_fields(*restriction, needed));
  return restriction;
}

Result<AuditReader> audit_reader_of(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(auto restriction, restriction_of(request, kNeededAuditFields));
  return AuditReader(request.tenant, std::move(restriction));
}

}  // namespace dendro
