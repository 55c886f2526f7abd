// RowReducer: what the counts of a row group's directory entry tell by themselves: records a stream, or a minute and
// severity, never both at once.
#include <algorithm>

#include "storage/scan/row_reducer.h"

namespace dendro {
namespace {

constexpr std::int64_t kNanosPerMinute = 60 * kNanosPerSecond;

}  // namespace

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

bool RowReducer::count_from_directory(const RowGroupReader& reader, std::span<const std::uint8_t> streams,
                                      DirectoryCounts& counts) {
  if (reduction_.keeps_extremes) return false;
  const RowGroupEntry& entry = reader.entry();
  bool by_stream = false;
  bool by_severity = false;
  for (const FieldPlaces& places : places_in(reader)) {
    const Told told = told_by(places, entry);
    if (told == Told::by_columns) return false;
    by_stream = by_stream || told == Told::by_stream;
    by_severity = by_severity || told == Told::by_severity;
  }
  const std::int64_t step = reduction_.time_step_ns;
  const bool by_time = step != 0 && !is_one_step(entry);
  if (!by_time && !by_severity) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const IndexCount& count = entry.stream_counts[i];
      if (streams[i] == 0) continue;
      counts.add_stream(entry.min_timestamp, by_stream ? std::optional(count.index) : std::nullopt, count.count);
    }
    return true;
  }
  const bool is_whole = std::find(streams.begin(), streams.end(), 0) == streams.end();
  if (by_stream || !is_whole || (by_time && step % kNanosPerMinute != 0)) return false;
  for (const MinuteCount& count : entry.minute_counts) {
    const Timestamp time =
        by_time ? std::max(Timestamp(count.minute * kNanosPerMinute), entry.min_timestamp) : entry.min_timestamp;
    counts.add_severity(time, by_severity ? count.severity : kSeverityUnset, count.count);
  }
  return true;
}

}  // namespace dendro
