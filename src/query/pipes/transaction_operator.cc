// Runs of records with equal keys that are close together, a row each. Records come oldest first.
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "query/pipes/operator.h"
#include "query/pipes/patient_sort.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

class TransactionOperator final : public Operator {
 public:
  TransactionOperator(OperatorPtr input, const TransactionPipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)), pipe_(pipe), step_(step), context_(context) {
    for (const std::string& name : pipe_.names) keys_.emplace_back(name, step_.input);
  }

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && take(*rows)) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    for (auto& [key, run] : open_) finish(key, run, step_.ends == nullptr);
    return std::optional<RowBatch>(make_table());
  }

 private:
  struct Run {
    std::vector<Cell> keys;
    Timestamp first, last;
    std::uint64_t count = 0;
  };
  struct Finished {
    Run run;
    std::string key;
    bool is_closed = false;
  };

  /// False once no more rows may come in.
  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!read_key(rows, i)) continue;
      if (!add(rows, i)) return false;
    }
    return !context_.is_stopped();
  }

  /// False if the record lacks a key: it belongs to no transaction.
  bool read_key(const RowBatch& rows, std::size_t index) {
    key_.clear();
    for (RowField& field : keys_) {
      const Value value = field.read(rows, index);
      if (value.is_missing()) return false;
      append_sized(key_, value_text(value, scratch_));
    }
    return true;
  }

  bool add(const RowBatch& rows, std::size_t index) {
    const Timestamp time = rows.records[index].position().timestamp;
    const RowSource row(step_.input, rows, index);
    const bool starts = step_.starts != nullptr && step_.starts->matches(row);
    auto known = open_.find(key_);
    if (known != open_.end() && (starts || is_too_late(known->second, time))) {
      finish(known->first, known->second, step_.ends == nullptr);
      open_.erase(known);
      known = open_.end();
    }
    if (known == open_.end()) {
      if (step_.starts != nullptr && !starts) return true;
      if (open_.size() + finished_.size() >= context_.limits.groups_max) return stop();
      known = open_.try_emplace(key_).first;
      begin(known->second, rows, index, time);
    }
    Run& run = known->second;
    run.last = time;
    ++run.count;
    if (step_.ends != nullptr && step_.ends->matches(row)) {
      finish(known->first, run, true);
      open_.erase(known);
    }
    return true;
  }

  bool is_too_late(const Run& run, Timestamp time) const {
    return (pipe_.span_ns_max != 0 && time.number() - run.first.number() > pipe_.span_ns_max) ||
           (pipe_.pause_ns_max != 0 && time.number() - run.last.number() > pipe_.pause_ns_max);
  }
  void begin(Run& run, const RowBatch& rows, std::size_t index, Timestamp time) {
    run.first = time;
    std::uint64_t bytes = 2 * sizeof(Finished) + 2 * key_.size() + 64;
    for (RowField& field : keys_) {
      run.keys.emplace_back(field.read(rows, index));
      bytes += run.keys.back().bytes();
    }
    context_.charge(bytes);
  }
  void finish(const std::string& key, Run& run, bool is_closed) {
    finished_.push_back({std::move(run), key, is_closed});
  }
  bool stop() {
    context_.warn_once({"group_limit",
                        "transaction keeps at most " + std::to_string(context_.limits.groups_max) +
                            " transactions; name a shorter range of time",
                        0, 0});
    context_.stop(StopReason::memory);
    return false;
  }

  /// By their first record, then by key. Columns as the planner names them.
  RowBatch make_table() {
    const auto first_first = [](const Finished& a, const Finished& b) {
      if (a.run.first != b.run.first) return a.run.first < b.run.first;
      return a.key != b.key ? a.key < b.key : a.run.last < b.run.last;
    };
    sort_patiently(finished_, first_first, context_);
    RowBatch out;
    if (context_.is_cancelled()) return out;
    for (Finished& finished : finished_) {
      const Run& run = finished.run;
      const double seconds = (static_cast<double>(run.last.number() - run.first.number())) / 1e9;
      TableRow& row = out.table.emplace_back(std::move(finished.run.keys));
      row.emplace_back(Value::of_time(run.first, 9));
      row.emplace_back(Value::of_time(run.last, 9));
      row.emplace_back(Value::of_float64(seconds));
      row.emplace_back(Number::of_uint64(run.count).to_value());
      row.emplace_back(Value::of_bool(finished.is_closed));
    }
    return out;
  }

  OperatorPtr input_;
  const TransactionPipe& pipe_;
  const QueryStep& step_;
  QueryContext& context_;
  std::deque<RowField> keys_;
  std::unordered_map<std::string, Run> open_;
  std::vector<Finished> finished_;
  std::string key_, scratch_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_transaction_operator(OperatorPtr input, const TransactionPipe& pipe, const QueryStep& step,
                                      QueryContext& context) {
  return std::make_unique<TransactionOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
