#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <deque>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "io/memory_file_system.h"
#include "record/record_batch_builder.h"
#include "record/record_json.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/segment_writer.h"

namespace dendro {

inline constexpr Timestamp kSegmentTestTime{1'700'000'000 * kNanosPerSecond};  // 2023-11-14T22:13:20Z

inline std::uint64_t segment_test_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

/// Everything that a record says, bit for bit, so that two records are equal if and only if their texts are.
inline std::string describe(const RecordView& record, SequenceNumber sequence, Timestamp receive_time) {
  std::string text;
  append_record_json(text, record);
  text += " time=" + std::to_string(record.timestamp().number()) + " sequence=" + std::to_string(sequence.number()) +
          " received=" + std::to_string(receive_time.number()) + " severity=" + std::to_string(record.severity()) +
          (record.severity_is_from_body() ? " (body)" : "") + " stream=" + to_stream_text(record.stream());
  for (const StreamLabel& label : record.stream().labels) text += std::to_string(static_cast<int>(label.value.type));
  for (const ShapeOp& op : record.shape().ops) {
    text += " op" + std::to_string(static_cast<int>(op.kind)) + std::string(op.key);
  }
  for (const Leaf& leaf : record.shape().leaves) {
    text += " leaf" + std::to_string(static_cast<int>(leaf.role)) + "," + std::to_string(static_cast<int>(leaf.type)) +
            "," + std::string(leaf.path) + "," + std::string(leaf.key);
  }
  text += " values=";
  text += record.value_bytes();
  return text;
}

/// Tells whether records are equal bit for bit, as their descriptions are, but looks at each pair of shapes and streams
/// only once.
class RecordComparison {
 public:
  bool is_same(const RecordView& a, const RecordView& b) {
    return a.timestamp() == b.timestamp() && a.severity() == b.severity() &&
           a.severity_is_from_body() == b.severity_is_from_body() && a.value_bytes() == b.value_bytes() &&
           is_known({&a.shape(), &b.shape()}, [&] { return front_of(a) == front_of(b); }) &&
           is_known({&a.stream(), &b.stream()}, [&] { return labels_of(a) == labels_of(b); });
  }

 private:
  using Pair = std::pair<const void*, const void*>;
  template <typename Ask>
  bool is_known(Pair pair, Ask&& ask) {
    if (equal_.contains(pair)) return true;
    if (!ask()) return false;
    equal_.insert(pair);
    return true;
  }
  static std::string front_of(const RecordView& record) {
    std::string text;
    for (const ShapeOp& op : record.shape().ops) {
      text +=
          std::to_string(static_cast<int>(op.kind)) + "," + std::to_string(op.leaf_index) + std::string(op.key) + ";";
    }
    for (const Leaf& leaf : record.shape().leaves) {
      text += std::to_string(static_cast<int>(leaf.role)) + "," + std::to_string(static_cast<int>(leaf.type)) + "," +
              std::string(leaf.path) + "," + std::string(leaf.key) + ";";
    }
    return text;
  }
  static std::string labels_of(const RecordView& record) {
    std::string text = to_stream_text(record.stream());
    for (const StreamLabel& label : record.stream().labels) text += std::to_string(static_cast<int>(label.value.type));
    return text;
  }

  std::set<Pair> equal_;  ///< of shapes, and of streams
};

/// Records given to a SegmentWriter in the order of a flush, and the segment that came of it.
class SegmentFixture {
 public:
  static constexpr std::uint64_t kSegmentId = 77;

  SegmentFixture() {
    place_ = {store_id(), SegmentId(kSegmentId), TenantId::default_tenant(), day_start(kSegmentTestTime)};
  }
  static Bytes16 store_id() {
    Bytes16 id{};
    id[3] = 9;
    return id;
  }
  SegmentWriter::Place& place() { return place_; }
  MemoryFileSystem& files() { return files_; }
  const StorePaths& paths() const { return paths_; }
  std::string path() const { return paths_.segment(place_.tenant, place_.day, place_.id); }

  /// A request's records: they get the next sequence numbers.
  void add(std::shared_ptr<const RecordBatch> batch) {
    for (std::uint32_t row = 0; row < batch->size(); ++row) {
      rows_.push_back({batch.get(), row, SequenceNumber(next_sequence_++), batch->receive_time()});
    }
    batches_.push_back(std::move(batch));
  }
  void skip_sequences(std::uint64_t count) { next_sequence_ += count; }

  Result<SegmentInfo> try_write() {
    std::sort(rows_.begin(), rows_.end(), [](const SegmentRow& a, const SegmentRow& b) {
      return std::pair(a.batch->timestamp(a.row), a.sequence) < std::pair(b.batch->timestamp(b.row), b.sequence);
    });
    DENDRO_TRY_ASSIGN(const auto writer, SegmentWriter::create(paths_, files_, place_));
    for (const SegmentRow& row : rows_) DENDRO_TRY(writer->add(row));
    return writer->finish();
  }
  void write() {
    const Result<SegmentInfo> info = try_write();
    ASSERT_TRUE(info.has_value()) << info.error().message();
    info_ = *info;
    reopen();
  }
  /// As a reader finds the file now.
  void reopen() {
    cache_ = std::make_unique<PieceCache>(std::size_t{64} << 20);
    segment_ = Segment::open(files_, path(), store_id(), info_);
    tables_ = nullptr;
    const Result<std::shared_ptr<const SegmentTables>> tables = segment_->tables();
    if (tables) tables_ = *tables;
  }

  const std::vector<SegmentRow>& rows() const { return rows_; }
  const SegmentInfo& info() const { return info_; }
  const Segment& segment() const { return *segment_; }
  const SegmentTables& tables() const { return *tables_; }
  bool is_readable() const { return tables_ != nullptr; }
  const std::vector<RowGroupEntry>& groups() const { return tables_->row_groups; }
  RowGroupReader reader(std::uint32_t group) { return RowGroupReader(*segment_, *tables_, group, *cache_); }
  /// Rows of the input that the row group holds begin here.
  std::size_t first_row(std::size_t group) const {
    std::size_t first = 0;
    for (std::size_t i = 0; i < group; ++i) first += tables_->row_groups[i].record_count;
    return first;
  }
  std::string expected(std::size_t row) const {
    const SegmentRow& wanted = rows_[row];
    return describe(wanted.batch->record(wanted.row), wanted.sequence, wanted.receive_time);
  }

  /// The rows of a row group decoded and compared with what was written.
  void expect_rows(RecordDecoder& decoder, std::uint32_t group, const std::vector<std::uint32_t>& wanted) {
    const Result<RecordBlock> block = decoder.decode(wanted);
    ASSERT_TRUE(block.has_value()) << block.error().message();
    ASSERT_EQ(block->rows.size(), wanted.size());
    RecordComparison comparison;
    const std::size_t first = first_row(group);
    for (std::uint32_t i = 0; i < wanted.size(); ++i) {
      const SegmentRow& meant = rows_[first + wanted[i]];
      const RecordView found = block->record(block->rows[i]);
      ASSERT_TRUE(comparison.is_same(found, meant.batch->record(meant.row)) && block->sequence(i) == meant.sequence &&
                  block->receive_time(i) == meant.receive_time)
          << "row group " << group << ", record " << wanted[i] << "\n"
          << describe(found, block->sequence(i), block->receive_time(i)).substr(0, 2'000) << "\n"
          << expected(first + wanted[i]).substr(0, 2'000);
    }
  }
  /// Every record in slices, then some by themselves and some subsets.
  void expect_all_come_back(std::uint64_t seed = segment_test_seed()) {
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
    ASSERT_TRUE(is_readable()) << segment_->tables().error().message();
    std::mt19937_64 random(seed);
    std::size_t records = 0;
    for (std::uint32_t group = 0; group < groups().size(); ++group) {
      const std::uint32_t count = groups()[group].record_count;
      records += count;
      expect_slices(group, count);
      expect_subsets(group, count, random);
    }
    EXPECT_EQ(records, rows_.size());
  }

 private:
  void expect_slices(std::uint32_t group, std::uint32_t count) {
    RowGroupReader of_group = reader(group);
    RecordDecoder decoder(of_group);
    for (std::uint32_t first = 0; first < count; first += 5'000) {
      std::vector<std::uint32_t> wanted(std::min<std::uint32_t>(5'000, count - first));
      std::iota(wanted.begin(), wanted.end(), first);
      ASSERT_NO_FATAL_FAILURE(expect_rows(decoder, group, wanted));
    }
  }
  void expect_subsets(std::uint32_t group, std::uint32_t count, std::mt19937_64& random) {
    RowGroupReader of_group = reader(group);
    RecordDecoder decoder(of_group);
    for (int round = 0; round < 12; ++round) {
      std::vector<std::uint32_t> wanted;
      const std::uint64_t step = 1 + random() % std::max<std::uint32_t>(1, count / 40);
      for (std::uint64_t row = random() % step; row < count; row += 1 + random() % (2 * step)) {
        wanted.push_back(static_cast<std::uint32_t>(row));
      }
      if (round % 2 == 0 || wanted.empty()) wanted = {static_cast<std::uint32_t>(random() % count)};
      ASSERT_NO_FATAL_FAILURE(expect_rows(decoder, group, wanted));
    }
  }

  MemoryFileSystem files_;
  const StorePaths paths_{"/store"};
  SegmentWriter::Place place_;
  std::uint64_t next_sequence_ = 1;
  std::vector<std::shared_ptr<const RecordBatch>> batches_;
  std::vector<SegmentRow> rows_;
  SegmentInfo info_;
  std::shared_ptr<const Segment> segment_;
  std::shared_ptr<const SegmentTables> tables_;
  std::unique_ptr<PieceCache> cache_;
};

/// One record a text, as body.
inline std::shared_ptr<const RecordBatch> batch_of_bodies(const std::vector<std::string>& bodies,
                                                          Timestamp received = kSegmentTestTime) {
  RecordBatchBuilder builder(received);
  for (const std::string& body : bodies) {
    builder.begin_record();
    builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text("api"));
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(body));
    builder.end_record();
  }
  return builder.finish();
}

/// Records drawn from what breaks encoders: delimiters, digits, empty values, NUL, broken UTF-8, equal times, mixed
/// types.
class RandomRecords {
 public:
  explicit RandomRecords(std::uint64_t seed) : random_(seed) {}

  std::shared_ptr<const RecordBatch> batch(std::size_t records, Timestamp received = kSegmentTestTime) {
    RecordBatchBuilder builder(received);
    for (std::size_t i = 0; i < records; ++i) add_record(builder);
    return builder.finish();
  }
  std::string text() {
    static const std::vector<std::string> kWords = {"user",
                                                    "GET",
                                                    "/index.html",
                                                    "id=7f3a",
                                                    "\xE2\x84\xAA"
                                                    "9",
                                                    "\xC5\xBF"
                                                    "tart1",
                                                    "10.0.0.1",
                                                    "x1",
                                                    "-",
                                                    "0x1F",
                                                    "caf\xC3\xA9",
                                                    "a_b9",
                                                    "1.5s",
                                                    "",
                                                    "z"};
    switch (below(12)) {
      case 0:
        return "";
      case 1:
        return std::string("nul\0in 5", 8);
      case 2:
        return "two\nlines 7 and " + number(100);
      case 3:
        return to_rfc3339(Timestamp(static_cast<std::int64_t>(random_() >> 2)), static_cast<int>(below(10)));
      case 4:
        return number(1'000'000'000);
      case 5:
        return std::string(below(30), "0aF -_"[below(6)]);
      default:
        break;
    }
    std::string out;
    for (std::size_t i = 0; i < 1 + below(8); ++i) out += kWords[below(kWords.size())] + " ,:=\t"[below(5)];
    if (below(2) == 0)
      out = "request " + number(50) + " of session " + number(1'000'000) + " took " + number(99) + "ms " + out;
    return out;
  }
  Value value() {
    switch (below(12)) {
      case 0:
        return Value::of_null();
      case 1:
        return Value::of_bytes(keep("\xFF\xC0 raw " + number(10)));
      case 2:
        return Value::of_int64(any_integer());
      case 3:
        return Value::of_uint64((std::uint64_t{1} << 63) + random_() % 3);
      case 4:
        return Value::of_float64(static_cast<double>(below(100'000)) / 100);
      case 5:
        return Value::of_number_text(keep(number(1000) + ".0"));
      case 6:
        return Value::of_bool(below(2) == 0);
      case 7:
        return Value::of_list(keep("[1,\"" + number(9) + "\",{}]"));
      case 8:
        return Value::of_empty_object();
      case 9:
        return Value::of_time(Timestamp(any_integer()), static_cast<int>(below(10)));
      default:
        return Value::of_text(keep(text()));
    }
  }
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string number(std::size_t bound) { return std::to_string(below(bound)); }

 private:
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  std::int64_t any_integer() {
    switch (below(5)) {
      case 0:
        return std::numeric_limits<std::int64_t>::min();
      case 1:
        return std::numeric_limits<std::int64_t>::max();
      case 2:
        return static_cast<std::int64_t>(random_());
      default:
        return static_cast<std::int64_t>(below(1'000));
    }
  }
  void add_record(RecordBatchBuilder& builder) {
    kept_.clear();
    builder.begin_record();
    builder.set_timestamp(Timestamp(kSegmentTestTime.number() + static_cast<std::int64_t>(below(3'000)) * 100'000'000));
    builder.set_severity(static_cast<SeverityNumber>(below(25)), below(2) == 0);
    if (below(3) != 0)
      builder.add_leaf(LeafRole::resource, "service.name", "svc", Value::of_text(keep("s" + number(4))));
    if (below(5) == 0)
      builder.add_leaf(LeafRole::resource, "shard", "shard", Value::of_int64(static_cast<std::int64_t>(below(3))));
    if (below(4) != 0) builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(keep(text())));
    const std::size_t fields = below(5);
    for (std::size_t i = 0; i < fields; ++i) {
      const std::string path = "f" + number(6);
      builder.add_leaf(LeafRole::attribute, path, path, value());
    }
    if (below(6) == 0) {
      builder.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_int64(static_cast<std::int64_t>(below(9))));
      builder.open_object("a");
      builder.add_leaf(LeafRole::attribute, "a.b", "b",
                       below(2) == 0 ? Value::of_int64(-1) : Value::of_text(keep(text())));
      builder.close_object();
    }
    if (below(3) == 0) builder.add_label("dendro.source", Value::of_text("file"));
    builder.end_record();
  }

  std::mt19937_64 random_;
  std::deque<std::string> kept_;
};

}  // namespace dendro
