// Reads any bytes as an integer column, a fuse filter, or a body, by the first byte's low bits. What decodes as a
// column is encoded again and must come back; a column of the bytes as numbers must, too. A leaf must not depend on
// whether digits are given as such or as slots.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/canonical_leaf.h"
#include "codec/fuse_filter.h"
#include "codec/integer_column.h"
#include "codec/splitter.h"

namespace {

using namespace dendro;

void round_trip(const std::vector<std::int64_t>& values) {
  std::string bytes;
  encode_integers(values, bytes);
  std::string_view rest = bytes;
  std::vector<std::int64_t> back;
  DENDRO_CHECK(decode_integers(rest, values.size(), back).has_value());
  DENDRO_CHECK(rest.empty() && back == values);
}

void decode_column(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const std::size_t count = static_cast<std::uint8_t>(bytes[0]) + 256U * (static_cast<std::uint8_t>(bytes[1]) % 16);
  bytes.remove_prefix(2);
  std::vector<std::int64_t> values;
  if (!decode_integers(bytes, count, values)) return;
  DENDRO_CHECK(values.size() == count);
  round_trip(values);
}

void encode_column(std::string_view bytes) {
  std::vector<std::int64_t> values(bytes.size() / 8);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * 8);
  round_trip(values);
}

void ask_filter(std::string_view bytes) {
  const auto view = FuseFilterView::parse(bytes);
  if (!view) return;
  for (std::uint64_t key = 0; key < 64; ++key) (void)view->may_contain(key * 0x9E37'79B9'7F4A'7C15);
}

void make_leaf(std::string_view body) {
  std::vector<SlotSpan> slots;
  std::string skeleton;
  find_slots(body, slots);
  make_skeleton(body, slots, skeleton);
  DENDRO_CHECK(canonical_leaf(skeleton) == canonical_leaf(body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      decode_column(bytes);
      break;
    case 1:
      encode_column(bytes);
      break;
    case 2:
      ask_filter(bytes);
      break;
    default:
      make_leaf(bytes);
  }
  return 0;
}
