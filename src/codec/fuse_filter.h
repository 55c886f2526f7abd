#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// 8-bit fingerprints give 1/256 = 0.39 % false positives and take, besides the head, 9.0 bits a key at 1,000,000 keys,
/// 9.3 at 100,000, 9.8 at 10,000, 11.3 at 1,000, 12.8 at 100, 19 at 10.
/// Source: T. Graf, D. Lemire, Binary Fuse Filters: Fast and Smaller Than Xor Filters, JEA 27, 2022 (3-wise; segment
/// lengths and size factors start from theirs). Measured in tests/codec/fuse_filter_test.cc.
inline constexpr int kFuseFingerprintBits = 8;
/// Building takes about 50 bytes of memory a key; a set larger than this is a mistake.
inline constexpr std::size_t kFuseKeysMax = std::size_t{1} << 28;
/// Bytes in front of the fingerprints.
inline constexpr std::size_t kFuseHeadBytes = 17;

struct FuseFilterOptions {
  /// Changes which seeds are tried. They also depend on the keys, so that no set of keys can be made to fail all of
  /// them by somebody who knows this number.
  std::uint64_t seed = 0;
  /// The first four seeds get less room than later ones. Measured: one of the first fails for up to 30 % of the sets
  /// (of 100,000 keys), one of the later for up to 5 % (of 20 keys); 64 in a row do not happen.
  int attempts_max = 64;
};

/// The filter's bytes. A pure function: the same set of keys, in any order, repeated or not, gives the same bytes.
///
/// @param keys  hashes: any distribution will do (they are mixed again), but two texts of one hash are one key.
/// Bytes, little-endian: key_count:u32 seed:u64 segment_log2:u8 segment_count:u32 fingerprints:u8 * n,
/// n = (segment_count + 2) << segment_log2; no keys: all of it 0, n = 0. The segment parameters follow from the count
/// by logarithms; they are stored so that no reader's logarithm has to agree with the writer's.
///
/// Errors: too_large (over kFuseKeysMax different keys), internal (attempts_max seeds failed).
Result<std::string> build_fuse_filter(std::span<const std::uint64_t> keys, const FuseFilterOptions& options = {});

/// A filter read where it lies. Borrows its bytes; immutable, so any thread may ask.
class FuseFilterView {
 public:
  /// `bytes` is one filter exactly. Errors: corruption (head cut off; parameters or size that do not fit). Damaged
  /// fingerprints cannot be told: a checksum around them must.
  static Result<FuseFilterView> parse(std::string_view bytes);

  /// False: surely not in the set. True: in the set, or one in 256. Reads three bytes.
  bool may_contain(std::uint64_t key) const;
  /// Different keys the filter was built from.
  std::uint32_t key_count() const { return key_count_; }

 private:
  FuseFilterView() = default;
  std::string_view fingerprints_;
  std::uint64_t seed_ = 0;
  std::uint32_t key_count_ = 0;
  std::uint32_t segment_length_ = 0;
  std::uint32_t segment_count_ = 0;
};

}  // namespace dendro
