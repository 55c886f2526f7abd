// Filters over columns against the same filters over records, and reductions against counting one by one, on random
// records that favour what templates and slots could get wrong: delimiters, digits, needles cut from real values and
// altered. DENDRO_SEED takes a seed, DENDRO_SCAN_ROUNDS a count of rounds; each asks 120 filters of 600 records.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <numeric>
#include <random>

#include "codec/splitter.h"
#include "filter/compiled_filter.h"
#include "filter/predicate_text.h"
#include "io/memory_file_system.h"
#include "storage/scan/row_reducer.h"
#include "storage/scan/segment_filter.h"
#include "storage/segment/segment_writer.h"

namespace dendro {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Random log lines of a few templates, with odd ones between.
class LineMaker {
 public:
  explicit LineMaker(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

  std::string word() {
    static const std::vector<std::string> kWords = {"error",
                                                    "Error",
                                                    "timeout",
                                                    "user",
                                                    "k",
                                                    "K\xC3\xA9",
                                                    "irq",
                                                    "at",
                                                    "device",
                                                    "a_b",
                                                    "x-y",
                                                    "",
                                                    "ss",
                                                    "\xE2\x84\xAA"
                                                    "elvin",
                                                    "\xC5\xBF"
                                                    "um"};
    return kWords[below(kWords.size())];
  }
  std::string variable() {
    switch (below(7)) {
      case 0:
        return std::to_string(below(300));
      case 1:
        return "0x" + std::to_string(10000000 + below(90000000));
      case 2:
        return "10." + std::to_string(below(4)) + ".0." + std::to_string(below(20));
      case 3:
        return "req-" + std::to_string(below(50)) + "-end";
      case 4:
        return "007";
      case 5:
        return "Kernel" + std::to_string(below(9));
      default:
        return "\xE2\x84\xAA" + std::to_string(below(9)) + "x";
    }
  }
  std::string delimiters() {
    static const std::vector<std::string> kRuns = {
        " ", ", ", "=", ": ", " [", "] ", "  ", "/", "\"", "\n", std::string(1, '\0')};
    return kRuns[below(kRuns.size())];
  }
  std::string line() {
    if (below(12) == 0) return {};
    std::string text = templates_.empty() || below(10) == 0 ? std::string() : templates_[below(templates_.size())];
    if (text.empty()) {
      for (std::size_t i = 0; i < 3 + below(8); ++i) text += (below(3) == 0 ? "\1" : word()) + delimiters();
      templates_.push_back(text);
    }
    std::string line;
    for (const char c : text) line += c == '\1' ? variable() : std::string(1, c);
    return line;
  }
  std::string needle(const std::vector<std::string>& lines) {
    std::string text = lines[below(lines.size())];
    if (text.empty()) return word();
    const std::size_t first = below(text.size());
    text = text.substr(first, 1 + below(24));
    if (below(3) == 0) text[below(text.size())] = "e0 K=x"[below(6)];
    return text;
  }

 private:
  std::mt19937_64 random_;
  std::vector<std::string> templates_;
};

class ScanDifferential : public ::testing::Test {
 protected:
  void run_round(std::uint64_t seed) {
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
    maker_.emplace(seed);
    lines_.clear();
    make_records();
    write_segment(seed);
    for (int i = 0; i < 120; ++i) check_filter(make_predicate(2));
    for (int i = 0; i < 30; ++i) check_reduction();
  }

  std::size_t below(std::size_t count) { return maker_->below(count); }

  Value any_value() {
    switch (below(9)) {
      case 0:
        return Value::of_int64(static_cast<std::int64_t>(below(500)) - 100);
      case 1:
        return Value::of_float64(static_cast<double>(below(1000)) / 8);
      case 2:
        return Value::of_bool(below(2) == 0);
      case 3:
        return Value::of_null();
      case 4:
        return Value::of_list(R"(["a b",12,"error"])");
      case 5:
        return Value::of_empty_object();
      default:
        return Value::of_text(hold(below(2) == 0 ? maker_->variable() : maker_->word()));
    }
  }
  std::string_view hold(std::string text) { return held_.emplace_back(std::move(text)); }

  void make_records() {
    RecordBatchBuilder builder{Timestamp(1)};
    // Where nothing else has the name of a label, or of the severity, the directory may know the answer.
    const std::size_t names = below(2) == 0 ? 2 : 4;
    static constexpr std::array<std::string_view, 4> kNames = {"a", "b", "host", "severity"};
    for (std::int64_t i = 0; i < 600; ++i) {
      builder.begin_record();
      builder.set_timestamp(Timestamp(1'700'000'000 * kNanosPerSecond + i * 700 * kNanosPerMilli));
      if (below(3) != 0) builder.set_severity(static_cast<SeverityNumber>(below(25)));
      const std::string id = maker_->variable() + maker_->variable();
      if (below(4) != 0) builder.add_leaf(LeafRole::trace_id, "trace_id", "tid", Value::of_text(id));
      if (below(2) == 0) builder.add_leaf(LeafRole::resource, "host", "host", Value::of_text(hold(maker_->word())));
      if (below(5) != 0) builder.add_leaf(LeafRole::resource, "pod", "pod", Value::of_int64(i / 100 % 3));
      for (const std::string_view name : std::span(kNames).first(names)) {
        if (below(name.size() > 1 ? 6 : 2) == 0) builder.add_leaf(LeafRole::attribute, name, name, any_value());
      }
      if (below(20) == 0) builder.add_leaf(LeafRole::attribute, "a", "a", Value::of_text("again 7"));
      lines_.push_back(maker_->line());
      if (below(3) == 0) lines_.back() += " id " + id;
      if (below(15) != 0) builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(lines_.back()));
      builder.end_record();
    }
    batch_ = builder.finish();
  }

  void write_segment(std::uint64_t seed) {
    SegmentWriter::Place place;
    place.id = SegmentId(seed + 1);
    place.day = day_start(batch_->timestamp(0));
    auto writer = SegmentWriter::create(paths_, files_, place);
    ASSERT_TRUE(writer);
    for (std::uint32_t row = 0; row < batch_->size(); ++row) {
      ASSERT_TRUE((*writer)->add({batch_.get(), row, SequenceNumber(row + 1), Timestamp(1)}));
    }
    const Result<SegmentInfo> info = (*writer)->finish();
    ASSERT_TRUE(info);
    segment_ = Segment::open(files_, paths_.segment(info->tenant, info->day, info->id), {}, *info);
    ASSERT_FALSE(segment_->damage());
    const auto tables = segment_->tables();
    ASSERT_TRUE(tables) << tables.error().message();
    tables_ = *tables;
    ASSERT_EQ(tables_->row_groups.size(), 1u);
  }

  TextPattern make_pattern() {
    TextPattern pattern;
    pattern.text = below(4) == 0 ? maker_->word() : maker_->needle(lines_);
    pattern.open_start = below(2) == 0;
    pattern.open_end = below(2) == 0;
    pattern.folds = below(3) == 0;
    return pattern;
  }

  Condition make_condition() {
    static const std::vector<std::string> kRegexes = {
        "[0-9]+x",  "(?i)KERNEL",     "irq [0-9]+ ", "0x[0-9]{8}",   "(error|timeout)", "^$",
        "k.*[0-9]", "req-[0-9]+-end", "(?i)kelvin",  "a_b=[^ ]*007", "\\bsum\\b"};
    switch (below(14)) {
      case 0:
        return Exists{};
      case 1:
        return Empty{};
      case 2:
        return Equals{Literal::of_string(below(2) == 0 ? lines_[below(lines_.size())] : maker_->variable())};
      case 3:
        return Equals{Literal::of_word(std::to_string(static_cast<int>(below(500)) - 100))};
      case 4:
        return BeginsWith{maker_->needle(lines_)};
      case 5:
        return Comparison{static_cast<CompareOp>(below(4)),
                          Literal::of_word(std::to_string(below(300)) + (below(2) == 0 ? "" : ".5"))};
      case 6:
        return RegexMatch{Regex::compile(kRegexes[below(kRegexes.size())]).value()};
      case 7:
        return ContainsAny{{make_pattern(), make_pattern()}};
      case 8:
        return OneOf{{Literal::of_string(maker_->variable()), Literal::of_word("17")}};
      default:
        return make_pattern();
    }
  }

  Predicate make_predicate(int depth) {
    static const std::vector<std::string> kFields = {"",         "",        "body",          "a",  "b", "host",
                                                     "trace_id", "nothing", "severity_text", "pod"};
    const std::size_t kind = below(depth > 0 ? 10 : 6);
    if (kind == 4) return {SeverityTest{"severity", static_cast<std::uint32_t>(below(1u << 25))}};
    if (kind == 5) {
      const Timestamp first = batch_->timestamp(below(batch_->size()));
      return {TimeTest{"_time",
                       {first, Timestamp(first.number() + static_cast<std::int64_t>(below(300)) * kNanosPerSecond)}}};
    }
    if (kind == 6) return {LabelTest{"host", maker_->word()}};
    if (kind == 7) return negation(make_predicate(depth - 1));
    if (kind == 8) return all_of({make_predicate(depth - 1), make_predicate(depth - 1)});
    if (kind == 9) return any_of({make_predicate(depth - 1), make_predicate(depth - 1)});
    Condition condition = make_condition();
    std::string field = kFields[below(kFields.size())];
    const bool is_text_filter =
        std::holds_alternative<TextPattern>(condition) || std::holds_alternative<RegexMatch>(condition);
    if (field.empty() && !is_text_filter) field = "body";
    return {FieldTest{std::move(field), std::move(condition)}};
  }

  void check_filter(const Predicate& predicate) {
    SCOPED_TRACE(to_text(predicate));
    const auto filter = compile_filter(predicate);
    std::vector<std::uint32_t> rows(batch_->size());
    std::iota(rows.begin(), rows.end(), 0u);
    filter->select(*batch_, rows);
    RowBitmap truth(batch_->size());
    for (const std::uint32_t row : rows) truth.set(row);

    RowGroupReader reader(*segment_, *tables_, 0, cache_);
    const auto columns = make_segment_filter(*filter);
    const auto verdict = columns->select(reader);
    ASSERT_TRUE(verdict) << verdict.error().message();
    RowGroupReader unread(*segment_, *tables_, 0, cache_);
    const bool may_match = make_segment_filter(*filter)->may_match(unread).value();
    EXPECT_TRUE(may_match || rows.empty());
    ruled_out_ += may_match ? 0 : 1;
    if (const auto streams = columns->select_streams(reader)) {
      EXPECT_EQ(rows_of(*streams), truth);
      ++by_streams_;
    }
    RowBitmap missed = truth;
    missed -= verdict->possible;
    RowBitmap invented = verdict->certain;
    invented -= truth;
    missed.for_each([&](std::uint32_t row) { ADD_FAILURE() << "missed record " << row << ": " << lines_[row]; });
    invented.for_each([&](std::uint32_t row) { ADD_FAILURE() << "invented record " << row << ": " << lines_[row]; });
    pairs_ += batch_->size();
    hits_ += rows.size();
    exact_ += verdict->is_exact() ? 1 : 0;
    ++filters_;
  }

  /// The records of the flagged streams of the row group.
  RowBitmap rows_of(const std::vector<std::uint8_t>& flags) {
    const std::vector<IndexCount>& counts = tables_->row_groups.front().stream_counts;
    EXPECT_EQ(flags.size(), counts.size());
    RowGroupReader reader(*segment_, *tables_, 0, cache_);
    const auto streams = reader.streams().value();
    RowBitmap rows(batch_->size());
    for (std::uint32_t row = 0; row < batch_->size(); ++row) {
      const std::uint32_t stream = streams->table[streams->codes[row]];
      const auto count = std::find_if(counts.begin(), counts.end(), [&](const auto& at) { return at.index == stream; });
      if (flags[static_cast<std::size_t>(count - counts.begin())] != 0) rows.set(row);
    }
    return rows;
  }

  /// What the reader of a reduction would count.
  using Counts = std::map<std::string, std::uint64_t>;
  static void count(const RecordBatch& batch, std::uint32_t row, std::uint64_t weight, const Reduction& reduction,
                    Counts& counts) {
    std::string key;
    for (const std::string& name : reduction.fields) {
      const FieldName field = resolve_field_name(name);
      FieldReader reader(field);
      reader.start(batch);
      std::string scratch;
      const Value value = reader.first(row, RecordOrigin());
      key += std::to_string(static_cast<int>(value.type)) + ":" + std::string(value_text(value, scratch)) + "|";
    }
    if (reduction.time_step_ns != 0) key += std::to_string(batch.timestamp(row).number() / reduction.time_step_ns);
    counts[key] += weight;
  }

  void check_reduction() {
    static const std::vector<std::string> kFields = {"a",        "b",       "host", "severity",
                                                     "trace_id", "nothing", "pod",  "_stream"};
    Reduction reduction;
    for (std::size_t i = below(3); i > 0; --i) reduction.fields.push_back(kFields[below(kFields.size())]);
    if (below(2) == 0) reduction.time_step_ns = static_cast<std::int64_t>(1 + below(200)) * kNanosPerSecond;
    if (below(4) == 0) reduction.time_step_ns = 60 * kNanosPerSecond;
    RowBitmap rows(batch_->size());
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      if (below(3) != 0) rows.set(i);
    }
    std::vector<std::uint8_t> streams(tables_->row_groups.front().stream_counts.size(), 1);
    const bool is_by_stream = below(3) != 0;
    if (is_by_stream && below(2) == 0) {
      for (std::size_t i = 1; i < streams.size(); ++i) streams[i] = below(2) == 0 ? 1 : 0;
    }
    if (is_by_stream) rows = rows_of(streams);
    Counts truth;
    rows.for_each([&](std::uint32_t row) { count(*batch_, row, 1, reduction, truth); });

    RowGroupReader reader(*segment_, *tables_, 0, cache_);
    RecordDecoder decoder(reader);
    RowReducer reducer(reduction);
    std::vector<RecordBlock> blocks;
    DirectoryCounts known(reduction.time_step_ns, reader.dictionary());
    if (is_by_stream && reducer.count_from_directory(reader, streams, known)) {
      ++by_directory_;
      blocks = known.finish();
    } else {
      std::optional<RecordBlock> block = reducer.reduce(reader, decoder, rows).value();
      if (!block) return;  // not told from columns: the records come by themselves
      blocks.push_back(std::move(*block));
    }
    Counts counts;
    for (const RecordBlock& block : blocks) {
      for (std::size_t i = 0; i < block.rows.size(); ++i) {
        count(*block.batch, block.rows[i], block.weights[i], reduction, counts);
      }
    }
    EXPECT_EQ(counts, truth);
    ++reduced_;
  }

  MemoryFileSystem files_;
  const StorePaths paths_{"/data"};
  PieceCache cache_{std::size_t{256} << 20};
  std::optional<LineMaker> maker_;
  std::vector<std::string> lines_;  ///< of each record, its body if it has one
  std::deque<std::string> held_;
  std::shared_ptr<const RecordBatch> batch_;
  std::shared_ptr<const Segment> segment_;
  std::shared_ptr<const SegmentTables> tables_;
  std::uint64_t pairs_ = 0, hits_ = 0, filters_ = 0, exact_ = 0, reduced_ = 0, by_streams_ = 0, by_directory_ = 0,
                ruled_out_ = 0;
};

TEST_F(ScanDifferential, ColumnsAndRecordsAgree) {
  const std::uint64_t first = number_from_environment("DENDRO_SEED", 1);
  const std::uint64_t rounds =
      std::getenv("DENDRO_SEED") != nullptr ? 1 : number_from_environment("DENDRO_SCAN_ROUNDS", 8);
  std::printf("seeds %llu to %llu\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(first + rounds - 1));
  for (std::uint64_t seed = first; seed < first + rounds && !HasFailure(); ++seed) run_round(seed);
  std::printf(
      "%llu pairs of filter and record, %llu hits, %llu of %llu filters decided by columns alone, %llu by streams; "
      "%llu "
      "reductions, %llu from the directory\n",
      static_cast<unsigned long long>(pairs_), static_cast<unsigned long long>(hits_),
      static_cast<unsigned long long>(exact_), static_cast<unsigned long long>(filters_),
      static_cast<unsigned long long>(by_streams_), static_cast<unsigned long long>(reduced_),
      static_cast<unsigned long long>(by_directory_));
  if (rounds > 1) {
    EXPECT_GT(hits_ * 20, pairs_);         // the test asks for what is there
    EXPECT_GT(exact_ * 10, filters_ * 8);  // and columns do decide
    EXPECT_GT(reduced_, by_directory_);
    EXPECT_GT(by_directory_, rounds);
    EXPECT_GT(by_streams_, rounds);
    EXPECT_GT(ruled_out_, rounds);
  }
}

}  // namespace
}  // namespace dendro
