#include <algorithm>
#include <deque>

#include "filter/list_elements.h"
#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `unroll`: a row an element; several lists go side by side, the shorter ones end in nulls. A row without a list stays
/// as it is, one whose lists are empty loses them: no row vanishes.
class UnrollEditor final : public RowEditor {
 public:
  UnrollEditor(const UnrollPipe& pipe, const RowShape& shape) : pipe_(pipe) {
    for (const std::string& name : pipe_.names) fields_.emplace_back(name, shape);
    lists_.resize(fields_.size());
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    next_ = 0;
    count_ = 0;
    has_list_ = false;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      lists_[i] = std::nullopt;
      const Value value = fields_[i].read(rows, index);
      if (value.type != ValueType::list || !value.text.starts_with('[')) continue;
      lists_[i].emplace();
      for_each_list_element(value.text, [&](const Value& element) {
        lists_[i]->emplace_back(element);
        return true;
      });
      has_list_ = true;
      count_ = std::max(count_, lists_[i]->size());
    }
    if (has_list_) set_elements(edits);
  }
  bool edit_again(const RowBatch&, std::size_t, RowEdits& edits) override {
    if (!has_list_ || next_ >= count_) return false;
    set_elements(edits);
    return true;
  }

 private:
  void set_elements(RowEdits& edits) {
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      if (!lists_[i]) continue;
      Value value = next_ < lists_[i]->size() ? (*lists_[i])[next_].value() : Value::of_null();
      value.text = edits.keep(value.text);
      edits.set(pipe_.names[i], value);
    }
    ++next_;
  }

  const UnrollPipe& pipe_;
  std::deque<RowField> fields_;
  std::vector<std::optional<std::vector<Cell>>> lists_;
  std::size_t next_ = 0, count_ = 0;
  bool has_list_ = false;
};

}  // namespace

std::unique_ptr<RowEditor> make_unroll_editor(const UnrollPipe& pipe, const RowShape& shape) {
  return std::make_unique<UnrollEditor>(pipe, shape);
}

}  // namespace dendro
