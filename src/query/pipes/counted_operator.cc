#include <numeric>

#include "query/pipes/operator.h"

namespace dendro {
namespace {

std::uint64_t rows_stood_for(const RowBatch& rows) {
  return std::accumulate(rows.records.begin(), rows.records.end(), std::uint64_t{rows.table.size()},
                         [](std::uint64_t sum, const RecordRow& record) { return sum + record.weight; });
}

Result<std::optional<RowBatch>> next_counted(Operator& input, OperatorProfile& profile, const Clock& clock) {
  const std::chrono::nanoseconds began = clock.monotonic();
  Result<std::optional<RowBatch>> rows = input.next();
  profile.time += clock.monotonic() - began;
  if (rows && rows->has_value()) profile.rows += rows_stood_for(**rows);
  return rows;
}

class CountedScan final : public ScanOperator {
 public:
  CountedScan(std::unique_ptr<ScanOperator> input, OperatorProfile& profile, const Clock& clock)
      : input_(std::move(input)), profile_(profile), clock_(clock) {}
  Result<std::optional<RowBatch>> next() override { return next_counted(*input_, profile_, clock_); }
  Timestamp bound() const override { return input_->bound(); }
  bool is_exhausted() const override { return input_->is_exhausted(); }
  std::uint64_t scanned_records() const override { return input_->scanned_records(); }
  std::uint64_t scanned_bytes() const override { return input_->scanned_bytes(); }

 private:
  const std::unique_ptr<ScanOperator> input_;
  OperatorProfile& profile_;
  const Clock& clock_;
};

class CountedOperator final : public Operator {
 public:
  CountedOperator(OperatorPtr input, OperatorProfile& profile, const Clock& clock)
      : input_(std::move(input)), profile_(profile), clock_(clock) {}
  Result<std::optional<RowBatch>> next() override { return next_counted(*input_, profile_, clock_); }

 private:
  const OperatorPtr input_;
  OperatorProfile& profile_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<ScanOperator> make_counted_scan(std::unique_ptr<ScanOperator> input, OperatorProfile& profile,
                                                const Clock& clock) {
  return std::make_unique<CountedScan>(std::move(input), profile, clock);
}

OperatorPtr make_counted_operator(OperatorPtr input, OperatorProfile& profile, const Clock& clock) {
  return std::make_unique<CountedOperator>(std::move(input), profile, clock);
}

}  // namespace dendro
