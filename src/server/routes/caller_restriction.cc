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

}  // namespace dendro
