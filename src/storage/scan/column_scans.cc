// Nodes that a column or the directory decides: time, stream, severity.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "filter/field_reader.h"
#include "storage/scan/scan_node.h"

namespace dendro {
namespace {

class TimeScan final : public ScanNode {
 public:
  explicit TimeScan(TimeRange range) : range_(range) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    const RowGroupEntry& entry = reader.entry();
    if (range_.first >= range_.last || !range_.overlaps(entry.min_timestamp, entry.max_timestamp)) return verdict;
    DENDRO_TRY_ASSIGN(const auto times, reader.timestamps());
    const auto begin = times->values.begin();
    const auto first = std::lower_bound(begin, times->values.end(), range_.first.number());
    const auto last = std::lower_bound(first, times->values.end(), range_.last.number());
    verdict.possible.set_range(static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - begin));
    verdict.certain = verdict.possible;
    return verdict;
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    const RowGroupEntry& entry = reader.entry();
    if (range_.first >= range_.last || !range_.overlaps(entry.min_timestamp, entry.max_timestamp)) {
      return flag_streams(reader, false);
    }
    const bool is_inside = range_.contains(entry.min_timestamp) && range_.contains(entry.max_timestamp);
    return is_inside ? std::optional(flag_streams(reader, true)) : std::nullopt;
  }
  int cost() const override { return 1; }

 private:
  const TimeRange range_;
};

/// What a record's stream decides, asked once a stream of a segment.
class StreamScan final : public ScanNode {
 public:
  explicit StreamScan(StreamConditionPtr condition) : condition_(std::move(condition)) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    return rows_of_streams(reader, *select_streams(reader));
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    const StreamFlags& accepted = verdicts(reader);
    StreamFlags flags;
    flags.reserve(reader.entry().stream_counts.size());
    for (const IndexCount& count : reader.entry().stream_counts) flags.push_back(accepted[count.index]);
    return flags;
  }
  std::optional<StreamFlags> label_flags(const RowGroupReader& reader) override { return select_streams(reader); }
  int cost() const override { return 2; }

 private:
  /// A flag for each stream of the segment.
  const StreamFlags& verdicts(const RowGroupReader& reader) {
    StreamFlags& accepted = known_[reader.segment().info().id];
    const std::vector<Stream>& streams = reader.dictionary().streams();
    if (!accepted.empty() || streams.empty()) return accepted;
    accepted.reserve(streams.size());
    for (const Stream& stream : streams) accepted.push_back(condition_->accepts(stream) ? 1 : 0);
    return accepted;
  }

  const StreamConditionPtr condition_;
  std::map<SegmentId, StreamFlags> known_;
};

class SeverityScan final : public ScanNode {
 public:
  explicit SeverityScan(const SeverityTest& test) : name_(resolve_field_name(test.field)), numbers_(test.numbers) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    if (has_other_place(reader)) return RowVerdict::unknown(rows_in(reader));
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    const std::vector<MinuteCount>& counts = reader.entry().minute_counts;
    const auto is_wanted = [this](const MinuteCount& count) { return (numbers_ >> count.severity & 1) != 0; };
    if (std::none_of(counts.begin(), counts.end(), is_wanted)) return verdict;
    if (std::all_of(counts.begin(), counts.end(), is_wanted)) return RowVerdict::all_of(rows_in(reader), true);
    DENDRO_TRY_ASSIGN(const auto severities, reader.severities());
    for (std::size_t row = 0; row < severities->values.size(); ++row) {
      if ((numbers_ >> (severities->values[row] & 0x7F) & 1) != 0) verdict.possible.set(row);
    }
    verdict.certain = verdict.possible;
    return verdict;
  }
  int cost() const override { return 1; }

 private:
  /// An attribute or label of that name may answer instead of the column.
  bool has_other_place(const RowGroupReader& reader) {
    const auto [known, is_new] = known_.emplace(reader.segment().info().id, false);
    if (!is_new) return known->second;
    for (const FieldCandidate& candidate : name_.candidates) {
      if (candidate.path.empty()) continue;
      for (const Shape& shape : reader.dictionary().shapes()) {
        known->second = known->second || std::any_of(shape.leaves.begin(), shape.leaves.end(), [&](const Leaf& leaf) {
                          return (leaf.role == LeafRole::attribute || leaf.role == LeafRole::body_part) &&
                                 leaf.path == candidate.path;
                        });
      }
      for (const Stream& stream : reader.dictionary().streams()) {
        known->second = known->second || stream.find(candidate.path) != nullptr;
      }
    }
    return known->second;
  }

  const FieldName name_;
  const std::uint32_t numbers_;
  std::map<SegmentId, bool> known_;
};

}  // namespace

Result<RowVerdict> rows_of_streams(RowGroupReader& reader, const StreamFlags& flags) {
  const auto flagged = static_cast<std::size_t>(std::count(flags.begin(), flags.end(), 1));
  if (flagged == 0 || flagged == flags.size()) return RowVerdict::all_of(rows_in(reader), flagged != 0);
  DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
  std::vector<std::uint8_t> is_wanted(reader.dictionary().streams().size(), 0);
  for (std::size_t i = 0; i < flags.size(); ++i) is_wanted[reader.entry().stream_counts[i].index] = flags[i];
  RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
  for (std::size_t row = 0; row < streams->codes.size(); ++row) {
    if (is_wanted[streams->table[streams->codes[row]]] != 0) verdict.possible.set(row);
  }
  verdict.certain = verdict.possible;
  return verdict;
}

ScanNodePtr make_time_scan(TimeRange range) {
  return std::make_unique<TimeScan>(range);
}
ScanNodePtr make_stream_scan(StreamConditionPtr condition) {
  return std::make_unique<StreamScan>(std::move(condition));
}
ScanNodePtr make_severity_scan(const SeverityTest& test) {
  return std::make_unique<SeverityScan>(test);
}

}  // namespace dendro
