#include "storage/repair.h"

#include <algorithm>

#include "storage/read_only_files.h"
#include "storage/recovery.h"
#include "storage/repair_work.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/segment.h"

namespace dendro {
namespace {

std::string ranges_text(const SequenceSpan& range) {
  return range.first == range.last
             ? "sequence number " + std::to_string(range.first.number())
             : "sequence numbers " + std::to_string(range.first.number()) + " to " +
                   std::to_string(range.last.number()) + " (" + std::to_string(range.count()) + " records)";
}

}  // namespace

Status StoreRepairWork::look() {
  if (!is_store(paths_, files_)) {
    return Error(ErrorCode::not_found, "'" + paths_.root() + "' is not a data folder of dendro");
  }
  DENDRO_TRY_ASSIGN(lock_, files_.lock(paths_.lock_file()));
  Result<LiveManifest> live = read_live_manifest(paths_, files_);
  if (live) {
    number_ = live->number;
    store_id_ = live->contents.store_id;
    state_ = std::move(live->contents.state);
    return look_at_wal();
  }
  if (live.error().code() != ErrorCode::corruption) return live.error();
  DENDRO_TRY_ASSIGN(const bool is_empty, holds_nothing());
  if (is_empty) return {};  // a new store
  note_finding(live.error().message());
  return rebuild_manifest();
}

void StoreRepairWork::note_finding(const std::string& text) {
  if (std::find(plan_.findings.begin(), plan_.findings.end(), text) == plan_.findings.end()) {
    plan_.findings.push_back(text);
  }
}

Status StoreRepairWork::look_at_wal() {
  ReadOnlyFiles files(files_);
  TenantTable tenants(clock_, {std::chrono::hours(24), 0});
  const Result<RecoveredWal> recovered = recover_wal(paths_, files, clock_, store_id_, state_, tenants);
  if (recovered) return {};
  if (recovered.error().code() != ErrorCode::corruption) return recovered.error();
  note_finding(recovered.error().message());
  for (const auto& [tenant, sequence] : state_.flushed_through) floors_[tenant] = sequence;
  return salvage_records();
}

Status StoreRepairWork::salvage_records() {
  salvages_wal_ = true;
  DENDRO_TRY_ASSIGN(salvage_, salvage_wal(paths_, files_, store_id_, state_.counters.first_live_wal));
  for (const StorageFault& fault : salvage_.faults) note_finding(fault.text());
  for (const std::string& path : salvage_.damaged_files) {
    save(path);
  }
  std::uint64_t records = 0;
  for (const SalvagedRequest& request : salvage_.requests) {
    for (const auto& [first, batch] : request.batches) {
      for (std::uint32_t row = 0; row < batch->size(); ++row) {
        records += is_wanted(request.tenant, first.next(row)) ? 1u : 0u;
      }
    }
  }
  if (records > 0) {
    plan_.steps.push_back("write the " + std::to_string(records) +
                          " records of the WAL that are good and in no segment into new segments");
  }
  plan_.steps.push_back("begin an empty WAL file, " + paths_.wal_file(next_wal()));
  note_lost_records();
  return {};
}

void StoreRepairWork::note_lost_records() {
  std::vector<SequenceSpan> ranges = salvage_.missing;
  const Counters& counters = state_.counters;
  const bool begins_at_first = counters.first_live_wal == WalNumber(1) && salvage_.first_sequence > SequenceNumber(1);
  if (begins_at_first) ranges.push_back({SequenceNumber(1), SequenceNumber(salvage_.first_sequence.number() - 1)});
  if (salvage_.last_sequence < counters.last_sequence) {
    ranges.push_back({salvage_.last_sequence.next(), counters.last_sequence});
  }
  for (const SequenceSpan& range : ranges) note_lost_range(range);
  for (const WalNumber number : salvage_.missing_files) {
    plan_.losses.push_back(paths_.wal_file(number) + " is missing: what it held is lost unless it was in segments");
  }
  const bool is_open_ended = !salvage_.faults.empty() && salvage_.missing.empty() && !begins_at_first;
  if (is_open_ended) {
    plan_.losses.push_back("what the damaged frames named above held, as far as it is not in segments");
  }
}

void StoreRepairWork::note_lost_range(const SequenceSpan& range) {
  std::vector<SequenceNumber> held;
  bool is_certain = true;
  for (const auto& [id, info] : state_.segments) {
    if (info.last_sequence < range.first || range.last < info.first_sequence) continue;
    is_certain = read_sequences(info, range, held).has_value() && is_certain;
  }
  std::sort(held.begin(), held.end());
  SequenceNumber next = range.first;
  const auto lost_up_to = [&](SequenceNumber end) {
    if (next >= end) return;
    plan_.losses.push_back("records of " + ranges_text({next, SequenceNumber(end.number() - 1)}) +
                           (is_certain ? " are lost" : " are lost unless they are in a damaged segment"));
  };
  for (const SequenceNumber sequence : held) {
    lost_up_to(sequence);
    next = std::max(next, sequence.next());
  }
  lost_up_to(range.last.next());
}

Status StoreRepairWork::read_sequences(const SegmentInfo& info, const SequenceSpan& range,
                                       std::vector<SequenceNumber>& out) {
  const auto segment = Segment::open(files_, paths_.segment(info.tenant, info.day, info.id), store_id_, info);
  DENDRO_TRY_ASSIGN(const std::shared_ptr<const SegmentTables> tables, segment->tables());
  PieceCache cache(0);
  for (std::uint32_t i = 0; i < tables->row_groups.size(); ++i) {
    RowGroupReader reader(*segment, *tables, i, cache);
    if (reader.entry().last_sequence < range.first || range.last < reader.entry().first_sequence) continue;
    DENDRO_TRY_ASSIGN(const auto sequences, reader.sequences());
    for (const std::int64_t number : sequences->values) {
      const SequenceNumber sequence(static_cast<std::uint64_t>(number));
      if (range.first <= sequence && sequence <= range.last) out.push_back(sequence);
    }
  }
  return {};
}

bool StoreRepairWork::is_wanted(const TenantId& tenant, SequenceNumber sequence) const {
  const auto floor = floors_.find(tenant);
  if (floor != floors_.end() && sequence <= floor->second) return false;
  const auto held = held_.find(tenant);
  return held == held_.end() || !std::binary_search(held->second.begin(), held->second.end(), sequence);
}

WalNumber StoreRepairWork::next_wal() const {
  return std::max(salvage_.last_number.next(), std::max(state_.counters.first_live_wal, WalNumber(1)));
}

Result<bool> StoreRepairWork::holds_nothing() {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> manifests, list_manifest_files(paths_, files_));
  DENDRO_TRY_ASSIGN(const std::vector<WalNumber> wal, wal_numbers());
  DENDRO_TRY_ASSIGN(const std::vector<std::string> segments, list_segment_files(paths_, files_));
  return manifests.empty() && wal.empty() && segments.empty() && !files_.exists(paths_.current());
}

Result<std::unique_ptr<StoreRepair>> StoreRepair::open(const std::string& directory, FileSystem& files, Clock& clock) {
  auto repair = std::make_unique<StoreRepairWork>(directory, files, clock);
  DENDRO_TRY(repair->look());
  return std::unique_ptr<StoreRepair>(std::move(repair));
}

}  // namespace dendro
