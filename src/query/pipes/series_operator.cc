// anomaly, changepoint, forecast: a column of numbers in the order of the rows. Rows without a number are passed over.
//
// anomaly      score = |x - median| / (1.4826 MAD), the deviation floored at sqrt(|median|); from 3.5 on it is one
//              (B. Iglewicz, D. Hoaglin, How to Detect and Handle Outliers, 1993; the floor as in diagnosis.md 5.3).
// changepoint  binary segmentation: the cut that explains most of the squares, as long as what it takes off exceeds
//              3 s^2 ln n, with s the spread of neighbours' differences; true at the first row of a new level
//              (A. Scott, M. Knott, Biometrics 30, 1974; the penalty after Schwarz).
// forecast     Holt's two exponential smoothings, 0.5 for the level and 0.3 for the trend, of all rows; more rows go on
//              from there, with the step of the last two times (C. Holt, 1957).
#include <algorithm>
#include <cmath>
#include <optional>

#include "filter/number.h"
#include "query/pipes/kept_rows.h"
#include "query/pipes/operator.h"

namespace dendro {
namespace {

constexpr double kAnomalyScore = 3.5;
constexpr double kDeviationOfMad = 1.4826;
constexpr std::size_t kLevelRowsMin = 3;
constexpr std::size_t kLevelsMax = 1'000;  ///< each cut goes over its part of the rows
constexpr double kLevelWeight = 0.5, kTrendWeight = 0.3;

struct SeriesPoint {
  std::size_t row = 0;
  double value = 0;
};

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Marks the first row of each level within [first, last).
class LevelSearch {
 public:
  LevelSearch(const std::vector<SeriesPoint>& points, QueryContext& context)
      : context_(context), starts_(points.size()), sums_{0} {
    std::vector<double> steps;
    for (std::size_t i = 0; i < points.size(); ++i) {
      sums_.push_back(sums_.back() + static_cast<long double>(points[i].value));
      if (i > 0) steps.push_back(std::fabs(points[i].value - points[i - 1].value));
    }
    if (steps.empty()) return;
    // Neighbours of one level differ by sqrt(2) of its spread; jumps are few and do not move the median.
    const double spread = kDeviationOfMad * median_of(steps) / std::sqrt(2.0);
    penalty_ = 3 * static_cast<long double>(spread * spread) * std::log(static_cast<long double>(points.size()));
    split(0, points.size());
  }
  bool is_start(std::size_t index) const { return starts_[index]; }
  bool was_cut() const { return count_ >= kLevelsMax; }

 private:
  void split(std::size_t first, std::size_t last) {
    std::vector<std::pair<std::size_t, std::size_t>> parts = {{first, last}};
    while (!parts.empty() && !was_cut() && !context_.is_cancelled()) {
      const auto [begin, end] = parts.back();
      parts.pop_back();
      std::size_t best = begin;
      long double best_gain = 0;
      for (std::size_t cut = begin + kLevelRowsMin; cut + kLevelRowsMin <= end; ++cut) {
        const long double gain = gain_of(begin, cut, end);
        if (gain <= best_gain) continue;
        best_gain = gain;
        best = cut;
      }
      if (best == begin || best_gain <= penalty_) continue;
      starts_[best] = true;
      ++count_;
      parts.emplace_back(begin, best);
      parts.emplace_back(best, end);
    }
  }
  /// By how much the squares around the mean fall if there are two means.
  long double gain_of(std::size_t begin, std::size_t cut, std::size_t end) const {
    const auto left = static_cast<long double>(cut - begin), right = static_cast<long double>(end - cut);
    const long double difference = (sums_[cut] - sums_[begin]) / left - (sums_[end] - sums_[cut]) / right;
    return difference * difference * left * right / (left + right);
  }
  QueryContext& context_;
  std::vector<bool> starts_;
  std::vector<long double> sums_;
  long double penalty_ = 0;
  std::size_t count_ = 1;
};

class SeriesOperator final : public Operator {
 public:
  SeriesOperator(OperatorPtr input, const SeriesPipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)),
        pipe_(pipe),
        shape_(step.output),
        column_(step.input.column_of(pipe.name)),
        context_(context),
        kept_("a series", context) {}

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && kept_.add(std::move(*rows))) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    RowBatch out;
    out.table = kept_.take_table();
    for (TableRow& row : out.table) row.resize(shape_.columns.size());
    std::vector<SeriesPoint> points;
    for (std::size_t row = 0; row < out.table.size(); ++row) {
      if (const auto number = number_of_value(out.table[row][column_].value()))
        points.push_back({row, number->to_double()});
    }
    if (pipe_.kind == SeriesPipe::Kind::anomaly) mark_anomalies(out.table, points);
    if (pipe_.kind == SeriesPipe::Kind::changepoint) mark_levels(out.table, points);
    if (pipe_.kind == SeriesPipe::Kind::forecast) add_forecast(out.table, points);
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  void mark_anomalies(std::vector<TableRow>& table, const std::vector<SeriesPoint>& points) const {
    if (points.empty()) return;
    std::vector<double> values;
    for (const SeriesPoint& point : points) values.push_back(point.value);
    const double median = median_of(values);
    for (double& value : values) value = std::fabs(value - median);
    const double deviation = std::max(kDeviationOfMad * median_of(values), std::sqrt(std::fabs(median)));
    for (const SeriesPoint& point : points) {
      const double distance = std::fabs(point.value - median);
      const double score = deviation > 0 ? distance / deviation : distance > 0 ? 2 * kAnomalyScore : 0;
      set(table[point.row], "score", Value::of_float64(std::round(score * 1e4) / 1e4));
      set(table[point.row], "anomaly", Value::of_bool(score >= kAnomalyScore));
    }
  }
  void mark_levels(std::vector<TableRow>& table, const std::vector<SeriesPoint>& points) const {
    const LevelSearch levels(points, context_);
    if (levels.was_cut()) {
      context_.warn_once({"levels_limit", "changepoint finds at most " + std::to_string(kLevelsMax) + " levels", 0, 0});
    }
    for (std::size_t i = 0; i < points.size(); ++i)
      set(table[points[i].row], "changepoint", Value::of_bool(levels.is_start(i)));
  }
  void add_forecast(std::vector<TableRow>& table, const std::vector<SeriesPoint>& points) const {
    for (const SeriesPoint& point : points) set(table[point.row], "forecast", Value::of_bool(false));
    if (points.size() < 2) return;
    double level = points[0].value, trend = points[1].value - points[0].value;
    for (std::size_t i = 1; i < points.size(); ++i) {
      const double before = level;
      level = kLevelWeight * points[i].value + (1 - kLevelWeight) * (level + trend);
      trend = kTrendWeight * (level - before) + (1 - kTrendWeight) * trend;
    }
    const std::size_t time = shape_.column_of("_time");
    const auto last = time_of(table, points[points.size() - 1].row, time);
    const auto before = time_of(table, points[points.size() - 2].row, time);
    for (std::uint64_t step = 1; step <= pipe_.count; ++step) {
      TableRow& row = table.emplace_back(shape_.columns.size());
      const double value = level + static_cast<double>(step) * trend;
      if (std::isfinite(value)) row[column_] = Cell(Value::of_float64(std::round(value * 1e6) / 1e6));
      set(row, "forecast", Value::of_bool(true));
      std::int64_t ahead = 0;
      if (!last || !before || __builtin_mul_overflow(*last - *before, static_cast<std::int64_t>(step), &ahead) ||
          __builtin_add_overflow(*last, ahead, &ahead))
        continue;
      row[time] = Cell(Value::of_time(Timestamp(ahead), 9));
    }
  }
  static std::optional<std::int64_t> time_of(const std::vector<TableRow>& table, std::size_t row, std::size_t column) {
    if (column >= table[row].size() || table[row][column].value().type != ValueType::time) return std::nullopt;
    return table[row][column].value().integer;
  }
  void set(TableRow& row, std::string_view column, const Value& value) const {
    row[shape_.column_of(column)] = Cell(value);
  }

  OperatorPtr input_;
  const SeriesPipe& pipe_;
  const RowShape& shape_;
  const std::size_t column_;
  QueryContext& context_;
  KeptRows kept_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_series_operator(OperatorPtr input, const SeriesPipe& pipe, const QueryStep& step,
                                 QueryContext& context) {
  return std::make_unique<SeriesOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
