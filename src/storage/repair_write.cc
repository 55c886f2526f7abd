// What repair does, once somebody decided: R1 to R4 of repair.h.
#include <algorithm>

#include "storage/memtable_order.h"
#include "storage/repair_work.h"
#include "storage/segment/segment_writer.h"
#include "storage/wal_format.h"

namespace dendro {

Status StoreRepairWork::carry_out() {
  DENDRO_TRY(save_aside());
  if (salvages_wal_) {
    DENDRO_TRY(write_salvaged_records());
    DENDRO_TRY(make_next_wal_file());
    let_go_of_wal();
  }
  return list_everything();
}

Status StoreRepairWork::save_aside() {
  std::set<std::string> folders;
  for (const std::string& path : aside_) {
    DENDRO_TRY_ASSIGN(const CopiedFile copied, copy_file(files_, path, damaged_name(files_, path)));
    (void)copied;
    folders.insert(path.substr(0, path.rfind('/')));
  }
  for (const std::string& folder : folders) DENDRO_TRY(files_.sync_directory(folder));
  return {};
}

Status StoreRepairWork::write_salvaged_records() {
  std::map<TenantId, std::shared_ptr<Memtable>> memtables;
  for (SalvagedRequest& request : salvage_.requests) {
    std::shared_ptr<Memtable>& memtable = memtables[request.tenant];
    if (memtable == nullptr) memtable = std::make_shared<Memtable>(std::chrono::nanoseconds(0));
    std::shared_ptr<const KeyedReply> keyed;
    if (request.key) keyed = std::make_shared<const KeyedReply>(KeyedReply{*request.key, request.reply});
    for (auto& [first, batch] : request.batches) memtable->append({std::move(batch), first, keyed});
  }
  for (const auto& [tenant, memtable] : memtables) DENDRO_TRY(write_tenant(tenant, {memtable, memtable->size()}));
  return {};
}

Status StoreRepairWork::write_tenant(const TenantId& tenant, const MemtableView& memtable) {
  for (DayOfRecords& day : order_by_day(memtable)) {
    std::erase_if(day.rows, [&](const MemtableRow& row) {
      return !is_wanted(tenant, memtable[row.entry].first_sequence.next(row.row));
    });
    if (day.rows.empty()) continue;
    SegmentWriter::Place place{store_id_, state_.counters.next_segment, tenant, day.day};
    state_.counters.next_segment = place.id.next();
    DENDRO_TRY_ASSIGN(SegmentInfo info, write_day_segment(paths_, files_, place, memtable, day));
    written_.push_back(std::move(info));
  }
  const MemtableEntry& last = memtable[memtable.count - 1];
  flushed_.push_back({tenant, last.first_sequence.next(last.batch.size() - 1)});
  return {};
}

Status StoreRepairWork::make_next_wal_file() {
  DENDRO_TRY(files_.create_directories(paths_.wal_folder()));
  DENDRO_TRY(files_.create_directories(paths_.tenants_folder()));
  const WalNumber number = next_wal();
  const std::string path = paths_.wal_file(number);
  if (files_.exists(path)) return {};  // an earlier repair got so far
  if (files_.exists(path + ".tmp")) DENDRO_TRY(files_.remove(path + ".tmp"));
  DENDRO_TRY(write_new_file(files_, path + ".tmp", encode_wal_header(store_id_, number, clock_.now())));
  DENDRO_TRY(files_.rename(path + ".tmp", path));
  return files_.sync_directory(paths_.wal_folder());
}

Status StoreRepairWork::list_everything() {
  const std::uint64_t number = number_ + 1;
  const std::string path = paths_.manifest(number);
  if (files_.exists(path)) DENDRO_TRY(files_.remove(path));  // CURRENT does not name it: it was never live
  DENDRO_TRY(write_new_file(files_, path, encode_manifest(store_id_, number, clock_.now(), state_)));
  DENDRO_TRY(files_.sync_directory(paths_.root()));
  return replace_file(files_, paths_.root(), paths_.current(), StorePaths::manifest_name(number) + "\n");
}

void StoreRepairWork::let_go_of_wal() {
  for (const SegmentInfo& info : written_) state_.segments.emplace(info.id, info);
  for (const FlushedThrough& flushed : flushed_) {
    SequenceNumber& sequence = state_.flushed_through[flushed.tenant];
    sequence = std::max(sequence, flushed.sequence);
  }
  for (const auto& [tenant, floor] : floors_) {
    SequenceNumber& sequence = state_.flushed_through[tenant];
    sequence = std::max(sequence, floor);
  }
  state_.counters.last_sequence = std::max(state_.counters.last_sequence, salvage_.last_sequence);
  state_.counters.first_live_wal = next_wal();
}

}  // namespace dendro
