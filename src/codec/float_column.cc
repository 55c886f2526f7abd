#include "codec/float_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "base/bytes.h"
#include "codec/integer_column.h"

namespace dendro {
namespace {

/// On disk, the first byte.
enum class FloatForm : std::uint8_t { planes = 0, binary = 1, decimal = 2 };

/// Whole doubles beyond this are not all there.
constexpr double kWholeMax = 9007199254740992.0;  // 2^53
constexpr int kDecimalsMax = 9;
constexpr std::array<double, kDecimalsMax + 1> kPowersOfTen = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
/// 2^-1074 is the smallest double; beyond this exponents are not common enough to share.
constexpr int kBinaryShiftMax = 1'000;

bool is_same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// The numbers value * scale if all are whole and come back by `restore`.
template <typename Scale, typename Restore>
std::optional<std::vector<std::int64_t>> as_whole(std::span<const double> values, Scale scale, Restore restore) {
  std::vector<std::int64_t> numbers(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double scaled = scale(values[i]);
    if (!(std::fabs(scaled) <= kWholeMax)) return std::nullopt;
    const double whole = std::nearbyint(scaled);
    numbers[i] = static_cast<std::int64_t>(whole);
    if (!is_same(restore(numbers[i]), values[i])) return std::nullopt;
  }
  return numbers;
}

std::optional<std::vector<std::int64_t>> as_decimal(std::span<const double> values, int decimals) {
  const double power = kPowersOfTen[static_cast<std::size_t>(decimals)];
  return as_whole(
      values, [power](double value) { return value * power; },
      [power](std::int64_t number) { return static_cast<double>(number) / power; });
}

std::optional<std::vector<std::int64_t>> as_binary(std::span<const double> values, int shift) {
  return as_whole(
      values, [shift](double value) { return std::ldexp(value, shift); },
      [shift](std::int64_t number) { return std::ldexp(static_cast<double>(number), -shift); });
}

/// How often a value must be doubled to be whole.
int binary_shift(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);  // value = mantissa * 2^exponent, 53 bits behind the point
  const auto bits = static_cast<std::int64_t>(std::ldexp(mantissa, 53));
  return std::max(0, 53 - exponent - std::countr_zero(static_cast<std::uint64_t>(bits)));
}

std::optional<std::string> encode_decimal(std::span<const double> values) {
  for (int decimals = 0; decimals <= kDecimalsMax; ++decimals) {
    // A value that needs more decimals is mostly met at once, so failed tries are cheap.
    const std::optional<std::vector<std::int64_t>> numbers = as_decimal(values, decimals);
    if (!numbers) continue;
    std::string out;
    out.push_back(static_cast<char>(FloatForm::decimal));
    out.push_back(static_cast<char>(decimals));
    encode_integers(*numbers, out);
    return out;
  }
  return std::nullopt;
}

std::optional<std::string> encode_binary(std::span<const double> values) {
  int shift = 0;
  for (const double value : values) shift = std::max(shift, binary_shift(value));
  if (shift > kBinaryShiftMax) return std::nullopt;
  const std::optional<std::vector<std::int64_t>> numbers = as_binary(values, shift);
  if (!numbers) return std::nullopt;
  std::string out;
  out.push_back(static_cast<char>(FloatForm::binary));
  append_le(out, static_cast<std::uint16_t>(shift));
  encode_integers(*numbers, out);
  return out;
}

std::string encode_planes(std::span<const double> values) {
  std::string out(1 + values.size() * sizeof(double), static_cast<char>(FloatForm::planes));
  for (std::size_t plane = 0; plane < sizeof(double); ++plane) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      out[1 + plane * values.size() + i] = static_cast<char>(std::bit_cast<std::uint64_t>(values[i]) >> (8 * plane));
    }
  }
  return out;
}

}  // namespace

void encode_floats(std::span<const double> values, std::string& out) {
  std::optional<std::string> best = encode_decimal(values);
  if (!best) best = encode_binary(values);
  std::string planes;
  if (!best || best->size() > values.size() * 7) planes = encode_planes(values);
  out.append(planes.empty() ? *best : planes);
}

Status decode_floats(std::string_view& bytes, std::size_t count, std::vector<double>& values) {
  ByteReader reader(bytes);
  const auto form = static_cast<FloatForm>(reader.read_le<std::uint8_t>());
  const int scale = form == FloatForm::decimal  ? reader.read_le<std::uint8_t>()
                    : form == FloatForm::binary ? reader.read_le<std::uint16_t>()
                                                : 0;
  if (!reader.ok() || form > FloatForm::decimal || (form == FloatForm::decimal && scale > kDecimalsMax) ||
      scale > kBinaryShiftMax) {
    return Error(ErrorCode::corruption, "float column: unknown form");
  }
  bytes.remove_prefix(bytes.size() - reader.remaining());
  if (form == FloatForm::planes) {
    if (bytes.size() / sizeof(double) < count) return Error(ErrorCode::corruption, "float column: cut off");
    values.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t bits = 0;
      for (std::size_t plane = 0; plane < sizeof(double); ++plane) {
        bits |= std::uint64_t{static_cast<std::uint8_t>(bytes[plane * count + i])} << (8 * plane);
      }
      values[i] = std::bit_cast<double>(bits);
    }
    bytes.remove_prefix(count * sizeof(double));
    return {};
  }
  std::vector<std::int64_t> numbers;
  DENDRO_TRY(decode_integers(bytes, count, numbers));
  values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<double>(numbers[i]);
    values[i] = form == FloatForm::decimal ? number / kPowersOfTen[static_cast<std::size_t>(scale)]
                                           : std::ldexp(number, -scale);
  }
  return {};
}

}  // namespace dendro
