#include <cmath>
#include <map>

#include "filter/number.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `histogram n f`: buckets of one width, a power of two, the narrowest with which the values need no more than n. The
/// width doubles as values come, so nothing is kept but the counts. Empty buckets between others have a row.
class HistogramOperator final : public Operator {
 public:
  HistogramOperator(OperatorPtr input, const HistogramPipe& pipe, const RowShape& shape)
      : input_(std::move(input)), count_(pipe.count), is_table_(shape.is_table), field_(pipe.name, shape) {}

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows) {
      take(*rows);
      return std::optional<RowBatch>(RowBatch());
    }
    is_finished_ = true;
    return std::optional<RowBatch>(make_table());
  }

 private:
  static constexpr int kExponentMin = -10;                ///< the narrowest width is 2^-10
  static constexpr double kNumberMax = 4503599627370496;  ///< 2^52: buckets are told apart exactly

  void take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto number = number_of_value(field_.read(rows, i));
      if (!number || !std::isfinite(number->to_double())) continue;
      while (std::fabs(std::ldexp(number->to_double(), -exponent_)) > kNumberMax) widen();
      buckets_[std::floor(std::ldexp(number->to_double(), -exponent_))] += is_table_ ? 1 : rows.records[i].weight;
      while (needed() > static_cast<double>(count_) && !is_widest()) widen();
    }
  }
  /// One bucket on either side of 0: wider ones would be two all the same.
  bool is_widest() const { return buckets_.begin()->first >= -1 && buckets_.rbegin()->first <= 0; }
  double needed() const { return buckets_.rbegin()->first - buckets_.begin()->first + 1; }
  void widen() {
    ++exponent_;
    std::map<double, std::uint64_t> wider;
    for (const auto& [number, hits] : buckets_) wider[std::floor(number / 2)] += hits;
    buckets_ = std::move(wider);
  }

  RowBatch make_table() const {
    RowBatch out;
    if (buckets_.empty()) return out;
    for (double number = buckets_.begin()->first; number <= buckets_.rbegin()->first; ++number) {
      const auto bucket = buckets_.find(number);
      const std::uint64_t hits = bucket == buckets_.end() ? 0 : bucket->second;
      out.table.push_back({bound(number), bound(number + 1), Cell(Number::of_uint64(hits).to_value())});
    }
    return out;
  }
  Cell bound(double number) const {
    const double edge = std::ldexp(number, exponent_);
    const bool is_whole = edge == std::floor(edge) && std::fabs(edge) < 9e15;
    return Cell(is_whole ? Value::of_int64(static_cast<std::int64_t>(edge)) : Value::of_float64(edge));
  }

  OperatorPtr input_;
  const std::uint64_t count_;
  const bool is_table_;
  RowField field_;
  int exponent_ = kExponentMin;              ///< the width is 2^exponent_
  std::map<double, std::uint64_t> buckets_;  ///< by their number: the first one at or above 0 is 0
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_histogram_operator(OperatorPtr input, const HistogramPipe& pipe, const RowShape& shape) {
  return std::make_unique<HistogramOperator>(std::move(input), pipe, shape);
}

}  // namespace dendro
