#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/timestamp.h"

namespace dendro {

/// The words of flags and query parameters, one rule for both (five-systems.md 2.5).

/// A decimal integer in [0, 2^63), no sign but an optional "+".
std::optional<std::uint64_t> parse_threshold(std::string_view text);
/// True for text that is an integer of any sign and size: tells "-1" from "abc".
bool is_integer_text(std::string_view text);
/// RFC 3339 with or without zone (then UTC), a date alone (its first moment), or an epoch number.
std::optional<Timestamp> parse_since(std::string_view text);
/// true/false, 1/0, yes/no, on/off, t/f, y/n in any case.
std::optional<bool> parse_boolean_word(std::string_view text);

/// Whether a caller may name the bucket: some glob of `allowed` matches it; a file:/// bucket must stand there word for
/// word.
bool is_bucket_allowed(std::string_view bucket, std::span<const std::string> allowed);

}  // namespace dendro
