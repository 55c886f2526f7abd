#pragma once

#include <cstddef>

namespace dendro {

/// Rules of a tenant: a bit each in what a field is masked by.
inline constexpr std::size_t kMaskRulesMax = 64;
inline constexpr std::size_t kMaskRuleFieldsMax = 64;
inline constexpr std::size_t kMaskRuleFieldBytesMax = 256;
inline constexpr std::size_t kMaskRuleNameBytesMax = 32;
inline constexpr std::size_t kMaskRuleRegexBytesMax = 1'024;
inline constexpr unsigned kMaskKeepLastMax = 8;
/// A longer value is masked instead of tokenized: its token would be longer still.
inline constexpr std::size_t kTokenizedBytesMax = 4'096;
/// Of one request to unmask: each is a line of the trail.
inline constexpr std::size_t kUnmaskTokensMax = 100;

}  // namespace dendro
