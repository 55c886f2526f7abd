#include "storage/segment/segment_check.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "storage/limits.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/template_values.h"
#include "storage/segment/token_filter.h"

namespace dendro {
namespace {

constexpr std::size_t kCheckSliceRows = 4'096;
constexpr std::size_t kCheckCacheBytes = std::size_t{256}
                                         << 20;  // about one row group, which is read by column and by record
constexpr std::size_t kFaultsPerSegmentMax = 20;
constexpr std::int64_t kCheckNanosPerMinute = 60 * kNanosPerSecond;

std::int64_t minute_of(Timestamp time) {
  const std::int64_t minutes = time.number() / kCheckNanosPerMinute;
  return time.number() % kCheckNanosPerMinute < 0 ? minutes - 1 : minutes;
}

using CountByIndex = std::map<std::uint32_t, std::uint64_t>;

CountByIndex counted(const IndexColumn& column) {
  CountByIndex counts;
  for (const std::uint16_t code : column.codes) ++counts[column.table[code]];
  return counts;
}
CountByIndex stated(const std::vector<IndexCount>& entries) {
  CountByIndex counts;
  for (const IndexCount& entry : entries) counts[entry.index] += entry.count;
  return counts;
}

bool is_same(const SlotSummary& a, const SlotSummary& b) {
  return a.classes == b.classes && a.max_bytes == b.max_bytes;
}

class SegmentCheck {
 public:
  SegmentCheck(const Segment& segment, const std::function<void(std::uint64_t)>& on_records)
      : segment_(segment), on_records_(on_records) {}

  std::vector<StorageFault> run() {
    const Result<std::shared_ptr<const SegmentTables>> tables = segment_.tables();
    if (!tables) {
      note(tables.error());
      return std::move(faults_);
    }
    tables_ = *tables;
    for (std::size_t i = 0; i < tables_->dictionary->columns().size(); ++i) {
      slots_.emplace_back(tables_->dictionary->templates(i).slots.size());
    }
    for (std::uint32_t i = 0; i < tables_->row_groups.size(); ++i) check_row_group(i);
    if (faults_.empty()) compare_totals();
    return std::move(faults_);
  }

 private:
  bool is_full() const { return faults_.size() >= kFaultsPerSegmentMax; }
  void note(const Error& error, std::optional<std::uint64_t> offset = {}) {
    if (is_full()) return;
    StorageFault fault = StorageFault::of(segment_.path(), error, offset);
    const auto is_known = [&fault](const StorageFault& known) { return known.what == fault.what; };
    if (std::none_of(faults_.begin(), faults_.end(), is_known)) faults_.push_back(std::move(fault));
  }
  void note_false(const RowGroupEntry& group, const std::string& what) {
    note(Error(ErrorCode::corruption, "row group " + std::to_string(group_index_) + ": " + what),
         group.blocks.empty() ? std::optional<std::uint64_t>() : group.blocks.front().offset);
  }
  void note_column(const RowGroupEntry& group, const ColumnEntry& entry, const std::string& what) {
    note_false(group, "column " + std::string(tables_->dictionary->columns()[entry.column].path) + ": " + what);
  }

  void check_row_group(std::uint32_t index) {
    const RowGroupEntry& group = tables_->row_groups[index];
    group_index_ = index;
    const std::size_t faults_before = faults_.size();
    for (const BlockPlace& block : group.blocks) {
      const Result<std::string> plain = segment_.read_block(block);
      if (!plain) note(plain.error());
    }
    // Behind a damaged block everything else would fail as well, and say less.
    if (faults_.size() > faults_before) return;
    PieceCache cache(kCheckCacheBytes);
    RowGroupReader reader(segment_, *tables_, index, cache);
    const Status checked = check_contents(reader, group);
    if (!checked) note(checked.error(), group.blocks.empty() ? 0 : group.blocks.front().offset);
    if (on_records_) on_records_(group.record_count);
  }

  Status check_contents(RowGroupReader& reader, const RowGroupEntry& group) {
    DENDRO_TRY(check_order(reader, group));
    DENDRO_TRY_ASSIGN(const auto shapes, reader.shapes());
    DENDRO_TRY_ASSIGN(const auto streams, reader.streams());
    if (counted(*shapes) != stated(group.shape_counts)) note_false(group, "the counts of shapes are false");
    if (counted(*streams) != stated(group.stream_counts)) note_false(group, "the counts of streams are false");
    DENDRO_TRY(check_columns_present(reader, group, *shapes));
    std::shared_ptr<const TokenFilterPiece> filter;  // none: nothing is asked
    if (!group.filter.is_empty()) {
      DENDRO_TRY_ASSIGN(filter, reader.filter());
    }
    TokenKeys keys;
    for (const ColumnEntry& entry : group.columns) DENDRO_TRY(check_column(reader, group, entry, keys));
    for (const std::uint64_t key : keys.keys()) {
      if (filter == nullptr || filter->view.may_contain(key)) continue;
      note_false(group, "the filter denies a token that is there");
      break;
    }
    return check_records(reader, group);
  }

  /// Timestamps, sequences, severities, and the statistics about them.
  Status check_order(RowGroupReader& reader, const RowGroupEntry& group) {
    DENDRO_TRY_ASSIGN(const auto timestamps, reader.timestamps());
    DENDRO_TRY_ASSIGN(const auto sequences, reader.sequences());
    DENDRO_TRY_ASSIGN(const auto severities, reader.severities());
    std::map<std::pair<std::int64_t, std::uint8_t>, std::uint64_t> minutes;
    SequenceNumber least = SequenceNumber(static_cast<std::uint64_t>(sequences->values.front()));
    SequenceNumber greatest = least;
    for (std::size_t i = 0; i < timestamps->values.size(); ++i) {
      const RecordPosition position{Timestamp(timestamps->values[i]),
                                    SequenceNumber(static_cast<std::uint64_t>(sequences->values[i]))};
      if (last_ && !(*last_ < position)) note_false(group, "record " + std::to_string(i) + " is out of order");
      last_ = position;
      if (day_start(position.timestamp) != segment_.info().day) note_false(group, "a record of another day");
      least = std::min(least, position.sequence);
      greatest = std::max(greatest, position.sequence);
      ++minutes[{minute_of(position.timestamp), static_cast<std::uint8_t>(severities->values[i] & 0x7F)}];
    }
    if (Timestamp(timestamps->values.front()) != group.min_timestamp ||
        Timestamp(timestamps->values.back()) != group.max_timestamp) {
      note_false(group, "the range of timestamps is false");
    }
    if (least != group.first_sequence || greatest != group.last_sequence) {
      note_false(group, "the range of sequence numbers is false");
    }
    std::map<std::pair<std::int64_t, std::uint8_t>, std::uint64_t> stated_minutes;
    for (const MinuteCount& count : group.minute_counts) stated_minutes[{count.minute, count.severity}] += count.count;
    if (minutes != stated_minutes) note_false(group, "the counts by minute and severity are false");
    note_totals(group, least, greatest);
    return {};
  }

  void note_totals(const RowGroupEntry& group, SequenceNumber least, SequenceNumber greatest) {
    const bool is_first = records_ == 0;
    records_ += group.record_count;
    raw_bytes_ += group.raw_bytes;
    min_timestamp_ = is_first ? group.min_timestamp : std::min(min_timestamp_, group.min_timestamp);
    max_timestamp_ = is_first ? group.max_timestamp : std::max(max_timestamp_, group.max_timestamp);
    first_sequence_ = is_first ? least : std::min(first_sequence_, least);
    last_sequence_ = is_first ? greatest : std::max(last_sequence_, greatest);
  }

  /// Every column that a shape of the row group asks for, and no other.
  Status check_columns_present(RowGroupReader& reader, const RowGroupEntry& group, const IndexColumn& shapes) {
    std::set<std::uint32_t> wanted;
    for (const std::uint32_t shape : shapes.table) {
      for (const std::uint32_t column : reader.dictionary().shape_columns(shape)) {
        if (column != kNoColumn) wanted.insert(column);
      }
    }
    for (const ColumnEntry& entry : group.columns) {
      if (wanted.erase(entry.column) == 0) note_column(group, entry, "no record has it");
    }
    if (!wanted.empty()) note_false(group, "columns are missing");
    return {};
  }

  Status check_column(RowGroupReader& reader, const RowGroupEntry& group, const ColumnEntry& entry, TokenKeys& keys) {
    DENDRO_TRY_ASSIGN(const auto rows, reader.rows_of(entry));
    (void)rows;  // reading it compares the count of values with the shapes
    switch (entry.layout) {
      case ColumnLayout::strings:
      case ColumnLayout::time_texts:
        return check_strings(reader, group, entry, keys);
      case ColumnLayout::templates:
        return check_templates(reader, group, entry, keys);
      case ColumnLayout::integers: {
        DENDRO_TRY_ASSIGN(const auto numbers, reader.integers(entry));
        check_range(group, entry, numbers->values);
        return {};
      }
      case ColumnLayout::floats: {
        DENDRO_TRY_ASSIGN(const auto numbers, reader.floats(entry));
        (void)numbers;
        return {};
      }
      case ColumnLayout::times:
        break;
    }
    DENDRO_TRY_ASSIGN(const auto times, reader.times(entry));
    check_range(group, entry, times->instants);
    return {};
  }

  void check_range(const RowGroupEntry& group, const ColumnEntry& entry, const std::vector<std::int64_t>& numbers) {
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    if (*low != entry.min || *high != entry.max) note_column(group, entry, "its least or greatest value is false");
  }

  Status check_strings(RowGroupReader& reader, const RowGroupEntry& group, const ColumnEntry& entry, TokenKeys& keys) {
    if (entry.layout == ColumnLayout::time_texts) {
      DENDRO_TRY_ASSIGN(const auto times, reader.times(entry));
      check_range(group, entry, times->instants);
    }
    DENDRO_TRY_ASSIGN(const auto values, reader.strings(entry));
    SlotSummary summary;
    for (std::size_t i = 0; i < values->entry_count(); ++i) {
      summary.add(values->entry(i));
      if (entry.is_in_filter) keys.add_text(values->entry(i));
    }
    if (!is_same(summary, entry.summary)) note_column(group, entry, "the summary of its values is false");
    return {};
  }

  Status check_templates(RowGroupReader& reader, const RowGroupEntry& group, const ColumnEntry& entry,
                         TokenKeys& keys) {
    DENDRO_TRY_ASSIGN(const auto values, TemplateValues::open(reader, entry));
    std::string text;
    for (std::uint32_t i = 0; i < entry.value_count; ++i) {
      text.clear();
      DENDRO_TRY(values->append_value(i, text));
    }
    const ColumnTemplates& templates = reader.dictionary().templates(entry.column);
    const TemplateColumn& head = values->head();
    for (std::uint32_t local = 0; local < head.locals.size(); ++local) {
      const TemplateView& own = templates.templates[head.locals[local].number];
      for (std::uint32_t slot = 0; slot < own.slot_count; ++slot) {
        for (std::uint32_t rank = 0; rank < head.locals[local].value_count; ++rank) {
          DENDRO_TRY_ASSIGN(const std::string_view variable, values->slot_value(local, slot, rank));
          slots_[entry.column][own.first_slot + slot].add(variable);
          if (!group.filter.is_empty()) keys.add_token(variable);
        }
      }
    }
    return {};
  }

  Status check_records(RowGroupReader& reader, const RowGroupEntry& group) {
    RecordDecoder decoder(reader);
    std::uint64_t raw_bytes = 0;
    for (std::uint32_t first = 0; first < group.record_count; first += kCheckSliceRows) {
      std::vector<std::uint32_t> rows(std::min<std::size_t>(kCheckSliceRows, group.record_count - first));
      std::iota(rows.begin(), rows.end(), first);
      DENDRO_TRY_ASSIGN(const RecordBlock block, decoder.decode(rows));
      for (const std::uint32_t row : block.rows) raw_bytes += block.record(row).value_bytes().size();
    }
    if (raw_bytes != group.raw_bytes) {
      note_false(group, "holds " + std::to_string(raw_bytes) + " raw bytes, not " + std::to_string(group.raw_bytes));
    }
    return {};
  }

  void compare_totals() {
    const SegmentInfo& info = segment_.info();
    const auto differ = [this](const std::string& what) { note(Error(ErrorCode::corruption, "META: " + what)); };
    if (records_ != info.record_count) differ("the count of records is false");
    if (raw_bytes_ != info.raw_bytes) differ("the count of raw bytes is false");
    if (min_timestamp_ != info.min_timestamp || max_timestamp_ != info.max_timestamp) {
      differ("the range of timestamps is false");
    }
    if (first_sequence_ != info.first_sequence || last_sequence_ != info.last_sequence) {
      differ("the range of sequence numbers is false");
    }
    compare_slots();
  }

  void compare_slots() {
    for (std::size_t column = 0; column < slots_.size(); ++column) {
      const std::vector<SlotSummary>& stated_slots = tables_->dictionary->templates(column).slots;
      if (std::equal(slots_[column].begin(), slots_[column].end(), stated_slots.begin(), is_same)) continue;
      note(Error(ErrorCode::corruption, "DICT: column " + std::string(tables_->dictionary->columns()[column].path) +
                                            ": the summary of a slot is false"));
    }
  }

  const Segment& segment_;
  const std::function<void(std::uint64_t)>& on_records_;
  std::shared_ptr<const SegmentTables> tables_;
  std::vector<StorageFault> faults_;
  std::uint32_t group_index_ = 0;
  std::optional<RecordPosition> last_;
  std::vector<std::vector<SlotSummary>> slots_;  ///< by column, found by reading
  std::uint64_t records_ = 0, raw_bytes_ = 0;
  Timestamp min_timestamp_, max_timestamp_;
  SequenceNumber first_sequence_, last_sequence_;
};

}  // namespace

std::vector<StorageFault> check_segment(const Segment& segment, const std::function<void(std::uint64_t)>& on_records) {
  return SegmentCheck(segment, on_records).run();
}

}  // namespace dendro
