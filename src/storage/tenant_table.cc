#include "storage/tenant_table.h"

#include <algorithm>

#include "base/check.h"

namespace dendro {
namespace {

/// Many tenants must not mean many tiny files (engine.md 3.2).
constexpr std::uint64_t kSmallMemtableBytes = std::uint64_t{1} << 20;
constexpr int kSmallMemtableAgeFactor = 10;

}  // namespace

std::uint64_t TenantTable::Tenant::memtable_bytes() const {
  std::uint64_t bytes = active == nullptr ? 0 : active->bytes();
  for (const auto& memtable : sealed) bytes += memtable->bytes();
  return bytes;
}

bool TenantTable::Tenant::has(const Memtable& memtable) const {
  return active.get() == &memtable ||
         std::any_of(sealed.begin(), sealed.end(), [&memtable](const auto& known) { return known.get() == &memtable; });
}

TenantTable::Tenant& TenantTable::tenant_locked(const TenantId& id) {
  return tenants_.try_emplace(id, key_limits_).first->second;
}

void TenantTable::publish(std::vector<CommittedRequest> requests, SequenceNumber last_sequence) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  std::vector<FullGroup> full;
  {
    MutexLock lock(mutex_);
    for (CommittedRequest& request : requests) publish_one_locked(request, now, full);
    last_sequence_ = std::max(last_sequence_, last_sequence);
  }
  for (const FullGroup& group : full) join(group);
}

void TenantTable::join(const FullGroup& full) {
  std::unique_ptr<const JoinedBatch> joined = join_batches(full.memtable->group(full.group));
  if (joined == nullptr) return;
  MutexLock lock(mutex_);
  if (!tenant_locked(full.tenant).has(*full.memtable)) return;  // flushed meanwhile
  const std::uint64_t bytes_before = full.memtable->bytes();
  full.memtable->attach(full.group, std::move(joined));
  unflushed_bytes_ += full.memtable->bytes() - bytes_before;
}

void TenantTable::publish_one_locked(CommittedRequest& request, std::chrono::nanoseconds now,
                                     std::vector<FullGroup>& full) {
  Tenant& tenant = tenant_locked(request.tenant);
  std::shared_ptr<const KeyedReply> keyed;
  if (request.key) {
    keyed = std::make_shared<const KeyedReply>(KeyedReply{*request.key, request.reply});
    tenant.keys.add(*keyed, now - request.key_age, now);
  }
  if (tenant.active == nullptr) tenant.active = std::make_shared<Memtable>(now);
  const std::uint64_t bytes_before = tenant.active->bytes();
  SequenceNumber sequence = request.reply.first_sequence;
  for (auto& batch : request.batches) {
    const std::uint64_t count = batch.size();
    tenant.active->append({std::move(batch), sequence, keyed});
    if (tenant.active->size() % Memtable::kGroupEntries == 0) {
      full.push_back({request.tenant, tenant.active, tenant.active->size() / Memtable::kGroupEntries - 1});
    }
    sequence = sequence.next(count);
    unflushed_records_ += count;
  }
  unflushed_bytes_ += tenant.active->bytes() - bytes_before;
  // Never within a request: replay knows a flushed request by its first frame.
  if (tenant.active->bytes() >= rules_.bytes_max) tenant.sealed.push_back(std::exchange(tenant.active, nullptr));
}

Result<std::optional<CommitReply>> TenantTable::find_key(const TenantId& tenant, const BatchKey& key) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return std::optional<CommitReply>();
  return found->second.keys.find(key, now);
}

void TenantTable::restore_key(const TenantId& tenant, const KeyedReply& keyed, std::chrono::nanoseconds age) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  MutexLock lock(mutex_);
  tenant_locked(tenant).keys.add(keyed, now - age, now);
}

TenantView TenantTable::view(const TenantId& id) const {
  TenantView view;
  MutexLock lock(mutex_);
  view.last_sequence = last_sequence_;
  const auto found = tenants_.find(id);
  if (found == tenants_.end()) {
    view.segments = std::make_shared<const SegmentList>();
    return view;
  }
  const Tenant& tenant = found->second;
  view.segments = tenant.segments;
  view.tombstones = tenant.tombstones;
  view.memtables.reserve(tenant.sealed.size() + 1);
  for (const auto& memtable : tenant.sealed) view.memtables.push_back({memtable, memtable->size()});
  if (tenant.active != nullptr) view.memtables.push_back({tenant.active, tenant.active->size()});
  return view;
}

SequenceNumber TenantTable::last_sequence() const {
  MutexLock lock(mutex_);
  return last_sequence_;
}

void TenantTable::set_last_sequence(SequenceNumber sequence) {
  MutexLock lock(mutex_);
  last_sequence_ = sequence;
}

std::vector<TenantId> TenantTable::unflushed_tenants() const {
  std::vector<TenantId> ids;
  MutexLock lock(mutex_);
  for (const auto& [id, tenant] : tenants_) {
    if (tenant.active != nullptr || !tenant.sealed.empty()) ids.push_back(id);
  }
  return ids;
}

std::vector<TenantId> TenantTable::due_tenants(std::chrono::nanoseconds age_max) const {
  const std::chrono::nanoseconds now = clock_.monotonic();
  std::vector<TenantId> ids;
  MutexLock lock(mutex_);
  for (const auto& [id, tenant] : tenants_) {
    bool is_due = !tenant.sealed.empty();
    if (tenant.active != nullptr) {
      const bool is_small = tenant.active->bytes() < kSmallMemtableBytes;
      const std::chrono::nanoseconds age = now - tenant.active->created();
      is_due = is_due || age >= age_max * (is_small ? kSmallMemtableAgeFactor : 1);
    }
    if (is_due) ids.push_back(id);
  }
  return ids;
}

std::vector<TenantId> TenantTable::largest_tenants(std::uint64_t bytes) const {
  std::vector<std::pair<std::uint64_t, TenantId>> sizes;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, tenant] : tenants_) {
      if (tenant.active != nullptr) sizes.emplace_back(tenant.active->bytes(), id);
    }
  }
  std::sort(sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<TenantId> ids;
  std::uint64_t freed = 0;
  for (auto size = sizes.begin(); size != sizes.end() && freed < bytes; ++size) {
    freed += size->first;
    ids.push_back(size->second);
  }
  return ids;
}

std::uint64_t TenantTable::unflushed_bytes_of(const TenantId& id) const {
  MutexLock lock(mutex_);
  const auto found = tenants_.find(id);
  if (found == tenants_.end()) return 0;
  return found->second.memtable_bytes();
}

std::size_t TenantTable::seal(const TenantId& id, SealWhat what) {
  MutexLock lock(mutex_);
  const auto found = tenants_.find(id);
  if (found == tenants_.end()) return 0;
  Tenant& tenant = found->second;
  const bool takes_active = what == SealWhat::active || tenant.sealed.empty();
  if (takes_active && tenant.active != nullptr) tenant.sealed.push_back(std::exchange(tenant.active, nullptr));
  return tenant.sealed.size();
}

MemtableView TenantTable::oldest_sealed(const TenantId& id) const {
  MutexLock lock(mutex_);
  const auto found = tenants_.find(id);
  DENDRO_CHECK(found != tenants_.end() && !found->second.sealed.empty());
  const auto& memtable = found->second.sealed.front();
  return {memtable, memtable->size()};
}

void TenantTable::append_segments(Tenant& tenant, const SegmentList& segments) {
  auto joined = std::make_shared<SegmentList>(*tenant.segments);
  joined->insert(joined->end(), segments.begin(), segments.end());
  tenant.segments = std::move(joined);
}

void TenantTable::replace_sealed(const TenantId& id, const SegmentList& segments) {
  std::shared_ptr<const Memtable> flushed;  // freed outside the lock
  MutexLock lock(mutex_);
  Tenant& tenant = tenant_locked(id);
  DENDRO_CHECK(!tenant.sealed.empty());
  append_segments(tenant, segments);
  flushed = std::move(tenant.sealed.front());
  tenant.sealed.pop_front();
  unflushed_bytes_ -= flushed->bytes();
  unflushed_records_ -= flushed->records();
}

void TenantTable::replace_segments(const TenantId& id, const std::set<SegmentId>& removed, const SegmentList& added) {
  std::shared_ptr<const SegmentList> before;  // freed outside the lock: the last holder of a segment removes its file
  MutexLock lock(mutex_);
  Tenant& tenant = tenant_locked(id);
  auto joined = std::make_shared<SegmentList>();
  for (const auto& segment : *tenant.segments) {
    if (!removed.contains(segment->info().id)) joined->push_back(segment);
  }
  joined->insert(joined->end(), added.begin(), added.end());
  before = std::exchange(tenant.segments, std::move(joined));
}

void TenantTable::add_tombstone(std::shared_ptr<const Tombstone> tombstone) {
  MutexLock lock(mutex_);
  Tenant& tenant = tenant_locked(tombstone->info().tenant);
  auto joined = tenant.tombstones == nullptr ? std::make_shared<TombstoneList>()
                                             : std::make_shared<TombstoneList>(*tenant.tombstones);
  joined->push_back(std::move(tombstone));
  tenant.tombstones = std::move(joined);
}

void TenantTable::remove_tombstone(const TenantId& id, TombstoneId tombstone) {
  MutexLock lock(mutex_);
  Tenant& tenant = tenant_locked(id);
  if (tenant.tombstones == nullptr) return;
  auto rest = std::make_shared<TombstoneList>(*tenant.tombstones);
  std::erase_if(*rest, [tombstone](const auto& live) { return live->info().id == tombstone; });
  tenant.tombstones = rest->empty() ? nullptr : std::move(rest);
}

SegmentList TenantTable::drop_tenant(const TenantId& id) {
  std::shared_ptr<const SegmentList> dropped;
  MutexLock lock(mutex_);
  Tenant& tenant = tenant_locked(id);
  dropped = std::exchange(tenant.segments, std::make_shared<const SegmentList>());
  tenant.tombstones = nullptr;
  tenant.keys = BatchKeyWindow(key_limits_);
  return *dropped;
}

void TenantTable::add_segments(const TenantId& id, const SegmentList& segments) {
  MutexLock lock(mutex_);
  append_segments(tenant_locked(id), segments);
}

std::optional<SequenceNumber> TenantTable::first_unflushed_of(const TenantId& id) const {
  MutexLock lock(mutex_);
  const auto found = tenants_.find(id);
  if (found == tenants_.end()) return std::nullopt;
  if (!found->second.sealed.empty()) return (*found->second.sealed.front())[0].first_sequence;
  if (found->second.active != nullptr) return (*found->second.active)[0].first_sequence;
  return std::nullopt;
}

std::optional<SequenceNumber> TenantTable::first_unflushed(const std::optional<TenantId>& flushing) const {
  std::optional<SequenceNumber> first;
  MutexLock lock(mutex_);
  for (const auto& [id, tenant] : tenants_) {
    const std::size_t left_out = flushing && id == *flushing ? 1 : 0;
    const Memtable* const oldest =
        left_out < tenant.sealed.size() ? tenant.sealed[left_out].get() : tenant.active.get();
    if (oldest == nullptr) continue;
    const SequenceNumber sequence = (*oldest)[0].first_sequence;
    if (!first || sequence < *first) first = sequence;
  }
  return first;
}

}  // namespace dendro
