#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "filter/predicate.h"

namespace dendro {

/// First byte of an encoded predicate; nodes that are new get new numbers, a change of meaning gets a new version.
inline constexpr std::uint8_t kPredicateCodecVersion = 1;
/// Nesting that is read; a query's is bounded far below.
inline constexpr int kPredicateDepthMax = 200;

/// The tree as bytes, for files (docs/formats/predicate.md).
std::string encode_predicate(const Predicate& predicate);
/// The same tree again. Errors: corruption; unimplemented (of a later version).
Result<Predicate> decode_predicate(std::string_view bytes);

}  // namespace dendro
