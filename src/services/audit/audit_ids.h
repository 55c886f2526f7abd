#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/random.h"
#include "base/timestamp.h"

namespace dendro {

/// Makes ids of logs in the form of a MongoDB ObjectId: seconds since 1970, five bytes of the process, a counter of
/// three. Thread-safe.
class AuditIdSource {
 public:
  explicit AuditIdSource(RandomSource& random);
  std::string next(Timestamp accepted);

 private:
  std::array<std::uint8_t, 5> process_{};
  std::atomic<std::uint32_t> counter_;
};

/// The id of the log at `index` of a request with a retry key: the same for each repeat.
std::string derived_audit_id(const Bytes16& key_id, std::uint64_t index);
/// The `message_id` that stands for a log's id: a UUID v4, the same for each repeat and each reader.
std::string audit_message_id(std::string_view id);
/// `text` in lower case if it is 24 hex digits; otherwise empty.
std::string parse_audit_id(std::string_view text);

}  // namespace dendro
