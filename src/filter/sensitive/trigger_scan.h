#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dendro {

/// Where it is worth to look closely. Few bytes of ordinary logs are one of these.
enum class Trigger : std::uint8_t {
  card,     ///< a run of digits begins: eight of them, or four, a separator and four
  phone,    ///< `+1`, or three digits, a separator, three, a separator, four, perhaps the first three in parentheses
  ssn,      ///< a run of digits begins: 3-2-4
  dot,      ///< the first dot of `1.2.3` within a few bytes
  colons,   ///< `::`, or a run of fifteen hex digits and colons begins, one of which stands in its front
  pairs,    ///< a run of hex digits begins: `aa:bb:cc:` or `aa-bb-cc-`
  at,       ///< `@`
  iban,     ///< a word begins: two capitals, two digits, one more
  uuid,     ///< a run of hex digits begins: eight, a hyphen, four, a hyphen
  letters,  ///< three letters that a credential or its name begins with, or `%40`
};
inline constexpr std::size_t kTriggerCount = 10;

/// A bit a trigger.
using TriggerSet = unsigned;
constexpr TriggerSet trigger_bit(Trigger trigger) {
  return 1u << static_cast<unsigned>(trigger);
}

struct TriggerHit {
  std::size_t offset = 0;
  Trigger trigger = Trigger::card;
  friend bool operator==(const TriggerHit&, const TriggerHit&) = default;
};

/// Appends every place of the text where one of `wanted` stands: by block of 64 bytes, within it by trigger. With AVX2
/// about 3 bytes a cycle (bench/mask_bench.cc).
void find_triggers(std::string_view text, TriggerSet wanted, std::vector<TriggerHit>& hits);
/// The same, a byte at a time: what find_triggers is compared with, and what other machines run.
void find_triggers_plain(std::string_view text, TriggerSet wanted, std::vector<TriggerHit>& hits);

}  // namespace dendro
