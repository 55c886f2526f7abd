// RowReducer: what the counts of a row group's directory entry tell by themselves: records a stream, or a minute and
// severity, never both at once.
#include <algorithm>
#include <array>
#include <numeric>

#include "record/record_batch_builder.h"
#include "storage/scan/row_reducer.h"

namespace dendro {
namespace {

constexpr std::int64_t kNanosPerMinute = 60 * kNanosPerSecond;

/// Records that stand for many.
class CountedRecords {
 public:
  explicit CountedRecords(const RowGroupEntry& entry) : entry_(entry), builder_(entry.min_timestamp) {}

  void add(Timestamp timestamp, SeverityNumber severity, const Stream* stream, std::uint32_t weight) {
    builder_.begin_record();
    builder_.set_timestamp(timestamp);
    builder_.set_severity(severity);
    if (stream != nullptr) {
      for (const StreamLabel& label : stream->labels) builder_.add_label(label.path, label.value);
    }
    builder_.end_record();
    weights_.push_back(weight);
  }
  RecordBlock finish() {
    RecordBlock block;
    block.batch = builder_.finish();
    block.first_sequence = entry_.first_sequence;
    block.rows.resize(weights_.size());
    std::iota(block.rows.begin(), block.rows.end(), 0u);
    block.weights = std::move(weights_);
    return block;
  }

 private:
  const RowGroupEntry& entry_;
  RecordBatchBuilder builder_;
  std::vector<std::uint32_t> weights_;
};

RecordBlock count_streams(const RowGroupReader& reader, std::span<const std::uint8_t> flags, bool by_stream) {
  const RowGroupEntry& entry = reader.entry();
  CountedRecords records(entry);
  std::uint32_t together = 0;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] == 0) continue;
    const IndexCount& count = entry.stream_counts[i];
    together += count.count;
    if (by_stream) {
      records.add(entry.min_timestamp, kSeverityUnset, &reader.dictionary().streams()[count.index], count.count);
    }
  }
  if (!by_stream) records.add(entry.min_timestamp, kSeverityUnset, nullptr, together);
  return records.finish();
}

}  // namespace

/// @param step_ns  whole minutes; 0: all of the row group is one step.
RecordBlock RowReducer::count_minutes(const RowGroupEntry& entry, std::int64_t step_ns, bool by_severity) {
  CountedRecords records(entry);
  std::array<std::uint32_t, kSeverityMax + 1> counts{};
  Timestamp first = entry.min_timestamp;  // of the step at hand
  const auto end_step = [&] {
    for (std::size_t severity = 0; severity < counts.size(); ++severity) {
      if (counts[severity] != 0) {
        records.add(first, static_cast<SeverityNumber>(severity), nullptr, counts[severity]);
      }
    }
    counts.fill(0);
  };
  std::int64_t last_step = 0;
  bool is_first = true;
  for (const MinuteCount& count : entry.minute_counts) {
    const std::int64_t time = count.minute * kNanosPerMinute;
    const std::int64_t step = step_ns == 0 ? 0 : floor_multiple(time, step_ns);
    if (!is_first && step != last_step) end_step();
    if (is_first || step != last_step) first = std::max(Timestamp(time), entry.min_timestamp);
    is_first = false;
    last_step = step;
    counts[by_severity ? count.severity : 0] += count.count;
  }
  end_step();
  return records.finish();
}

RowReducer::Told RowReducer::told_by(const FieldPlaces& places, const RowGroupEntry& entry) {
  using Kind = FieldPlaces::InShape::Kind;
  const auto has = [&](bool is_set) {
    return std::any_of(entry.minute_counts.begin(), entry.minute_counts.end(),
                       [&](const MinuteCount& count) { return (count.severity != kSeverityUnset) == is_set; });
  };
  const bool has_set = has(true);
  const bool has_unset = has(false);
  bool has_severity = false;
  bool has_text = false;
  bool has_missing = false;
  for (const IndexCount& shape : entry.shape_counts) {
    const Kind set = has_set ? places.shapes[shape.index].kind : Kind::missing;
    const Kind unset = has_unset ? places.shapes_unset[shape.index].kind : Kind::missing;
    for (const Kind kind : {set, unset}) {
      if (kind != Kind::missing && kind != Kind::severity && kind != Kind::stream) return Told::by_columns;
    }
    has_severity = has_severity || set == Kind::severity;
    has_text = has_text || set == Kind::stream || unset == Kind::stream;
    has_missing = has_missing || (has_set && set == Kind::missing) || (has_unset && unset == Kind::missing);
  }
  const bool has_label = std::any_of(entry.stream_counts.begin(), entry.stream_counts.end(),
                                     [&](const IndexCount& at) { return !places.streams[at.index].is_missing(); });
  if (has_severity) return has_label || has_text || !has_set ? Told::by_columns : Told::by_severity;
  if (has_text) return has_label || has_missing ? Told::by_columns : Told::by_stream;
  return has_label ? Told::by_stream : Told::by_nothing;
}

std::optional<RecordBlock> RowReducer::reduce_from_directory(const RowGroupReader& reader,
                                                             std::span<const std::uint8_t> streams) {
  if (reduction_.keeps_extremes) return std::nullopt;
  const RowGroupEntry& entry = reader.entry();
  const bool is_whole = std::find(streams.begin(), streams.end(), 0) == streams.end();
  bool by_stream = false;
  bool by_severity = false;
  for (const FieldPlaces& places : places_in(reader)) {
    const Told told = told_by(places, entry);
    if (told == Told::by_columns) return std::nullopt;
    by_stream = by_stream || told == Told::by_stream;
    by_severity = by_severity || told == Told::by_severity;
  }
  const std::int64_t step = reduction_.time_step_ns;
  const bool by_time = step != 0 && !is_one_step(entry);
  if (!by_time && !by_severity) return count_streams(reader, streams, by_stream);
  if (by_stream || !is_whole || (by_time && step % kNanosPerMinute != 0)) return std::nullopt;
  return count_minutes(entry, by_time ? step : 0, by_severity);
}

}  // namespace dendro
