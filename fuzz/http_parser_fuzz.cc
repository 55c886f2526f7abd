// Bytes of a connection through RequestReader, without sockets: what comes out must not depend on how they are cut, a
// refusal is final, and no body exceeds its limit. The first byte seeds the cuts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "server/request_reader.h"

namespace dendro {
namespace {

constexpr std::uint64_t kBodyBytesMax = 4096;
constexpr std::size_t kHeadBytesMax = 2048;

/// Moves the reader as far as it goes; true once it refused.
bool drain(RequestReader& reader, std::vector<std::string>& out) {
  while (true) {
    switch (reader.next()) {
      case RequestReader::Event::need_more:
        return false;
      case RequestReader::Event::head:
        DENDRO_CHECK(!reader.head().path.empty());
        reader.start_body({.bytes_max = kBodyBytesMax, .discard = reader.head().path.ends_with("/discard")});
        break;
      case RequestReader::Event::complete: {
        const std::string body = reader.take_body();
        DENDRO_CHECK(body.size() <= kBodyBytesMax && reader.body_bytes() <= kBodyBytesMax);
        out.push_back(reader.head().method + " " + reader.head().target + " " + body);
        break;
      }
      case RequestReader::Event::refused:
        DENDRO_CHECK(reader.refusal().status >= 400 && reader.next() == RequestReader::Event::refused);
        out.push_back(std::to_string(reader.refusal().status));
        return true;
    }
  }
}

/// Feeds pieces of 1 to `piece_max` bytes.
std::vector<std::string> read_all(std::string_view bytes, std::uint32_t seed, std::size_t piece_max) {
  RequestReader reader(kHeadBytesMax);
  std::vector<std::string> out;
  while (!bytes.empty()) {
    seed = seed * 1664525U + 1013904223U;
    const std::span<char> room = reader.prepare();
    const std::size_t count = std::min({room.size(), bytes.size(), 1 + (seed >> 16) % piece_max});
    std::copy_n(bytes.begin(), count, room.begin());
    reader.commit(count);
    bytes.remove_prefix(count);
    if (drain(reader, out)) break;
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
