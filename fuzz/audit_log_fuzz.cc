// What a client of the audit log may send: any text is a log or faults, and a log that was stored comes back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "services/audit/audit_draft.h"
#include "services/audit/audit_filter.h"
#include "services/audit/audit_record.h"
#include "services/audit/compact_json.h"

namespace {

void check_log(const dendro::AuditLog& log) {
  for (const auto* object : {&log.before_state, &log.after_state, &log.metadata}) {
    if (object->has_value()) DENDRO_CHECK(dendro::masked_json(**object) == **object);
  }
  dendro::BatchFiller filler(dendro::Timestamp{});
  dendro::add_audit_record(filler, log);
  filler.flush();
  const auto batch = filler.take_batch();
  DENDRO_CHECK(batch->size() == 1);
  DENDRO_CHECK(dendro::read_audit_record(batch->record(0)) == log);
  dendro::AuditFilter filter;
  filter.user_id = "x";
  (void)filter.matches(log);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  dendro::AuditDraftReader reader({});
  dendro::FieldFaults faults;
  if (const auto log = reader.read(text, {}, faults)) check_log(*log);
  const auto elements = dendro::read_audit_bulk(text, faults);
  if (!elements || !elements->has_value()) return 0;
  for (const std::string& element : **elements) {
    const std::string masked = dendro::masked_json(element);
    DENDRO_CHECK(dendro::masked_json(masked) == masked);
    if (const auto log = reader.read(element, 0, faults)) check_log(*log);
  }
  return 0;
}
