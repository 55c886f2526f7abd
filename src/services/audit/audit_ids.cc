#include "services/audit/audit_ids.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hex.h"
#include "record/fold.h"

namespace dendro {
namespace {

constexpr std::size_t kAuditIdBytes = 12;

}  // namespace

AuditIdSource::AuditIdSource(RandomSource& random) {
  random.fill(process_);
  std::array<std::uint8_t, 3> start{};
  random.fill(start);
  counter_ = (std::uint32_t{start[0]} << 16) | (std::uint32_t{start[1]} << 8) | start[2];
}

std::string AuditIdSource::next(Timestamp accepted) {
  const auto seconds = static_cast<std::uint32_t>(accepted.number() / kNanosPerSecond);
  const std::uint32_t count = counter_.fetch_add(1, std::memory_order_relaxed);
  std::array<std::uint8_t, kAuditIdBytes> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
  std::copy(process_.begin(), process_.end(), bytes.begin() + 4);
  for (std::size_t i = 0; i < 3; ++i) bytes[9 + i] = static_cast<std::uint8_t>(count >> (16 - 8 * i));
  return to_hex(bytes);
}

std::string derived_audit_id(const Bytes16& key_id, std::uint64_t index) {
  std::string text(key_id.begin(), key_id.end());
  append_le(text, index);
  const Bytes16 hash = xxh3_128(text);
  return to_hex(std::span(hash).first(kAuditIdBytes));
}

std::string audit_message_id(std::string_view id) {
  return uuid_v4(xxh3_128("audit message " + std::string(id)));
}

std::string parse_audit_id(std::string_view text) {
  if (text.size() != 2 * kAuditIdBytes) return {};
  std::string id(text);
  std::ranges::transform(id, id.begin(), fold_ascii);
  return id.find_first_not_of("0123456789abcdef") == std::string::npos ? id : std::string();
}

}  // namespace dendro
