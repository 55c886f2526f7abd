#include "query/edit/row_editors.h"
#include "query/expression/expression_value.h"

namespace dendro {
namespace {

/// `eval`: computes each expression; where it has no value the field is taken away. The plan has seen to it that no
/// expression reads a name that an earlier one sets.
class EvalEditor final : public RowEditor {
 public:
  EvalEditor(const EvalPipe& pipe, const RowShape& shape, const QueryPlan& plan) : pipe_(pipe) {
    for (const EvalPipe::Item& item : pipe_.items)
      values_.push_back(make_expression_value(item.expression, shape, *plan.zone));
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      Value value = values_[i]->compute(rows, index, edits.arena());
      value.text = edits.keep(value.text);
      edits.set(pipe_.items[i].name, value);
    }
  }

 private:
  const EvalPipe& pipe_;
  std::vector<ExpressionValuePtr> values_;
};

}  // namespace

std::unique_ptr<RowEditor> make_eval_editor(const EvalPipe& pipe, const RowShape& shape, const QueryPlan& plan) {
  return std::make_unique<EvalEditor>(pipe, shape, plan);
}

}  // namespace dendro
