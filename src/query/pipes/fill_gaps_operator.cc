#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/bytes.h"
#include "query/expression/bucket_value.h"
#include "query/pipes/kept_rows.h"
#include "query/pipes/operator.h"
#include "query/rows/value_order.h"

namespace dendro {
namespace {

constexpr std::size_t kFilledRowsMax = 100'000;

/// `fill_gaps`: a row for every bucket of time, of each combination of some columns. From the range of the query, where
/// it has ends, else from the first to the last bucket of the rows. Sorted by time, then by those columns.
class FillGapsOperator final : public Operator {
 public:
  FillGapsOperator(OperatorPtr input, const FillGapsPipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)),
        pipe_(pipe),
        step_(step),
        context_(context),
        time_(step.input.column_of(pipe.time.column)),
        kept_("fill_gaps", context) {
    for (const std::string& name : pipe.names) {
      names_.push_back(step.input.column_of(name));
      rules_.push_back(order_rule_of(name));
    }
  }

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && kept_.add(std::move(*rows))) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    RowBatch out;
    out.table = filled(kept_.take_table());
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  struct Series {
    std::string key;
    std::vector<SortValue> order;
    TableRow sample;
    std::map<std::int64_t, std::vector<TableRow>> rows;  ///< by bucket
  };

  std::vector<TableRow> filled(std::vector<TableRow> table) {
    std::map<std::string, Series> by_key;
    std::vector<TableRow> timeless;
    const TimeRange& range = step_.stats.range;
    std::optional<std::int64_t> first, last;
    if (range.first != kTimestampMin && range.first < range.last) first = bucket_of(Value::of_time(range.first, 9));
    if (range.last != kTimestampMax && range.first < range.last)
      last = bucket_of(Value::of_time(Timestamp(range.last.number() - 1), 9));
    for (TableRow& row : table) {
      const auto bucket = bucket_of(row[time_].value());
      if (!bucket) {
        timeless.push_back(std::move(row));
        continue;
      }
      first = std::min(first.value_or(*bucket), *bucket);
      last = std::max(last.value_or(*bucket), *bucket);
      Series& series = series_of(by_key, row);
      series.rows[*bucket].push_back(std::move(row));
    }
    if (by_key.empty() && names_.empty()) by_key[""].sample.resize(step_.input.columns.size());
    std::vector<TableRow> out = first && last ? lay_out(by_key, *first, *last) : std::vector<TableRow>();
    std::move(timeless.begin(), timeless.end(), std::back_inserter(out));
    return out;
  }

  Series& series_of(std::map<std::string, Series>& by_key, const TableRow& row) {
    std::string key, scratch;
    for (const std::size_t name : names_) {
      const Value value = row[name].value();
      key.push_back(value.is_missing() ? '\0' : '\1');
      append_sized(key, value.is_missing() ? std::string_view() : value_text(value, scratch));
    }
    const auto [known, is_new] = by_key.try_emplace(key);
    if (is_new) {
      known->second.key = key;
      known->second.sample = row;
      for (std::size_t i = 0; i < names_.size(); ++i)
        known->second.order.emplace_back(row[names_[i]].value(), rules_[i]);
    }
    return known->second;
  }

  std::vector<TableRow> lay_out(std::map<std::string, Series>& by_key, std::int64_t first, std::int64_t last) {
    std::vector<Series*> order;
    for (auto& [key, series] : by_key) order.push_back(&series);
    std::sort(order.begin(), order.end(), [](const Series* a, const Series* b) {
      for (std::size_t i = 0; i < a->order.size(); ++i) {
        if (const auto compared = a->order[i] <=> b->order[i]; compared != 0) return compared < 0;
      }
      return a->key < b->key;
    });
    std::vector<TableRow> out;
    std::size_t filled_count = 0;
    for (std::int64_t bucket = first; bucket <= last; bucket = bucket_behind(bucket)) {
      for (Series* series : order) {
        const auto rows = series->rows.find(bucket);
        if (rows != series->rows.end()) {
          std::move(rows->second.begin(), rows->second.end(), std::back_inserter(out));
        } else if (filled_count < kFilledRowsMax) {
          out.push_back(filler_row(*series, bucket));
          ++filled_count;
        } else {
          say_cut();
        }
      }
      if (context_.is_stopped() && filled_count >= kFilledRowsMax) {
        bucket = next_with_rows(order, bucket, last);
      }
    }
    return out;
  }
  /// The bucket in front of the next one that has rows: the fillers are used up.
  std::int64_t next_with_rows(const std::vector<Series*>& order, std::int64_t bucket, std::int64_t last) const {
    std::int64_t next = last;
    for (const Series* series : order) {
      const auto rows = series->rows.upper_bound(bucket);
      if (rows != series->rows.end()) next = std::min(next, rows->first);
    }
    const std::int64_t step = bucket_behind(bucket) - bucket;
    return next > bucket + step ? *bucket_of(Value::of_time(Timestamp(next - 1), 9)) : bucket;
  }
  void say_cut() {
    context_.warn_once({"fill_limit",
                        "at most " + std::to_string(kFilledRowsMax) +
                            " rows are filled in; take wider buckets, a shorter range, or fewer series",
                        0, 0});
    context_.stop(StopReason::memory);
  }

  TableRow filler_row(const Series& series, std::int64_t bucket) {
    TableRow row = step_.fillers;
    for (const std::size_t name : names_) row[name] = series.sample[name];
    row[time_] = Cell(Value::of_time(Timestamp(bucket), 9));
    std::uint64_t bytes = 0;
    for (const Cell& cell : row) bytes += cell.bytes();
    context_.charge(bytes);
    return row;
  }

  std::optional<std::int64_t> bucket_of(const Value& time) const {
    std::string scratch;
    const Value start = bucket_value(pipe_.time.bucket, time, *step_.stats.zone, scratch);
    return start.type == ValueType::time ? std::optional(start.integer) : std::nullopt;
  }
  std::int64_t bucket_behind(std::int64_t bucket) const {
    const double seconds = bucket_seconds(pipe_.time.bucket, Value::of_time(Timestamp(bucket), 9), *step_.stats.zone);
    return bucket + std::max<std::int64_t>(std::llround(seconds * 1e9), 1);
  }

  OperatorPtr input_;
  const FillGapsPipe& pipe_;
  const QueryStep& step_;
  QueryContext& context_;
  const std::size_t time_;
  std::vector<std::size_t> names_;
  std::vector<OrderRule> rules_;
  KeptRows kept_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_fill_gaps_operator(OperatorPtr input, const FillGapsPipe& pipe, const QueryStep& step,
                                    QueryContext& context) {
  return std::make_unique<FillGapsOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
