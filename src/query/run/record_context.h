#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"
#include "storage/snapshot.h"

namespace dendro {

struct RecordContextOptions {
  std::size_t before = 10, after = 10;  ///< records on either side
  std::uint64_t clip_bytes = 4096;      ///< as in QueryRequest
  CancelToken cancel;
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
};

/// `{"before":[..],"record":{..},"after":[..],"more":{"before":true,"after":false}}`: the record with that `_id` and
/// its neighbours of the same stream, oldest first, as answers show them. Nothing if the snapshot has no such record.
/// Errors: those of the snapshot; cancelled; deadline_exceeded.
Result<std::optional<std::string>> find_record_context_json(const Snapshot& snapshot, std::string_view id,
                                                            const RecordContextOptions& options, const Clock& clock);

}  // namespace dendro
