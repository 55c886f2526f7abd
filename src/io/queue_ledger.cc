#include "io/queue_ledger.h"

#include <charconv>

#include "base/check.h"
#include "io/queue.h"

namespace dendro {
namespace {

/// "MESSAGE-LEASE", both in decimal.
std::string receipt_text(QueueMessageId id, std::uint64_t lease) {
  return std::to_string(id.number()) + "-" + std::to_string(lease);
}

struct ReceiptParts {
  std::uint64_t id = 0, lease = 0;
};
std::optional<ReceiptParts> parse_receipt(std::string_view receipt) {
  ReceiptParts parts;
  const char* const end = receipt.data() + receipt.size();
  const auto id = std::from_chars(receipt.data(), end, parts.id);
  if (id.ec != std::errc() || id.ptr == end || *id.ptr != '-') return std::nullopt;
  const auto lease = std::from_chars(id.ptr + 1, end, parts.lease);
  if (lease.ec != std::errc() || lease.ptr != end) return std::nullopt;
  return parts;
}

}  // namespace

std::optional<QueueMessageId> parse_queue_message_id(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return QueueMessageId(number);
}

Result<QueueMessageId> parse_dead_letter_start(std::string_view after) {
  if (after.empty()) return QueueMessageId();
  if (const auto id = parse_queue_message_id(after)) return *id;
  return Error(ErrorCode::invalid_argument, "queue: \"" + std::string(after) + "\" is no id of a message");
}

Error no_such_dead_letter(std::string_view id) {
  return Error(ErrorCode::not_found, "no dead letter has the id \"" + std::string(id) + "\"");
}

void QueueLedger::add(QueueMessageId id, std::uint32_t receive_count, Place place) {
  Row row;
  row.receive_count = receive_count;
  row.is_dead = place == Place::dead;
  rows_.insert_or_assign(id, row);
}

std::vector<QueueLedger::Taken> QueueLedger::take(std::size_t count_max, std::chrono::nanoseconds visibility,
                                                  std::chrono::nanoseconds now) {
  std::vector<Taken> taken;
  for (auto& [id, row] : rows_) {
    if (taken.size() >= count_max) break;
    if (row.is_dead || row.visible_at > now) continue;
    ++row.receive_count;
    row.lease = next_lease_++;
    row.visible_at = now + visibility;
    taken.push_back({id, row.receive_count, receipt_text(id, row.lease)});
  }
  return taken;
}

std::vector<QueueMessageId> QueueLedger::bury(std::chrono::nanoseconds now) {
  std::vector<QueueMessageId> buried;
  for (auto& [id, row] : rows_) {
    if (row.is_dead || row.receive_count < kQueueReceivesMax || row.visible_at > now) continue;
    row.is_dead = true;
    row.lease = 0;
    buried.push_back(id);
  }
  return buried;
}

std::optional<QueueMessageId> QueueLedger::holder(std::string_view receipt) const {
  const auto parts = parse_receipt(receipt);
  if (!parts) return std::nullopt;
  const auto found = rows_.find(QueueMessageId(parts->id));
  if (found == rows_.end() || found->second.is_dead || found->second.lease != parts->lease) return std::nullopt;
  return found->first;
}

std::size_t QueueLedger::extend(std::span<const std::string> receipts, std::chrono::nanoseconds when) {
  std::size_t held = 0;
  for (const std::string& receipt : receipts) {
    const auto id = holder(receipt);
    if (!id) continue;
    rows_.at(*id).visible_at = when;
    ++held;
  }
  return held;
}

void QueueLedger::put_back(QueueMessageId id, std::chrono::nanoseconds now) {
  const auto found = rows_.find(id);
  DENDRO_CHECK(found != rows_.end() && found->second.receive_count > 0);
  --found->second.receive_count;
  found->second.lease = 0;
  found->second.visible_at = now;
}

std::vector<QueueMessageId> QueueLedger::dead(std::size_t count_max, QueueMessageId after) const {
  std::vector<QueueMessageId> ids;
  for (auto at = rows_.upper_bound(after); at != rows_.end() && ids.size() < count_max; ++at) {
    if (at->second.is_dead) ids.push_back(at->first);
  }
  return ids;
}

std::vector<QueueMessageId> QueueLedger::choose_dead(std::optional<std::string_view> id) const {
  if (!id) return dead(rows_.size());
  const auto one = parse_queue_message_id(*id);
  if (!one || !is_dead(*one)) return {};
  return {*one};
}

std::uint32_t QueueLedger::receive_count(QueueMessageId id) const {
  const auto found = rows_.find(id);
  return found == rows_.end() ? 0 : found->second.receive_count;
}

bool QueueLedger::is_dead(QueueMessageId id) const {
  const auto found = rows_.find(id);
  return found != rows_.end() && found->second.is_dead;
}

void QueueLedger::revive(QueueMessageId id) {
  DENDRO_CHECK(is_dead(id));
  rows_[id] = Row();
}

QueueLedger::Counts QueueLedger::counts(std::chrono::nanoseconds now) const {
  Counts counts;
  for (const auto& [id, row] : rows_) {
    const bool is_leased = row.lease != 0 && row.visible_at > now;
    ++(row.is_dead ? counts.dead : is_leased ? counts.leased : counts.waiting);
    auto& oldest = row.is_dead ? counts.oldest_dead : counts.oldest;
    if (!oldest) oldest = id;
  }
  return counts;
}

}  // namespace dendro
