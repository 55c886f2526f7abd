#pragma once

#include <string_view>

#include "parse/batch_filler.h"
#include "parse/rejected_record.h"

namespace dendro {

/// What is the same in every dead letter of a request.
struct DeadLetterOrigin {
  std::string_view dialect;
  std::string_view request_id;
};

/// Adds the dead letter of a record that was not taken (clients.md 2.2): label dendro.source="dead_letter", severity
/// warn, attributes dendro.reason, dendro.detail, dendro.dialect, dendro.raw (at most kMaxDeadLetterRawBytes; bytes if
/// it is no UTF-8), dendro.request_id. Its time is the receive time.
void add_dead_letter(BatchFiller& filler, const RejectedRecord& record, const DeadLetterOrigin& origin);

}  // namespace dendro
