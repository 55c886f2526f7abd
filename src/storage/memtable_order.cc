#include "storage/memtable_order.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>

namespace dendro {
namespace {

/// Number of the UTC day, also for times before 1970.
std::int64_t day_number(Timestamp t) {
  const std::int64_t days = t.number() / kNanosPerDay;
  return t.number() % kNanosPerDay < 0 ? days - 1 : days;
}

bool is_earlier_row(const MemtableRow& a, const MemtableRow& b) {
  return std::tie(a.timestamp, a.entry, a.row) < std::tie(b.timestamp, b.entry, b.row);
}

}  // namespace

std::vector<DayOfRecords> order_by_day(const MemtableView& memtable) {
  std::map<std::int64_t, std::vector<MemtableRow>> days;
  for (std::uint32_t entry = 0; entry < memtable.count; ++entry) {
    const std::span<const std::int64_t> timestamps = memtable[entry].batch.timestamps();
    for (std::uint32_t row = 0; row < timestamps.size(); ++row) {
      const Timestamp timestamp(timestamps[row]);
      days[day_number(timestamp)].push_back({timestamp, entry, row});
    }
  }
  std::vector<DayOfRecords> ordered;
  for (auto& [number, rows] : days) {
    if (!std::is_sorted(rows.begin(), rows.end(), is_earlier_row)) std::sort(rows.begin(), rows.end(), is_earlier_row);
    ordered.push_back({day_start(rows.front().timestamp), std::move(rows)});
  }
  return ordered;
}

Result<SegmentInfo> write_day_segment(const StorePaths& paths, FileSystem& files, const SegmentWriter::Place& place,
                                      const MemtableView& memtable, const DayOfRecords& day) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<SegmentWriter> writer, SegmentWriter::create(paths, files, place));
  std::set<const KeyedReply*> keys;
  std::vector<std::shared_ptr<const RecordBatch>> opened(memtable.count);
  for (const MemtableRow& row : day.rows) {
    const MemtableEntry& entry = memtable[row.entry];
    std::shared_ptr<const RecordBatch>& batch = opened[row.entry];
    if (batch == nullptr) batch = entry.batch.open();
    DENDRO_TRY(writer->add({batch.get(), row.row, entry.first_sequence.next(row.row), batch->receive_time()}));
    if (entry.keyed != nullptr && keys.insert(entry.keyed.get()).second) writer->add_key(*entry.keyed);
  }
  return writer->finish();
}

}  // namespace dendro
