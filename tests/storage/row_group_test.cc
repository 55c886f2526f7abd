#include "storage/segment/row_group.h"

#include <cmath>
#include <map>
#include <set>

#include "codec/splitter.h"
#include "record/fold.h"
#include "storage/limits.h"
#include "tests/storage/segment_fixture.h"

namespace dendro {
namespace {

std::string hex_id(std::mt19937_64& random) {
  std::string id;
  for (int i = 0; i < 16; ++i) id.push_back("0123456789abcdef"[random() % 16]);
  return id;
}

/// Records that between them take every layout of a column and every mode of a slot.
std::shared_ptr<const RecordBatch> batch_of_every_kind(std::size_t records) {
  std::mt19937_64 random(segment_test_seed());
  RecordBatchBuilder builder(kSegmentTestTime);
  for (std::size_t i = 0; i < records; ++i) {
    const auto moment = Timestamp(kSegmentTestTime.number() + static_cast<std::int64_t>(i) * 1'000'000);
    const std::string id = hex_id(random) + "0";
    const std::string number = std::to_string(random() % 1'000'000 + 10'000);
    const std::string body =
        i % 10 == 0 ? "rare event number " + number + " seen by the one and only watcher"
                    : "request of client " + number + " to api v1 with id=" + id + " again (" + number + ")";
    builder.begin_record();
    builder.set_timestamp(moment);
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(body));
    builder.add_leaf(LeafRole::attribute, "id", "id", Value::of_text(id));
    builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_int64(static_cast<std::int64_t>(i)));
    builder.add_leaf(LeafRole::attribute, "x", "x", Value::of_float64(static_cast<double>(i) / 4));
    builder.add_leaf(LeafRole::timestamp, "timestamp", "t", Value::of_time(moment, 3));
    builder.add_leaf(LeafRole::attribute, "when", "when", Value::of_text(to_rfc3339(moment, 6)));
    builder.end_record();
  }
  return builder.finish();
}

/// The only template column of a row group.
const ColumnEntry& template_column(const RowGroupEntry& group) {
  const auto found = std::find_if(group.columns.begin(), group.columns.end(),
                                  [](const ColumnEntry& entry) { return entry.layout == ColumnLayout::templates; });
  EXPECT_NE(found, group.columns.end());
  return *found;
}

std::uint32_t whole_count(SegmentFixture& fixture, std::uint32_t group) {
  RowGroupReader reader = fixture.reader(group);
  const auto head = reader.templates(template_column(fixture.groups()[group]));
  EXPECT_TRUE(head.has_value());
  return head ? (*head)->whole_count : 0;
}

TEST(RowGroup, UsesEveryLayoutAndSlotMode) {
  SegmentFixture fixture;
  fixture.add(batch_of_every_kind(3'000));
  fixture.write();
  fixture.expect_all_come_back();
  std::set<ColumnLayout> layouts;
  for (const ColumnEntry& column : fixture.groups()[0].columns) layouts.insert(column.layout);
  EXPECT_EQ(layouts.size(), 6u);
  RowGroupReader reader = fixture.reader(0);
  const auto head = reader.templates(template_column(fixture.groups()[0]));
  ASSERT_TRUE(head.has_value());
  std::set<SlotMode> modes;
  for (const TemplateColumn::Slot& slot : (*head)->slots) modes.insert(slot.mode);
  EXPECT_EQ(modes, (std::set<SlotMode>{SlotMode::pool, SlotMode::constant, SlotMode::chunk, SlotMode::slot,
                                       SlotMode::column}));
}

TEST(RowGroup, KeepsValuesWithTooManySlotsWhole) {
  std::string most, one_more;
  for (std::size_t i = 0; i < kTemplateSlotsMax; ++i) most += "x1 ";
  one_more = most + "x2";
  SegmentFixture fixture;
  fixture.add(batch_of_bodies({most, one_more, most}));
  fixture.write();
  EXPECT_EQ(whole_count(fixture, 0), 1u);
  fixture.expect_all_come_back();
}

TEST(RowGroup, KeepsValuesWithTooLongATemplateWhole) {
  const std::string longest(kTemplateBytesMax, ' ');
  SegmentFixture fixture;
  fixture.add(batch_of_bodies({longest, longest + " ", longest.substr(1) + "12345"}));
  fixture.write();
  EXPECT_EQ(whole_count(fixture, 0), 1u);
  fixture.expect_all_come_back();
}

std::string in_letters(std::size_t number) {
  std::string letters;
  for (; number > 0; number /= 20) letters.push_back(static_cast<char>('a' + number % 20));
  return letters + "_";
}

TEST(RowGroup, KeepsValuesBeyondTheNewTemplatesWhole) {
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kNewTemplatesMax + 100; ++i)
    bodies.push_back("a template of its own named " + in_letters(i) + " 7");
  SegmentFixture fixture;
  fixture.add(batch_of_bodies(bodies));
  fixture.add(batch_of_bodies(bodies));
  fixture.write();
  EXPECT_EQ(whole_count(fixture, 0), 200u);
  fixture.expect_all_come_back();
}

TEST(RowGroup, KeepsValuesBeyondTheTemplateTableWhole) {
  SegmentFixture fixture;
  for (std::size_t i = 0; i < 560; ++i)
    fixture.add(batch_of_bodies({std::string(60'000, '-') + " " + in_letters(i) + " 7"}));
  fixture.add(batch_of_bodies({std::string(60'000, '-') + " " + in_letters(0) + " 8"}));
  fixture.write();
  ASSERT_EQ(fixture.groups().size(), 2u);
  EXPECT_EQ(whole_count(fixture, 0) + whole_count(fixture, 1), 0u);
  fixture.expect_all_come_back();

  SegmentFixture full;
  for (std::size_t i = 0; i < 600; ++i)
    full.add(batch_of_bodies({std::string(60'000, '-') + " " + in_letters(i) + " 7"}));
  full.add(batch_of_bodies({std::string(60'000, '-') + " " + in_letters(0) + " 8"}));
  full.write();
  const std::uint32_t whole = whole_count(full, 0) + whole_count(full, 1);
  EXPECT_GT(whole, 30u);
  EXPECT_LT(whole, 60u);
  full.expect_all_come_back();
}

std::string shape_text(const Shape& shape) {
  std::string text;
  for (const ShapeOp& op : shape.ops) {
    text += std::to_string(static_cast<int>(op.kind)) + std::string(op.key);
    if (op.kind != ShapeOp::Kind::leaf) continue;
    const Leaf& leaf = shape.leaves[op.leaf_index];
    text += std::to_string(static_cast<int>(leaf.role)) + "," + std::to_string(static_cast<int>(leaf.type)) + "," +
            std::string(leaf.path) + "," + std::string(leaf.key) + ";";
  }
  return text;
}

using Counts = std::map<std::string, std::uint64_t>;

/// Values of one path and type in one row group, as the input holds them.
struct InputColumn {
  std::vector<Value> values;
};
using InputColumns = std::map<std::pair<std::string, ValueType>, InputColumn>;

/// What the directory says of a row group, counted again from the records.
class DirectoryCheck {
 public:
  explicit DirectoryCheck(SegmentFixture& fixture) : fixture_(fixture) {}

  void run() {
    for (std::uint32_t group = 0; group < fixture_.groups().size(); ++group) check_group(group);
    check_slot_summaries();
  }

 private:
  void check_group(std::uint32_t number) {
    const RowGroupEntry& group = fixture_.groups()[number];
    const std::size_t first = fixture_.first_row(number);
    InputColumns columns;
    std::map<std::pair<std::int64_t, int>, std::uint64_t> minutes;
    Counts shapes, streams;
    std::uint64_t raw_bytes = 0;
    Timestamp min_time = kTimestampMax, max_time = kTimestampMin;
    SequenceNumber min_sequence(~std::uint64_t{0}), max_sequence;
    for (std::size_t i = first; i < first + group.record_count; ++i) {
      const SegmentRow& row = fixture_.rows()[i];
      const RecordView record = row.batch->record(row.row);
      raw_bytes += record.value_bytes().size();
      min_time = std::min(min_time, record.timestamp());
      max_time = std::max(max_time, record.timestamp());
      min_sequence = std::min(min_sequence, row.sequence);
      max_sequence = std::max(max_sequence, row.sequence);
      const auto minute =
          static_cast<std::int64_t>(std::floor(static_cast<double>(record.timestamp().number()) / 60e9));
      ++minutes[{minute, record.severity()}];
      ++shapes[shape_text(record.shape())];
      ++streams[to_stream_text(record.stream())];
      record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
        if (leaf.is_stored() && !has_no_column(leaf.type))
          columns[{std::string(leaf.path), leaf.type}].values.push_back(value);
        return true;
      });
    }
    EXPECT_EQ(group.raw_bytes, raw_bytes);
    EXPECT_EQ(group.min_timestamp, min_time);
    EXPECT_EQ(group.max_timestamp, max_time);
    EXPECT_EQ(group.first_sequence, min_sequence);
    EXPECT_EQ(group.last_sequence, max_sequence);
    std::map<std::pair<std::int64_t, int>, std::uint64_t> stated_minutes;
    for (const MinuteCount& count : group.minute_counts) stated_minutes[{count.minute, count.severity}] += count.count;
    EXPECT_EQ(stated_minutes, minutes);
    EXPECT_EQ(stated_minutes.size(), group.minute_counts.size());
    Counts stated_shapes, stated_streams;
    const SegmentDictionary& dictionary = *fixture_.tables().dictionary;
    for (const IndexCount& count : group.shape_counts)
      stated_shapes[shape_text(dictionary.shapes()[count.index])] += count.count;
    for (const IndexCount& count : group.stream_counts)
      stated_streams[to_stream_text(dictionary.streams()[count.index])] += count.count;
    EXPECT_EQ(stated_shapes, shapes);
    EXPECT_EQ(stated_streams, streams);
    EXPECT_EQ(group.columns.size(), columns.size());
    for (const ColumnEntry& entry : group.columns) check_column(number, entry, columns);
  }

  void check_column(std::uint32_t number, const ColumnEntry& entry, InputColumns& columns) {
    const ColumnName& name = fixture_.tables().dictionary->columns()[entry.column];
    SCOPED_TRACE("column " + std::string(name.path) + " of type " + std::to_string(static_cast<int>(name.type)));
    const std::vector<Value>& values = columns[{std::string(name.path), name.type}].values;
    ASSERT_EQ(entry.value_count, values.size());
    switch (entry.layout) {
      case ColumnLayout::integers:
      case ColumnLayout::times:
        check_integer_bounds(entry, name.type, values);
        break;
      case ColumnLayout::time_texts:
      case ColumnLayout::strings: {
        SlotSummary summary;
        for (const Value& value : values) summary.add(value.text);
        EXPECT_EQ(entry.summary.classes, summary.classes);
        EXPECT_EQ(entry.summary.max_bytes, summary.max_bytes);
        if (entry.is_in_filter) check_tokens(number, values);
        break;
      }
      case ColumnLayout::templates:
        check_variables(number, entry, values);
        break;
      case ColumnLayout::floats:
        break;
    }
  }

  static void check_integer_bounds(const ColumnEntry& entry, ValueType type, const std::vector<Value>& values) {
    std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = std::numeric_limits<std::int64_t>::min();
    for (const Value& value : values) {
      const std::int64_t number = type == ValueType::boolean ? (value.boolean ? 1 : 0) : value.integer;
      low = std::min(low, number);
      high = std::max(high, number);
    }
    EXPECT_EQ(entry.min, low);
    EXPECT_EQ(entry.max, high);
  }

  void check_tokens(std::uint32_t number, const std::vector<Value>& values) {
    for (const Value& value : values) {
      for (std::size_t at = 0; at <= value.text.size();) {
        const std::size_t last = std::min(value.text.find_first_of(kDelimiters, at), value.text.size());
        expect_key(number, value.text.substr(at, last - at));
        at = last + 1;
      }
    }
  }

  void check_variables(std::uint32_t number, const ColumnEntry& entry, const std::vector<Value>& values) {
    RowGroupReader reader = fixture_.reader(number);
    const auto head = reader.templates(entry);
    ASSERT_TRUE(head.has_value());
    std::vector<SlotSpan> spans;
    std::string skeleton;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if ((*head)->locals[(*head)->codes[i]].number == TemplateTable::kWhole) continue;
      find_slots_plain(values[i].text, spans);
      make_skeleton(values[i].text, spans, skeleton);
      std::vector<SlotSummary>& summaries = summaries_[{entry.column, skeleton}];
      summaries.resize(spans.size());
      for (std::size_t s = 0; s < spans.size(); ++s) {
        const std::string_view variable = values[i].text.substr(spans[s].first, spans[s].size);
        summaries[s].add(variable);
        expect_key(number, variable);
      }
    }
  }

  /// A token and its words, folded, are keys; and so is the mark of wide forms.
  void expect_key(std::uint32_t number, std::string_view token) {
    if (token.empty() || !seen_.insert(std::to_string(number) + std::string(token)).second) return;
    RowGroupReader reader = fixture_.reader(number);
    ASSERT_FALSE(reader.entry().filter.is_empty());
    const auto filter = reader.filter();
    ASSERT_TRUE(filter.has_value());
    const std::string text = folded(token);
    EXPECT_TRUE((*filter)->view.may_contain(token_key(text))) << token;
    std::string word;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && is_word_char(text[i])) {
        word.push_back(text[i]);
        continue;
      }
      if (!word.empty()) EXPECT_TRUE((*filter)->view.may_contain(token_key(word))) << word << " of " << token;
      word.clear();
    }
    if (token.find("\xE2\x84\xAA") != std::string_view::npos || token.find("\xC5\xBF") != std::string_view::npos) {
      EXPECT_TRUE((*filter)->view.may_contain(kWideFormKey)) << token;
    }
  }

  void check_slot_summaries() {
    const SegmentDictionary& dictionary = *fixture_.tables().dictionary;
    std::size_t checked = 0;
    for (std::uint32_t column = 0; column < dictionary.columns().size(); ++column) {
      for (const TemplateView& view : dictionary.templates(column).templates) {
        const auto found = summaries_.find({column, std::string(view.text)});
        if (found == summaries_.end()) continue;
        ++checked;
        ASSERT_EQ(view.slot_count, found->second.size());
        for (std::uint32_t s = 0; s < view.slot_count; ++s) {
          const SlotSummary& stated = dictionary.templates(column).slots[view.first_slot + s];
          EXPECT_EQ(stated.classes, found->second[s].classes) << view.text;
          EXPECT_EQ(stated.max_bytes, found->second[s].max_bytes) << view.text;
        }
      }
    }
    EXPECT_GE(checked, summaries_.size());
  }

  SegmentFixture& fixture_;
  std::set<std::string> seen_;
  std::map<std::pair<std::uint32_t, std::string>, std::vector<SlotSummary>> summaries_;
};

TEST(RowGroup, StatesWhatCountingAgainGives) {
  for (std::uint64_t round = 0; round < 4; ++round) {
    const std::uint64_t seed = segment_test_seed() + 100 + round;
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed - 100));
    RandomRecords source(seed);
    SegmentFixture fixture;
    fixture.add(source.batch(1 + source.below(3'000)));
    fixture.write();
    ASSERT_TRUE(fixture.is_readable());
    DirectoryCheck(fixture).run();
  }
}

TEST(RowGroup, StatesWhatCountingAgainGivesForEveryKind) {
  SegmentFixture fixture;
  fixture.add(batch_of_every_kind(3'000));
  fixture.write();
  DirectoryCheck(fixture).run();
}

TEST(RowGroup, KnowsMinutesBefore1970) {
  RecordBatchBuilder builder(kSegmentTestTime);
  for (const std::int64_t time : {-60'000'000'001, -60'000'000'000, -1L, 0L, 59'999'999'999}) {
    builder.begin_record();
    builder.set_timestamp(Timestamp(time));
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.write();
  std::vector<std::pair<std::int64_t, std::uint32_t>> counts;
  for (const MinuteCount& count : fixture.groups()[0].minute_counts) counts.emplace_back(count.minute, count.count);
  EXPECT_EQ(counts, (std::vector<std::pair<std::int64_t, std::uint32_t>>{{-2, 1}, {-1, 2}, {0, 2}}));
}

}  // namespace
}  // namespace dendro
