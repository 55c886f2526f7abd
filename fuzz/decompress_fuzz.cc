// Unpackers on any bytes, under limits. The first byte chooses the format.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "io/decompress.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto packing = static_cast<dendro::Packing>(data[0] % 4);
  const std::string_view packed(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto unpacked = dendro::decompress(packing, packed, {.bytes_max = 1 << 20, .ratio_max = 1000});
  if (unpacked && unpacked->size() > (1 << 20)) __builtin_trap();
  return 0;
}
