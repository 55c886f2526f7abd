// One file for both directions: each form of a block (constant, reference, delta, delta of deltas) is a writer and a
// reader that must agree bit by bit, side by side, and the choice between them by size.
#include "codec/integer_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "base/bytes.h"

// All arithmetic is on uint64, modulo 2^64. A column is base + unit * s, s being exact distances from the least value
// in units; sums and differences of s may wrap and come back right, since unit * and base + are maps of the same ring.

namespace dendro {
namespace {

enum class IntegerForm : std::uint8_t { constant = 0, reference = 1, delta = 2, delta_of_deltas = 3 };

constexpr unsigned kWideWidth = 31;  // in the control byte's width: the width has a byte of its own
constexpr std::uint8_t kHasReference = 1 << 5;
constexpr std::uint8_t kIsZigzag = 1 << 6;
constexpr std::uint8_t kHasOutliers = 1 << 7;
constexpr std::size_t kSampledBlocks = 16;

using BlockWords = std::array<std::uint64_t, kIntegerBlockValues>;

std::uint64_t unsigned_of(std::int64_t number) {
  return static_cast<std::uint64_t>(number);
}
std::int64_t signed_of(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}
unsigned bits_of(std::uint64_t number) {
  // Without a branch on 0, which plain x86-64 would take (and miss) for the lack of lzcnt.
  return static_cast<unsigned>(std::bit_width(number | 1)) - (number == 0 ? 1U : 0U);
}
std::size_t packed_bytes(std::size_t count, unsigned width) {
  return (count * width + 7) / 8;
}

// ---- bits -----------------------------------------------------------------------------------------------------------

/// Packs `count` values, `stride` apart, each below 2^width (width 1 to 64), into words `stride` apart.
void pack_lane(const std::uint64_t* values, std::size_t count, std::size_t stride, unsigned width,
               std::uint64_t* words) {
  std::uint64_t word = 0;
  unsigned filled = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t value = values[i * stride];
    word |= value << filled;
    filled += width;
    if (filled < 64) continue;
    *words = word;
    words += stride;
    filled -= 64;
    word = filled == 0 ? 0 : value >> (width - filled);
  }
  if (filled > 0) *words = word;
}

void append_packed(std::string& out, std::span<const std::uint64_t> values, unsigned width) {
  if (width == 0) return;
  BlockWords words;
  if (values.size() == kIntegerBlockValues) {
    pack_lane(values.data(), kIntegerBlockValues / 2, 2, width, words.data());
    pack_lane(values.data() + 1, kIntegerBlockValues / 2, 2, width, words.data() + 1);
  } else {
    pack_lane(values.data(), values.size(), 1, width, words.data());
  }
  out.append(reinterpret_cast<const char*>(words.data()), packed_bytes(values.size(), width));
}

/// Unpacks one lane of fewer than 129 values; `packed` holds packed_bytes(count, width) bytes. For last blocks and
/// outliers: the copy makes reading whole words, and one more, safe.
void unpack_short(std::string_view packed, std::size_t count, unsigned width, std::uint64_t* out) {
  BlockWords words{};
  std::memcpy(words.data(), packed.data(), packed.size());
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bit = i * width;
    const unsigned shift = bit % 64;
    const std::uint64_t low = words[bit / 64] >> shift;
    const std::uint64_t high = shift == 0 ? 0 : words[bit / 64 + 1] << (64 - shift);
    out[i] = (low | high) & mask;
  }
}

using WordPair [[gnu::vector_size(16)]] = std::uint64_t;  // one word of each lane

/// One program a width: all shifts and masks are constants, both lanes go through one vector register.
template <unsigned kWidth>
void unpack_block(const char* packed, std::uint64_t* out) {
  constexpr std::uint64_t kMask = kWidth == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << kWidth) - 1;
#pragma clang loop unroll(full)
  for (unsigned row = 0; row < kIntegerBlockValues / 2; ++row) {
    WordPair pair{};
    if constexpr (kWidth > 0) {
      const unsigned word = row * kWidth / 64;
      const unsigned shift = row * kWidth % 64;
      pair = load_le<WordPair>(packed + word * sizeof(WordPair)) >> shift;
      if (shift + kWidth > 64) pair |= load_le<WordPair>(packed + (word + 1) * sizeof(WordPair)) << (64 - shift);
      pair &= kMask;
    }
    store_le(out + std::size_t{row} * 2, pair);
  }
}

using UnpackBlock = void (*)(const char*, std::uint64_t*);

template <unsigned... kWidths>
constexpr std::array<UnpackBlock, sizeof...(kWidths)> unpack_table(std::integer_sequence<unsigned, kWidths...>) {
  return {unpack_block<kWidths>...};
}
constexpr auto kUnpackBlock = unpack_table(std::make_integer_sequence<unsigned, 65>());

// ---- one block, writing ---------------------------------------------------------------------------------------------

/// How a block is written, and what that costs.
struct BlockPlan {
  unsigned width = 0;
  unsigned high_width = 0;  // bits of an outlier above `width`
  std::size_t outliers = 0;
  bool zigzag = false;
  std::uint64_t reference = 0;
  std::size_t bits = 0;  // without the control byte
};

std::uint64_t packed_of(std::uint64_t x, const BlockPlan& plan) {
  const std::uint64_t distance = x - plan.reference;
  return plan.zigzag ? zigzag_encode(signed_of(distance)) : distance;
}

/// How many of a block's values need n bits, n from 0 to 64.
class WidthCounts {
 public:
  WidthCounts(std::span<const std::uint64_t> block, const BlockPlan& plan) {
    // Counters one value after the other would wait for each other: four sets take turns.
    std::array<std::array<std::uint8_t, 80>, 4> sets{};
    for (std::size_t i = 0; i < block.size(); ++i) ++sets[i % 4][bits_of(packed_of(block[i], plan))];
    for (std::size_t n = 0; n < counts_.size(); ++n) {
      counts_[n] = static_cast<std::uint8_t>(sets[0][n] + sets[1][n] + sets[2][n] + sets[3][n]);
    }
  }
  std::size_t operator[](unsigned bits) const { return counts_[bits]; }
  unsigned widest() const {
    unsigned width = 64;
    while (width > 0 && counts_[width] == 0) --width;
    return width;
  }

 private:
  std::array<std::uint8_t, 80> counts_;  // 128 values at most; whole vectors
};

/// Sets the width of least total bits; what is wider becomes an outlier.
void choose_width(std::span<const std::uint64_t> block, BlockPlan& plan) {
  const WidthCounts counts(block, plan);
  const unsigned widest = counts.widest();
  plan.width = widest;
  std::size_t best = block.size() * widest;
  std::size_t outliers = 0;
  for (unsigned width = widest; width-- > 0;) {
    outliers += counts[width + 1];
    const std::size_t bits = block.size() * width + 16 + outliers * (8 + widest - width);
    if (bits >= best) continue;
    best = bits;
    plan.width = width;
    plan.outliers = outliers;
    plan.high_width = widest - width;
  }
  plan.bits = best + (plan.width >= kWideWidth ? 8 : 0);
  if (plan.reference != 0) plan.bits += (std::size_t{bits_of(zigzag_encode(signed_of(plan.reference)))} + 6) / 7 * 8;
}

std::int64_t median_of(std::int64_t a, std::int64_t b, std::int64_t c) {
  return std::max(std::min(a, b), std::min(std::max(a, b), c));
}

/// About the middle of a block: the median of three medians of three values spread over it.
std::uint64_t middle_of(std::span<const std::uint64_t> block) {
  const auto at = [&](std::size_t i) { return signed_of(block[i * (block.size() - 1) / 8]); };
  return unsigned_of(
      median_of(median_of(at(0), at(3), at(6)), median_of(at(1), at(4), at(7)), median_of(at(2), at(5), at(8))));
}

/// The better of two: distances from the least value, or signed ones from the middle (which alone can make outliers of
/// values that are too small).
BlockPlan plan_block(std::span<const std::uint64_t> block) {
  std::int64_t least = signed_of(block[0]);
  std::int64_t greatest = least;
  for (const std::uint64_t x : block) {
    least = std::min(least, signed_of(x));
    greatest = std::max(greatest, signed_of(x));
  }
  BlockPlan above_least;
  const unsigned spread = bits_of(unsigned_of(greatest) - unsigned_of(least));
  const bool near_zero = least >= 0 && bits_of(unsigned_of(greatest)) == spread;  // a reference would gain nothing
  above_least.reference = near_zero ? 0 : unsigned_of(least);
  choose_width(block, above_least);
  if (spread == 0) return above_least;

  BlockPlan about_middle;
  about_middle.zigzag = true;
  about_middle.reference = middle_of(block);
  choose_width(block, about_middle);
  return about_middle.bits < above_least.bits ? about_middle : above_least;
}

void append_outliers(std::string& out, std::span<const std::uint64_t> packed, const BlockPlan& plan) {
  BlockWords high;
  std::size_t count = 0;
  out.push_back(static_cast<char>(plan.outliers));
  out.push_back(static_cast<char>(plan.high_width));
  for (std::size_t i = 0; i < packed.size(); ++i) {
    if (bits_of(packed[i]) <= plan.width) continue;
    out.push_back(static_cast<char>(i));
    high[count++] = packed[i] >> plan.width;
  }
  append_packed(out, std::span(high).first(count), plan.high_width);
}

void append_block(std::string& out, std::span<const std::uint64_t> block) {
  const BlockPlan plan = plan_block(block);
  unsigned control = std::min(plan.width, kWideWidth);
  if (plan.reference != 0) control |= kHasReference;
  if (plan.zigzag) control |= kIsZigzag;
  if (plan.outliers > 0) control |= kHasOutliers;
  out.push_back(static_cast<char>(control));
  if (plan.width >= kWideWidth) out.push_back(static_cast<char>(plan.width));
  if (plan.reference != 0) append_varint(out, zigzag_encode(signed_of(plan.reference)));

  const std::uint64_t mask = plan.width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << plan.width) - 1;
  BlockWords packed;
  BlockWords low;
  for (std::size_t i = 0; i < block.size(); ++i) {
    packed[i] = packed_of(block[i], plan);
    low[i] = packed[i] & mask;
  }
  append_packed(out, std::span(low).first(block.size()), plan.width);
  if (plan.outliers > 0) append_outliers(out, std::span(packed).first(block.size()), plan);
}

// ---- a column, writing ----------------------------------------------------------------------------------------------

/// Exact division by a fixed number: by its inverse modulo 2^64, since a division takes ten times as long.
/// Source: H. Warren, Hacker's Delight, 10-16 and 10-17.
class ExactDivisor {
 public:
  explicit ExactDivisor(std::uint64_t divisor)
      : divisor_(divisor),
        shift_(std::countr_zero(divisor)),
        inverse_(odd_inverse(divisor >> shift_)),
        greatest_quotient_(std::numeric_limits<std::uint64_t>::max() / divisor) {}

  std::uint64_t divisor() const { return divisor_; }
  bool divides(std::uint64_t number) const { return std::rotr(number * inverse_, shift_) <= greatest_quotient_; }
  /// `number` is a multiple.
  std::uint64_t quotient(std::uint64_t number) const { return (number >> shift_) * inverse_; }

 private:
  static std::uint64_t odd_inverse(std::uint64_t odd) {
    std::uint64_t inverse = odd;  // right in 3 bits; each step doubles them: 6, 12, 24, 48, 96
    for (int step = 0; step < 5; ++step) inverse *= 2 - odd * inverse;
    return inverse;
  }
  std::uint64_t divisor_;
  int shift_;
  std::uint64_t inverse_;
  std::uint64_t greatest_quotient_;
};

/// The greatest common divisor of the values' distances from `least`; `first_distance` is one of them, not 0.
ExactDivisor common_unit(std::span<const std::int64_t> values, std::uint64_t least, std::uint64_t first_distance) {
  ExactDivisor unit(first_distance);
  for (const std::int64_t value : values) {
    const std::uint64_t distance = unsigned_of(value) - least;
    if (unit.divides(distance)) continue;
    unit = ExactDivisor(std::gcd(unit.divisor(), distance));
    if (unit.divisor() == 1) break;
  }
  return unit;
}

/// The values as counts of units above the least, differenced a block at a time.
class ScaledColumn {
 public:
  ScaledColumn(std::span<const std::int64_t> values, std::uint64_t least, std::uint64_t greatest)
      : values_(values), least_(least), unit_(common_unit(values, least, greatest - least)) {}

  std::uint64_t unit() const { return unit_.divisor(); }
  std::uint64_t at(std::size_t index) const { return unit_.quotient(unsigned_of(values_[index]) - least_); }
  std::uint64_t slope() const { return at(1) - at(0); }
  std::size_t block_count() const { return (values_.size() + kIntegerBlockValues - 1) / kIntegerBlockValues; }

  /// Block `index` of what `form` packs, in `words`.
  std::span<const std::uint64_t> block(std::size_t index, IntegerForm form, BlockWords& words) const {
    const std::size_t first = index * kIntegerBlockValues;
    const std::size_t count = std::min(kIntegerBlockValues, values_.size() - first);
    scale(first, std::span(words).first(count));
    if (form != IntegerForm::reference) {
      const std::uint64_t before = first == 0 ? at(0) - before_first(form) : at(first - 1);
      subtract_previous(std::span(words).first(count), before);
    }
    if (form == IntegerForm::delta_of_deltas) {
      const std::uint64_t before = first == 0 ? slope() : at(first - 1) - at(first - 2);
      subtract_previous(std::span(words).first(count), before);
    }
    return std::span<const std::uint64_t>(words).first(count);
  }

 private:
  /// The delta given to the first value: the one that packs as 0.
  std::uint64_t before_first(IntegerForm form) const { return form == IntegerForm::delta_of_deltas ? slope() : 0; }

  void scale(std::size_t first, std::span<std::uint64_t> words) const {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = unsigned_of(values_[first + i]) - least_;
    if (unit_.divisor() == 1) return;
    for (std::uint64_t& word : words) word = unit_.quotient(word);
  }
  static void subtract_previous(std::span<std::uint64_t> words, std::uint64_t before) {
    for (std::size_t i = words.size() - 1; i > 0; --i) words[i] -= words[i - 1];
    words[0] -= before;
  }

  std::span<const std::int64_t> values_;
  std::uint64_t least_;
  ExactDivisor unit_;
};

/// The form of least size on blocks spread evenly over the column, which are all of them in a short one.
IntegerForm choose_form(const ScaledColumn& column) {
  const std::size_t sampled = std::min(column.block_count(), kSampledBlocks);
  IntegerForm best = IntegerForm::reference;
  std::size_t best_bits = std::numeric_limits<std::size_t>::max();
  for (const IntegerForm form : {IntegerForm::reference, IntegerForm::delta, IntegerForm::delta_of_deltas}) {
    std::size_t bits = 0;
    BlockWords words;
    for (std::size_t i = 0; i < sampled; ++i) {
      bits += plan_block(column.block(i * column.block_count() / sampled, form, words)).bits;
    }
    if (bits >= best_bits) continue;
    best = form;
    best_bits = bits;
  }
  return best;
}

void append_scaled(std::string& out, std::span<const std::int64_t> values, std::int64_t least, std::int64_t greatest) {
  const ScaledColumn column(values, unsigned_of(least), unsigned_of(greatest));
  const IntegerForm form = choose_form(column);
  out.push_back(static_cast<char>(form));
  append_varint(out, zigzag_encode(form == IntegerForm::reference ? least : values.front()));
  append_varint(out, column.unit());
  if (form == IntegerForm::delta_of_deltas) append_varint(out, zigzag_encode(signed_of(column.slope())));
  BlockWords words;
  for (std::size_t i = 0; i < column.block_count(); ++i) append_block(out, column.block(i, form, words));
}

// ---- one block, reading ---------------------------------------------------------------------------------------------

Error damaged(std::string_view what) {
  return Error(ErrorCode::corruption, "integer column: " + std::string(what));
}

/// Adds the high bits of a block's outliers.
Status patch_outliers(ByteReader& reader, std::span<std::uint64_t> block, unsigned width) {
  const std::size_t count = reader.read_le<std::uint8_t>();
  const unsigned high_width = reader.read_le<std::uint8_t>();
  if (count == 0 || count > block.size() || width + high_width > 64) return damaged("outliers do not fit their block");
  const std::string_view positions = reader.read_bytes(count);
  const std::string_view packed = reader.read_bytes(packed_bytes(count, high_width));
  if (!reader.ok()) return damaged("ends within outliers");
  if (high_width == 0) return damaged("outliers of no bits");
  BlockWords high;
  unpack_short(packed, count, high_width, high.data());
  std::size_t least_position = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t position = static_cast<std::uint8_t>(positions[i]);
    if (position < least_position || position >= block.size()) return damaged("outliers out of place");
    block[position] |= high[i] << width;
    least_position = position + 1;
  }
  return {};
}

void unpack_values(std::string_view packed, unsigned width, std::span<std::uint64_t> block) {
  if (block.size() == kIntegerBlockValues) return kUnpackBlock[width](packed.data(), block.data());
  unpack_short(packed, block.size(), width, block.data());
}

/// Reads one block into `block`: x of the header's grammar.
Status read_block(ByteReader& reader, std::span<std::uint64_t> block) {
  const auto control = reader.read_le<std::uint8_t>();
  unsigned width = control % (kWideWidth + 1);
  if (width == kWideWidth) width = reader.read_le<std::uint8_t>();
  if (width > 64) return damaged("width " + std::to_string(width));
  const std::uint64_t reference = (control & kHasReference) != 0 ? unsigned_of(zigzag_decode(reader.read_varint())) : 0;
  const std::string_view packed = reader.read_bytes(packed_bytes(block.size(), width));
  if (!reader.ok()) return damaged("ends within a block");
  unpack_values(packed, width, block);
  if ((control & kHasOutliers) != 0) DENDRO_TRY(patch_outliers(reader, block, width));
  if ((control & kIsZigzag) != 0) {
    for (std::uint64_t& x : block) x = (x >> 1) ^ (0 - (x & 1));
  }
  if (reference != 0) {
    for (std::uint64_t& x : block) x += reference;
  }
  return {};
}

// ---- a column, reading ----------------------------------------------------------------------------------------------

/// Undoes the differences and the scale of a column's blocks, which come in order.
class ColumnRestorer {
 public:
  ColumnRestorer(IntegerForm form, std::uint64_t base, std::uint64_t unit, std::uint64_t slope)
      : form_(form), base_(base), unit_(unit), delta_(slope), sum_(0 - slope) {}

  void restore(std::span<std::uint64_t> block) {
    if (form_ == IntegerForm::delta) sum_deltas(block);
    if (form_ == IntegerForm::delta_of_deltas) sum_deltas_of_deltas(block);
    if (unit_ == 1) {
      for (std::uint64_t& x : block) x += base_;
    } else {
      for (std::uint64_t& x : block) x = x * unit_ + base_;
    }
  }

 private:
  void sum_deltas(std::span<std::uint64_t> block) {
    std::uint64_t sum = sum_;
    for (std::uint64_t& x : block) x = sum += x;
    sum_ = sum;
  }
  void sum_deltas_of_deltas(std::span<std::uint64_t> block) {
    std::uint64_t delta = delta_;
    std::uint64_t sum = sum_;
    for (std::uint64_t& x : block) x = sum += delta += x;
    delta_ = delta;
    sum_ = sum;
  }

  IntegerForm form_;
  std::uint64_t base_;
  std::uint64_t unit_;
  std::uint64_t delta_;  // the last one
  std::uint64_t sum_;    // of all deltas so far
};

Status read_blocks(ByteReader& reader, IntegerForm form, std::uint64_t base, std::vector<std::int64_t>& out,
                   std::size_t count) {
  const std::uint64_t unit = reader.read_varint();
  const std::uint64_t slope =
      form == IntegerForm::delta_of_deltas ? unsigned_of(zigzag_decode(reader.read_varint())) : 0;
  if (!reader.ok() || unit == 0) return damaged("bad unit or slope");
  if ((count - 1) / kIntegerBlockValues >= reader.remaining()) {
    return damaged(std::to_string(reader.remaining()) + " bytes cannot hold " + std::to_string(count) + " values");
  }
  out.resize(count);
  ColumnRestorer restorer(form, base, unit, slope);
  // An int64 may be written as a uint64 of the same bits.
  const std::span<std::uint64_t> words(reinterpret_cast<std::uint64_t*>(out.data()), count);
  for (std::size_t first = 0; first < count; first += kIntegerBlockValues) {
    const auto block = words.subspan(first, std::min(kIntegerBlockValues, count - first));
    DENDRO_TRY(read_block(reader, block));
    restorer.restore(block);
  }
  return {};
}

}  // namespace

void encode_integers(std::span<const std::int64_t> values, std::string& out) {
  if (values.empty()) return;
  std::int64_t least = values.front();
  std::int64_t greatest = values.front();
  for (const std::int64_t value : values) {
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (least != greatest) return append_scaled(out, values, least, greatest);
  out.push_back(static_cast<char>(IntegerForm::constant));
  append_varint(out, zigzag_encode(least));
}

Status decode_integers(std::string_view& bytes, std::size_t count, std::vector<std::int64_t>& out) {
  out.clear();
  if (count == 0) return {};
  ByteReader reader(bytes);
  const auto form = static_cast<IntegerForm>(reader.read_le<std::uint8_t>());
  const std::int64_t base = zigzag_decode(reader.read_varint());
  if (!reader.ok()) return damaged("ends within its head");
  if (form > IntegerForm::delta_of_deltas) return damaged("form " + std::to_string(static_cast<unsigned>(form)));
  if (form == IntegerForm::constant) {
    out.assign(count, base);
  } else {
    DENDRO_TRY(read_blocks(reader, form, unsigned_of(base), out, count));
  }
  bytes.remove_prefix(bytes.size() - reader.remaining());
  return {};
}

}  // namespace dendro
