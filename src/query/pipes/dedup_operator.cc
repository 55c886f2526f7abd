#include <deque>
#include <unordered_map>

#include "base/bytes.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `dedup`: of rows with equal texts in some fields the first few; missing is a value like any other.
class DedupOperator final : public Operator {
 public:
  DedupOperator(OperatorPtr input, const DedupPipe& pipe, const RowShape& shape, QueryContext& context)
      : input_(std::move(input)), count_(pipe.count), context_(context) {
    for (const std::string& name : pipe.names) fields_.emplace_back(name, shape);
  }

  Result<std::optional<RowBatch>> next() override {
    if (context_.is_stopped()) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (!rows) return rows;
    RowBatch kept;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (!is_wanted(*rows, i)) continue;
      if (rows->records.empty()) {
        kept.table.push_back(std::move(rows->table[i]));
      } else {
        kept.records.push_back(rows->records[i]);
      }
    }
    kept.held = std::move(rows->held);
    return std::optional<RowBatch>(std::move(kept));
  }

 private:
  bool is_wanted(const RowBatch& rows, std::size_t index) {
    key_.clear();
    for (RowField& field : fields_) {
      const Value value = field.read(rows, index);
      key_.push_back(value.is_missing() ? '\0' : '\1');
      append_sized(key_, value.is_missing() ? std::string_view() : value_text(value, scratch_));
    }
    const auto [seen, is_new] = seen_.try_emplace(key_, 0);
    if (is_new && !context_.charge(2 * key_.size() + 96)) return false;
    return ++seen->second <= count_;
  }

  OperatorPtr input_;
  const std::uint64_t count_;
  QueryContext& context_;
  std::deque<RowField> fields_;
  std::unordered_map<std::string, std::uint64_t> seen_;
  std::string key_;
  std::string scratch_;
};

}  // namespace

OperatorPtr make_dedup_operator(OperatorPtr input, const DedupPipe& pipe, const RowShape& shape,
                                QueryContext& context) {
  return std::make_unique<DedupOperator>(std::move(input), pipe, shape, context);
}

}  // namespace dendro
