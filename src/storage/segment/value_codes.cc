// RowGroupReader: numbers for the different values of a column, to group records by.
#include <bit>

#include "base/checksum.h"
#include "storage/segment/row_group_reader.h"

namespace dendro {
namespace {

/// Numbers values by a hash of each and an equality; open addressing.
template <typename Hash, typename Equal>
ValueCodes number_values(std::size_t count, Hash&& hash_of, Equal&& are_equal) {
  ValueCodes numbered;
  numbered.codes.resize(count);
  const std::size_t slots = std::bit_ceil(count * 2 + 1);
  constexpr std::uint32_t kFree = 0xFFFFFFFF;
  std::vector<std::uint32_t> table(slots, kFree);  // the first value of each kind
  for (std::uint32_t value = 0; value < count; ++value) {
    if (value > 0 && are_equal(value, value - 1)) {
      numbered.codes[value] = numbered.codes[value - 1];
      continue;
    }
    std::size_t at = hash_of(value) & (slots - 1);
    while (table[at] != kFree && !are_equal(table[at], value)) at = (at + 1) & (slots - 1);
    if (table[at] == kFree) {
      table[at] = value;
      numbered.codes[value] = static_cast<std::uint16_t>(numbered.count++);
    } else {
      numbered.codes[value] = numbered.codes[table[at]];
    }
  }
  return numbered;
}

std::uint64_t mixed(std::uint64_t bits) {
  bits *= 0x9E3779B97F4A7C15u;
  return bits ^ bits >> 32;
}

}  // namespace

Result<ValueCodes> RowGroupReader::load_value_codes(const ColumnEntry& column) {
  switch (column.layout) {
    case ColumnLayout::integers: {
      DENDRO_TRY_ASSIGN(const auto numbers, integers(column));
      const std::vector<std::int64_t>& all = numbers->values;
      return number_values(
          all.size(), [&](std::uint32_t i) { return mixed(static_cast<std::uint64_t>(all[i])); },
          [&](std::uint32_t a, std::uint32_t b) { return all[a] == all[b]; });
    }
    case ColumnLayout::floats: {
      DENDRO_TRY_ASSIGN(const auto numbers, floats(column));
      const auto bits = [&](std::uint32_t i) { return std::bit_cast<std::uint64_t>(numbers->values[i]); };
      return number_values(
          numbers->values.size(), [&](std::uint32_t i) { return mixed(bits(i)); },
          [&](std::uint32_t a, std::uint32_t b) { return bits(a) == bits(b); });
    }
    default:
      break;
  }
  DENDRO_TRY_ASSIGN(const auto texts, strings(column));
  ValueCodes known;
  if (texts->is_constant() || texts->has_codes()) {
    known.codes.assign(texts->codes().begin(), texts->codes().end());
    known.codes.resize(texts->size(), 0);
    known.count = static_cast<std::uint32_t>(texts->entry_count());
    return known;
  }
  return number_values(
      texts->size(), [&](std::uint32_t i) { return xxh3((*texts)[i], HashSeed(0)); },
      [&](std::uint32_t a, std::uint32_t b) { return (*texts)[a] == (*texts)[b]; });
}

}  // namespace dendro
