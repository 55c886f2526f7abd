#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "filter/record_filter.h"
#include "identity/principal.h"
#include "services/access/record_redactor.h"
#include "storage/snapshot.h"

namespace dendro {

/// What of a tenant's records a caller may see: rows by a filter, and fields. Immutable; thread-safe.
struct RecordRestriction {
  std::shared_ptr<const RecordFilter> rows;  ///< null: every row
  RecordRedactor fields{{}, {}};
  std::string key;  ///< equal of restrictions that say the same; empty: nothing is restricted

  bool restricts_nothing() const { return rows == nullptr && fields.changes_nothing(); }
};

/// Fields that every record of a service's answer has.
struct NeededFields {
  std::span<const std::string_view> whole;    ///< they can neither be left out nor be masked
  std::span<const std::string_view> present;  ///< they cannot be left out
};
/// Whether a service whose answers need these fields can answer at all. Errors: permission_denied, naming the field.
Status check_needed_fields(const RecordRestriction& restriction, const NeededFields& needed);

/// The restriction that the roles of `access` make; `now` is what relative times in its filters count from. Who has no
/// right to the trail of reads does not see its records among the others either.
/// Errors: invalid_argument (a filter that is none: it then lets nothing through, and the caller must refuse).
Result<RecordRestriction> make_record_restriction(const Access& access, Timestamp now);

/// Leaves of a block what may be seen. False: nothing of it.
bool restrict_block(const RecordRestriction& restriction, RecordBlock& block);

/// `base` as a caller under the restriction sees it: whatever is asked of it, by filter, statistics, context or id, is
/// answered from the rows and fields it may see, so that a hidden field cannot be found by searching for it either.
/// `base` itself where nothing is restricted.
std::shared_ptr<const Snapshot> restrict_snapshot(std::shared_ptr<const Snapshot> base, RecordRestriction restriction);

}  // namespace dendro
