#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

/// Why a record was not taken (clients.md 2.2). Never its schema.
enum class RejectReason : std::uint8_t {
  parse_error,
  record_too_large,
  too_old,
  too_new,
  name_too_long,
  unsupported_action,
  id_conflict,
};
/// "parse_error": the value of dendro.reason and of `reason` in replies.
std::string_view reject_reason_name(RejectReason reason);

/// A reason and a text for people: what is wrong, where, the numbers.
struct RejectCause {
  RejectReason reason = RejectReason::parse_error;
  std::string detail;
};

/// One record that was not taken.
struct RejectedRecord {
  std::uint64_t index = 0;  ///< among the records of the input, from 0
  RejectCause cause;
  std::string_view raw;  ///< its bytes, perhaps only the front of them; borrowed, valid during the call
};

}  // namespace dendro
