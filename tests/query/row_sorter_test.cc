#include "query/spill/row_sorter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>

#include "query/spill/best_rows.h"
#include "tests/query/spill_folder.h"

namespace dendro {
namespace {

struct RowSorterFixture : testing::Test {
  ManualClock clock{Timestamp(0)};
  SpillFolder folder;
  QueryRunOptions options;
  RowShape shape;
  RowOrder order{{false}};

  RowSorterFixture() {
    shape.is_table = true;
    shape.columns = {"n"};
  }
  SortedRow row(std::int64_t key, std::uint64_t ordinal) const {
    SortedRow made;
    made.keys.emplace_back(Value::of_int64(key), OrderRule::by_value);
    made.ordinal = ordinal;
    made.row.emplace_back(Value::of_int64(static_cast<std::int64_t>(ordinal)));
    return made;
  }
  /// Ordinals in the order in which rows come out.
  std::vector<std::int64_t> sorted(RowSorter& sorter) {
    for (;;) {
      const auto is_ready = sorter.prepare();
      EXPECT_TRUE(is_ready.has_value());
      if (!is_ready || *is_ready) break;
    }
    std::vector<std::int64_t> ordinals;
    for (;;) {
      auto rows = sorter.next(100);
      EXPECT_TRUE(rows.has_value());
      if (!rows || rows->empty()) return ordinals;
      for (const TableRow& cells : rows->table) ordinals.push_back(cells[0].value().integer);
    }
  }
  /// 20,000 keys out of 500.
  std::vector<std::int64_t> keys() const {
    std::mt19937_64 random(5);
    std::vector<std::int64_t> keys;
    for (int i = 0; i < 20'000; ++i) keys.push_back(static_cast<std::int64_t>(random() % 500));
    return keys;
  }
  std::vector<std::int64_t> expected(const std::vector<std::int64_t>& keys) const {
    std::vector<std::int64_t> ordinals(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) ordinals[i] = static_cast<std::int64_t>(i);
    std::sort(ordinals.begin(), ordinals.end(), [&](std::int64_t a, std::int64_t b) {
      return std::pair(keys[static_cast<std::size_t>(a)], a) < std::pair(keys[static_cast<std::size_t>(b)], b);
    });
    return ordinals;
  }
};

TEST_F(RowSorterFixture, MemoryAndFilesGiveOneOrderAndAllMemoryBack) {
  const std::vector<std::int64_t> unsorted = keys();
  // In memory; in a few runs; in more runs than are merged at a time.
  for (const std::uint64_t above : {std::uint64_t{0}, std::uint64_t{1} << 20, std::uint64_t{30'000}}) {
    if (above != 0) folder.use_for(options, above);
    QueryContext context(options, clock, std::chrono::seconds(30));
    {
      RowSorter sorter(order, shape, FieldNeed(), RowSorter::WhenFull::stop, context);
      for (std::size_t i = 0; i < unsorted.size(); ++i) {
        const auto goes_on = sorter.add(row(unsorted[i], i), nullptr);
        ASSERT_TRUE(goes_on.has_value() && *goes_on);
        if (above != 0) ASSERT_LE(context.memory_bytes(), above + 1'000);
      }
      EXPECT_EQ(context.spill.written_bytes() > 0, above != 0);
      EXPECT_EQ(sorted(sorter), expected(unsorted)) << above;
    }
    EXPECT_EQ(context.memory_bytes(), 0u);
    EXPECT_TRUE(folder.names().empty());
  }
}

TEST_F(RowSorterFixture, FullFilesKeepWhatIsKnown) {
  folder.use_for(options, 30'000);
  options.limits.spill_bytes_max = 60'000;
  QueryContext context(options, clock, std::chrono::seconds(30));
  RowSorter sorter(order, shape, FieldNeed(), RowSorter::WhenFull::stop, context);
  std::size_t taken = 0;
  const std::vector<std::int64_t> unsorted = keys();
  for (bool goes_on = true; goes_on; ++taken) goes_on = *sorter.add(row(unsorted[taken], taken), nullptr);
  EXPECT_EQ(context.stop_reason(), StopReason::memory);
  ASSERT_EQ(context.warnings.size(), 1u);
  EXPECT_EQ(context.warnings[0].code, "spill_limit");
  EXPECT_EQ(sorted(sorter), expected({unsorted.begin(), unsorted.begin() + static_cast<std::ptrdiff_t>(taken)}));
}

TEST_F(RowSorterFixture, ALeftCallerGetsNothingMore) {
  QueryContext context(options, clock, std::chrono::seconds(30));
  RowSorter sorter(order, shape, FieldNeed(), RowSorter::WhenFull::stop, context);
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(*sorter.add(row(0, i), nullptr));
  ASSERT_TRUE(*sorter.prepare());
  options.cancel.cancel();
  EXPECT_TRUE(sorter.next(5)->empty());
}

TEST_F(RowSorterFixture, BestRowsAreTheFirstOfAllAndGiveMemoryBack) {
  const std::vector<std::int64_t> unsorted = keys();
  QueryContext context(options, clock, std::chrono::seconds(30));
  {
    BestRows best(order, 700, true, context);
    for (std::size_t i = 0; i < unsorted.size(); ++i) {
      SortedRow next = row(unsorted[i], i);
      if (best.wants(next)) ASSERT_TRUE(best.add(std::move(next), nullptr));
    }
    EXPECT_EQ(context.memory_bytes(), best.charged_bytes());
    RowSorter sorter(order, shape, FieldNeed(), RowSorter::WhenFull::stop, context);
    ASSERT_TRUE(best.hand_to(sorter).has_value());
    EXPECT_EQ(best.charged_bytes(), 0u);
    std::vector<std::int64_t> first = expected(unsorted);
    first.resize(700);
    EXPECT_EQ(sorted(sorter), first);
  }
  EXPECT_EQ(context.memory_bytes(), 0u);
}

}  // namespace
}  // namespace dendro
