#include "storage/segment/row_group_encoder.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "codec/code_column.h"
#include "codec/float_column.h"
#include "codec/fuse_filter.h"
#include "codec/integer_column.h"
#include "codec/prefetch_text.h"
#include "codec/string_column.h"
#include "storage/segment/block_packer.h"
#include "storage/segment/template_column.h"
#include "storage/segment/token_filter.h"

namespace dendro {
namespace {

constexpr std::int64_t kNanosPerMinute = 60 * kNanosPerSecond;
constexpr std::size_t kUnfilteredEntriesMax = 256;
constexpr std::size_t kReferenceColumnsMax = 8;
constexpr std::size_t kReferenceMeanBytesMin = 8;
/// Gathering steps over long texts, whose bytes are not looked at yet.
constexpr std::size_t kPrefetchFrontBytes = 128;

/// The values of one column while a row group is gathered.
struct ColumnValues {
  std::vector<std::string_view> strings;
  std::vector<std::int64_t> integers;  ///< integers and booleans; times: instant less the record's own
  std::vector<double> floats;
  std::vector<std::int64_t> digits;  ///< times
  std::vector<std::uint32_t> rows;   ///< of each value
  std::int64_t min_instant = 0, max_instant = 0;
  bool is_referable = false;

  void clear() {
    strings.clear();
    integers.clear();
    floats.clear();
    digits.clear();
    rows.clear();
    is_referable = false;
  }
};

/// Numbers of shapes and streams of a batch within the segment; -1 until they are met.
struct BatchNumbers {
  std::vector<std::int64_t> shapes, streams;
};

template <typename Index>
std::vector<IndexCount> count_indices(const std::vector<Index>& indices) {
  std::unordered_map<std::uint32_t, std::uint32_t> counts;
  for (const Index index : indices) ++counts[static_cast<std::uint32_t>(index)];
  std::vector<IndexCount> sorted;
  for (const auto& [index, count] : counts) sorted.push_back({index, count});
  std::sort(sorted.begin(), sorted.end(), [](const IndexCount& a, const IndexCount& b) { return a.index < b.index; });
  return sorted;
}

/// What is common to the strings of a column, and their byte classes.
SlotSummary summarize(const std::vector<std::string_view>& values) {
  SlotSummary summary;
  for (const std::string_view value : values) summary.add(value);
  return summary;
}

}  // namespace

struct RowGroupEncoder::Work {
  Work(SegmentDictionaryBuilder& shared, BlockCompressor& packer) : dictionary(shared), compressor(packer) {}

  RowGroupEntry encode(std::span<const SegmentRow> rows, EncodeForm wanted_form, std::string& stored) {
    form = wanted_form;
    RowGroupEntry entry;
    gather(rows, entry);
    BlockPacker packer(compressor);
    entry.timestamps = packer.add(encoded_integers(timestamps));
    entry.sequences = packer.add(encoded_integers(sequences));
    entry.severities = packer.add(encoded_integers(severities));
    entry.shapes = packer.add(encoded_indices(shapes, entry.shape_counts));
    entry.streams = packer.add(encoded_indices(streams, entry.stream_counts));
    choose_reference_columns();
    keys.clear();
    for (std::uint32_t column = 0; column < columns.size(); ++column) {
      if (!columns[column].rows.empty()) entry.columns.push_back(encode_column(column, packer));
    }
    template_scratch = {};  // the proof may have it
    add_filter(entry, packer);
    entry.blocks = packer.finish(stored);
    return entry;
  }

 private:
  /// Without the filter every query still finds what it should, only slower.
  void add_filter(RowGroupEntry& entry, BlockPacker& packer) {
    const std::vector<std::uint64_t>& filter_keys = keys.keys();
    const Result<std::string> filter = build_fuse_filter(filter_keys);
    if (filter && !filter_keys.empty()) {
      entry.filter = packer.add_alone(*filter);
    } else {
      for (ColumnEntry& column : entry.columns) column.is_in_filter = false;
    }
  }

  void gather(std::span<const SegmentRow> rows, RowGroupEntry& entry) {
    for (ColumnValues& column : columns) column.clear();
    timestamps.clear();
    sequences.clear();
    severities.clear();
    shapes.clear();
    streams.clear();
    batches.clear();
    entry.min_timestamp = rows.front().batch->timestamp(rows.front().row);
    entry.first_sequence = entry.last_sequence = rows.front().sequence;
    std::size_t column_values_max = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kPrefetchAhead < rows.size()) prefetch(rows[i + kPrefetchAhead]);
      const SegmentRow& row = rows[i];
      const RecordView record = row.batch->record(row.row);
      BatchNumbers& numbers = numbers_of(*row.batch);
      const std::uint32_t shape = shape_of(numbers, record);
      column_values_max += dictionary.shape_repeats(shape);
      if (column_values_max > kMaxColumnValues && entry.record_count > 0) break;
      add_record(entry.record_count++, row, record, shape, stream_of(numbers, record), entry);
    }
    entry.max_timestamp = Timestamp(timestamps.back());
  }

  static void prefetch(const SegmentRow& row) {
    prefetch_text(row.batch->record(row.row).value_bytes().substr(0, kPrefetchFrontBytes));
  }

  void add_record(std::uint32_t index, const SegmentRow& row, const RecordView& record, std::uint32_t shape,
                  std::uint32_t stream, RowGroupEntry& entry) {
    timestamps.push_back(record.timestamp().number());
    sequences.push_back(static_cast<std::int64_t>(row.sequence.number()));
    severities.push_back(record.severity() | (record.severity_is_from_body() ? 0x80 : 0));
    shapes.push_back(shape);
    streams.push_back(stream);
    entry.first_sequence = std::min(entry.first_sequence, row.sequence);
    entry.last_sequence = std::max(entry.last_sequence, row.sequence);
    entry.raw_bytes += record.value_bytes().size();
    count_minute(record, entry);
    add_values(index, record, dictionary.shape_columns(shape));
  }

  static void count_minute(const RecordView& record, RowGroupEntry& entry) {
    const std::int64_t time = record.timestamp().number();
    const std::int64_t minute = time / kNanosPerMinute - (time % kNanosPerMinute < 0 ? 1 : 0);
    std::vector<MinuteCount>& counts = entry.minute_counts;
    // Records come by time, so only the last minute's entries are looked at; at most 25 of them.
    for (std::size_t i = counts.size(); i-- > 0 && counts[i].minute == minute;) {
      if (counts[i].severity != record.severity()) continue;
      ++counts[i].count;
      return;
    }
    counts.push_back({minute, record.severity(), 1});
  }

  BatchNumbers& numbers_of(const RecordBatch& batch) {
    BatchNumbers& numbers = batches[&batch];
    if (numbers.shapes.empty()) {
      numbers.shapes.assign(batch.shapes().size(), -1);
      numbers.streams.assign(batch.streams().size(), -1);
    }
    return numbers;
  }
  std::uint32_t shape_of(BatchNumbers& numbers, const RecordView& record) {
    std::int64_t& number = numbers.shapes[record.batch().shape_index(record.index())];
    if (number < 0) {
      number = dictionary.add_shape(record.shape());
      columns.resize(dictionary.column_count());
    }
    return static_cast<std::uint32_t>(number);
  }
  std::uint32_t stream_of(BatchNumbers& numbers, const RecordView& record) {
    std::int64_t& number = numbers.streams[record.batch().stream_index(record.index())];
    if (number < 0) number = dictionary.add_stream(record.stream());
    return static_cast<std::uint32_t>(number);
  }

  void add_values(std::uint32_t index, const RecordView& record, const std::vector<std::uint32_t>& leaf_columns) {
    const char* at = record.value_bytes().data();
    const std::vector<Leaf>& leaves = record.shape().leaves;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaf_columns[i] == kNoColumn) continue;
      const Value value = batch_encoding::read_value(leaves[i].type, at, record.timestamp());
      add_value(index, columns[leaf_columns[i]], value, record.timestamp());
    }
  }

  static void add_value(std::uint32_t index, ColumnValues& column, const Value& value, Timestamp own_time) {
    column.rows.push_back(index);
    switch (value.type) {
      case ValueType::int64:
        column.integers.push_back(value.integer);
        break;
      case ValueType::uint64:
        column.integers.push_back(std::bit_cast<std::int64_t>(value.natural));
        break;
      case ValueType::boolean:
        column.integers.push_back(value.boolean ? 1 : 0);
        break;
      case ValueType::float64:
        column.floats.push_back(value.real);
        break;
      case ValueType::time:
        add_time(column, value, own_time);
        break;
      default:
        column.strings.push_back(value.text);
        break;
    }
  }

  static void add_time(ColumnValues& column, const Value& value, Timestamp own_time) {
    const bool is_first = column.digits.empty();
    column.min_instant = is_first ? value.integer : std::min(column.min_instant, value.integer);
    column.max_instant = is_first ? value.integer : std::max(column.max_instant, value.integer);
    column.digits.push_back(value.fraction_digits);
    // Wraps around; so does the sum that takes it back.
    column.integers.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(value.integer) -
                                                        static_cast<std::uint64_t>(own_time.number())));
  }

  static std::string encoded_integers(const std::vector<std::int64_t>& numbers) {
    std::string out;
    encode_integers(numbers, out);
    return out;
  }

  /// Indices numbered by first use within the row group: {how many, which, codes}.
  std::string encoded_indices(const std::vector<std::uint32_t>& indices, std::vector<IndexCount>& counts) {
    counts = count_indices(indices);
    std::unordered_map<std::uint32_t, std::uint16_t> local;
    std::vector<std::uint16_t> codes;
    std::string table;
    for (const std::uint32_t index : indices) {
      const auto [found, is_new] = local.emplace(index, static_cast<std::uint16_t>(local.size()));
      if (is_new) append_varint(table, index);
      codes.push_back(found->second);
    }
    std::string out;
    append_varint(out, local.size());
    out.append(table);
    encode_codes(codes, compressor, out);
    return out;
  }

  /// Ids are what bodies repeat: long texts of which a record has at most one, and which are not templates themselves.
  void choose_reference_columns() {
    reference_columns.clear();
    if (form == EncodeForm::plain) return;
    for (std::uint32_t i = 0; i < columns.size() && reference_columns.size() < kReferenceColumnsMax; ++i) {
      ColumnValues& column = columns[i];
      if (dictionary.column_type(i) != ValueType::text || column.strings.empty()) continue;
      std::size_t bytes = 0;
      for (const std::string_view value : column.strings) bytes += value.size();
      const bool is_single = std::adjacent_find(column.rows.begin(), column.rows.end()) == column.rows.end();
      column.is_referable =
          is_single && bytes >= kReferenceMeanBytesMin * column.strings.size() && !wants_templates(column.strings);
      if (column.is_referable) reference_columns.push_back(i);
    }
  }

  std::vector<ReferenceColumn> references_for(const ColumnValues& own) const {
    std::vector<ReferenceColumn> references;
    for (const std::uint32_t number : reference_columns) {
      std::vector<std::string_view> by_row(timestamps.size());
      const ColumnValues& other = columns[number];
      for (std::size_t i = 0; i < other.rows.size(); ++i) by_row[other.rows[i]] = other.strings[i];
      ReferenceColumn& reference = references.emplace_back();
      reference.column = number;
      reference.values.reserve(own.rows.size());
      for (const std::uint32_t row : own.rows) reference.values.push_back(by_row[row]);
    }
    return references;
  }

  ColumnEntry encode_column(std::uint32_t number, BlockPacker& packer) {
    ColumnValues& column = columns[number];
    ColumnEntry entry;
    entry.column = number;
    entry.value_count = static_cast<std::uint32_t>(column.rows.size());
    std::string chunk;
    switch (dictionary.column_type(number)) {
      case ValueType::float64:
        entry.layout = ColumnLayout::floats;
        encode_floats(column.floats, chunk);
        break;
      case ValueType::time:
        entry.layout = ColumnLayout::times;
        entry.min = column.min_instant;
        entry.max = column.max_instant;
        encode_integers(column.digits, chunk);
        encode_integers(column.integers, chunk);
        break;
      case ValueType::int64:
      case ValueType::uint64:
      case ValueType::boolean: {
        entry.layout = ColumnLayout::integers;
        const auto [low, high] = std::minmax_element(column.integers.begin(), column.integers.end());
        entry.min = *low;
        entry.max = *high;
        encode_integers(column.integers, chunk);
        break;
      }
      default:
        if (const auto times = encode_time_texts(column)) {
          entry.layout = ColumnLayout::time_texts;
          entry.min = column.min_instant;
          entry.max = column.max_instant;
          entry.summary = summarize(column.strings);
          chunk = *times;
          break;
        }
        return encode_string_column(number, entry, packer);
    }
    entry.place = packer.add(chunk);
    return entry;
  }

  /// The column as times if every text comes back from its instant. Another time of a record is mostly near its own.
  std::optional<std::string> encode_time_texts(ColumnValues& column) const {
    if (form == EncodeForm::plain) return std::nullopt;
    for (std::size_t i = 0; i < column.strings.size(); ++i) {
      const std::string_view text = column.strings[i];
      const std::optional<Timestamp> instant = text.size() < 20 ? std::nullopt : parse_rfc3339(text);
      const std::optional<int> digits = instant ? canonical_rfc3339_digits(text, *instant) : std::nullopt;
      if (!digits) return std::nullopt;
      Value value = Value::of_time(*instant, *digits);
      add_time(column, value, Timestamp(timestamps[column.rows[i]]));
    }
    std::string chunk;
    encode_integers(column.digits, chunk);
    encode_integers(column.integers, chunk);
    return chunk;
  }

  ColumnEntry encode_string_column(std::uint32_t number, ColumnEntry entry, BlockPacker& packer) {
    const ColumnValues& column = columns[number];
    const bool may_split = form == EncodeForm::best && dictionary.column_type(number) == ValueType::text;
    if (may_split && wants_templates(column.strings)) {
      entry.layout = ColumnLayout::templates;
      entry.place = encode_template_column(column.strings, references_for(column), dictionary.templates(number),
                                           compressor, packer, keys, template_scratch);
      return entry;
    }
    entry.layout = ColumnLayout::strings;
    std::string chunk;
    std::vector<std::string_view> entries;
    const StringChoice choice = form == EncodeForm::best ? StringChoice::best : StringChoice::text_only;
    encode_strings(column.strings, choice, compressor, chunk, &entries);
    entry.summary = summarize(entries.empty() ? column.strings : entries);
    entry.place = packer.add(chunk);
    // A dictionary of a few values is looked through faster than the filter is asked. Slots that repeat a column rely
    // on its keys.
    const bool is_few = !entries.empty() && entries.size() <= kUnfilteredEntriesMax && !column.is_referable;
    const bool is_plain =
        dictionary.column_type(number) == ValueType::text || dictionary.column_type(number) == ValueType::number_text;
    entry.is_in_filter = is_plain && !is_few;
    if (entry.is_in_filter) {
      for (const std::string_view text : entries.empty() ? column.strings : entries) keys.add_text(text);
    }
    return entry;
  }

  SegmentDictionaryBuilder& dictionary;
  BlockCompressor& compressor;
  EncodeForm form = EncodeForm::best;
  std::vector<std::int64_t> timestamps, sequences, severities;
  std::vector<std::uint32_t> shapes, streams;
  std::vector<ColumnValues> columns;  ///< by number
  TokenKeys keys;
  TemplateScratch template_scratch;
  std::vector<std::uint32_t> reference_columns;
  std::unordered_map<const RecordBatch*, BatchNumbers> batches;
};

RowGroupEncoder::RowGroupEncoder(SegmentDictionaryBuilder& dictionary, BlockCompressor& compressor)
    : work_(std::make_unique<Work>(dictionary, compressor)) {}
RowGroupEncoder::~RowGroupEncoder() = default;

RowGroupEntry RowGroupEncoder::encode(std::span<const SegmentRow> rows, EncodeForm form, std::string& stored) {
  return work_->encode(rows, form, stored);
}

}  // namespace dendro
