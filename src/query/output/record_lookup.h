#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/snapshot.h"

namespace dendro {

/// `{"record":{..},"raw":"..","stream":{..}}` of the record with that `_id` (ui.md 11.4): the whole record as answers
/// show it, nothing clipped; as the JSON its sender wrote; and its labels. Nothing if the snapshot has no such record.
/// Errors: those of the snapshot.
Result<std::optional<std::string>> find_record_json(const Snapshot& snapshot, std::string_view id);

}  // namespace dendro
