#pragma once

#include <string_view>

#include "parse/batch_filler.h"
#include "record/record_batch.h"
#include "services/audit/audit_log.h"

namespace dendro {

/// `dendro.source` of the records that audit logs are in the engine.
inline constexpr std::string_view kAuditSource = "audit";

/// Adds a log as an ordinary record: label dendro.source="audit", body = message, severity 9/13/17/21, every other
/// field an attribute of its name, members of the three objects under dotted paths (`metadata.user_id`). The tenant is
/// not in it. What an object holds too deep, too long or twice to be flat stays one JSON text under the object's name;
/// what a search could not find then stands in `metadata_text` as well, and `metadata.user_id` under its own name.
void add_audit_record(BatchFiller& filler, const AuditLog& log);

/// The log that add_audit_record made the record of, but for its tenant.
AuditLog read_audit_record(const RecordView& record);

}  // namespace dendro
