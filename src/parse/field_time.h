#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/timestamp.h"
#include "record/value.h"

namespace dendro {

/// The instant a leaf's value stands for (clients.md 2.7): RFC 3339 text, an epoch number or digits by size, decimals
/// as seconds. Nothing if it is none of these or out of Timestamp's range.
std::optional<Timestamp> time_of_value(const Value& value, std::int32_t default_offset_s);

/// `value` as a `time` value if it is text in canonical form (printed back byte for byte from `instant`), else itself.
Value as_time_value(const Value& value, Timestamp instant);

}  // namespace dendro
