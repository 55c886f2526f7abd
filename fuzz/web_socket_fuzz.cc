// Bytes of a client through WebSocketReader, without sockets: what comes out must not depend on how they are cut, the
// end is final, and no message exceeds its limit. The first byte seeds the cuts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "server/web_socket_reader.h"

namespace dendro {
namespace {

constexpr std::size_t kMessageBytesMax = 1000;

std::vector<std::string> read_all(std::string_view bytes, std::uint32_t seed, std::size_t piece_max) {
  WebSocketReader reader(kMessageBytesMax);
  std::vector<std::string> out;
  while (!bytes.empty()) {
    seed = seed * 1664525U + 1013904223U;
    const std::size_t count = std::min(bytes.size(), 1 + (seed >> 16) % piece_max);
    reader.feed(bytes.substr(0, count));
    bytes.remove_prefix(count);
    for (auto event = reader.next(); event.kind != WebSocketReader::Kind::need_more; event = reader.next()) {
      DENDRO_CHECK(event.payload.size() <= kMessageBytesMax);
      DENDRO_CHECK(event.kind != WebSocketReader::Kind::text || is_valid_utf8(event.payload));
      out.push_back(std::to_string(static_cast<int>(event.kind)) + " " + std::to_string(event.code) + event.payload);
    }
  }
  return out;
}

}  // namespace
}  // namespace dendro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = dendro::read_all(bytes, 0, SIZE_MAX);
  DENDRO_CHECK(dendro::read_all(bytes, data[0], 16) == whole);
  DENDRO_CHECK(dendro::read_all(bytes, data[0], 1) == whole);
  return 0;
}
