#include "services/search/query_turns.h"

#include <string>
#include <utility>

namespace dendro {

std::shared_ptr<QueryTurns::Turn> QueryTurns::take_turn_locked(const TenantId& tenant) {
  ++lines_[tenant].under_way;
  ++under_way_;
  return std::shared_ptr<Turn>(new Turn(*this, tenant));
}

std::pair<std::shared_ptr<QueryTurns::Turn>, QueryTurns::Begin> QueryTurns::next_locked() {
  if (under_way_ >= options_.turns_max) return {};
  const bool is_mixed = mixed_until_ && clock_.monotonic() < *mixed_until_;
  const std::size_t per_tenant_max = is_mixed && options_.turns_max > 1 ? options_.turns_max - 1 : options_.turns_max;
  auto chosen = lines_.end();
  const auto rank = [](const Line& line) { return std::pair(line.under_way, line.waiting.front().first); };
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    if (line->second.waiting.empty() || line->second.under_way >= per_tenant_max) continue;
    if (chosen == lines_.end() || rank(line->second) < rank(chosen->second)) chosen = line;
  }
  if (chosen == lines_.end()) return {};
  Begin begin = std::move(chosen->second.waiting.front().second);
  chosen->second.waiting.pop_front();
  --waiting_;
  return {take_turn_locked(chosen->first), std::move(begin)};
}

void QueryTurns::note_arrival_locked(const TenantId& tenant) {
  if (last_tenant_ && *last_tenant_ != tenant) mixed_until_ = clock_.monotonic() + kMixedFor;
  last_tenant_ = tenant;
}

Status QueryTurns::enter(const TenantId& tenant, Begin begin) {
  std::pair<std::shared_ptr<Turn>, Begin> next;
  {
    MutexLock lock(mutex_);
    note_arrival_locked(tenant);
    Line& line = lines_[tenant];
    if (line.waiting.size() >= options_.waiting_max || waiting_ >= options_.waiting_total_max) {
      const bool is_own_line = line.waiting.size() >= options_.waiting_max;
      const std::string who = is_own_line ? std::to_string(line.waiting.size()) + " queries of tenant " + tenant.text()
                                          : std::to_string(waiting_) + " queries";
      if (line.waiting.empty() && line.under_way == 0) lines_.erase(tenant);
      return Error(ErrorCode::resource_exhausted, who + " wait for their turn already");
    }
    line.waiting.emplace_back(arrivals_++, std::move(begin));
    ++waiting_;
    next = next_locked();
  }
  if (next.first != nullptr) next.second(std::move(next.first));
  return {};
}

void QueryTurns::end(const TenantId& tenant) {
  std::pair<std::shared_ptr<Turn>, Begin> next;
  {
    MutexLock lock(mutex_);
    const auto line = lines_.find(tenant);
    --line->second.under_way;
    --under_way_;
    if (line->second.under_way == 0 && line->second.waiting.empty()) lines_.erase(line);
    next = next_locked();
  }
  if (next.first != nullptr) next.second(std::move(next.first));
}

std::size_t QueryTurns::waiting() const {
  MutexLock lock(mutex_);
  return waiting_;
}

}  // namespace dendro
