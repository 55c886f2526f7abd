#include "query/plan/query_cursor.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "base/checksum.h"

namespace dendro {
namespace {

constexpr std::uint8_t kCursorVersion = 1;
constexpr std::size_t kCursorCountsMax = 64;
constexpr std::size_t kCursorTextMax = 2048;
constexpr HashSeed kCursorSeed{0x63757273};  // "curs"

}  // namespace

std::string to_cursor_text(const QueryCursor& cursor) {
  std::string bytes;
  bytes.push_back(static_cast<char>(kCursorVersion));
  append_le(bytes, cursor.query_hash);
  append_le(bytes, cursor.now.number());
  append_le(bytes, cursor.range.first.number());
  append_le(bytes, cursor.range.last.number());
  append_le(bytes, cursor.position.timestamp.number());
  append_le(bytes, cursor.position.sequence.number());
  append_varint(bytes, cursor.counts.size());
  for (const std::uint64_t count : cursor.counts) append_varint(bytes, count);
  append_le(bytes, static_cast<std::uint32_t>(xxh3(bytes, kCursorSeed)));
  std::string text;
  append_base64(text, bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::optional<QueryCursor> parse_cursor_text(std::string_view text) {
  if (text.empty() || text.size() > kCursorTextMax) return std::nullopt;
  std::string standard(text);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (standard.size() % 4 != 0) standard.push_back('=');
  const auto bytes = decode_base64(standard);
  if (!bytes || bytes->size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::string_view checked(bytes->data(), bytes->size() - sizeof(std::uint32_t));
  if (load_le<std::uint32_t>(checked.data() + checked.size()) != static_cast<std::uint32_t>(xxh3(checked, kCursorSeed)))
    return std::nullopt;
  ByteReader reader(checked);
  if (reader.read_le<std::uint8_t>() != kCursorVersion) return std::nullopt;
  QueryCursor cursor;
  cursor.query_hash = reader.read_le<std::uint64_t>();
  cursor.now = Timestamp(reader.read_le<std::int64_t>());
  cursor.range.first = Timestamp(reader.read_le<std::int64_t>());
  cursor.range.last = Timestamp(reader.read_le<std::int64_t>());
  cursor.position.timestamp = Timestamp(reader.read_le<std::int64_t>());
  cursor.position.sequence = SequenceNumber(reader.read_le<std::uint64_t>());
  const std::uint64_t count = reader.read_varint();
  if (count > kCursorCountsMax) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) cursor.counts.push_back(reader.read_varint());
  return reader.ok() && reader.at_end() ? std::optional(cursor) : std::nullopt;
}

}  // namespace dendro
