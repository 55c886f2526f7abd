#include <deque>

#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `rename`, `copy`: the new name has the old one's value, none if there is none.
class RenameEditor final : public RowEditor {
 public:
  RenameEditor(const RenamePipe& pipe, const RowShape& shape) : pipe_(pipe) {
    for (const RenamePipe::Item& item : pipe_.items) fields_.emplace_back(item.from, shape);
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    for (std::size_t i = 0; i < pipe_.items.size(); ++i) {
      const RenamePipe::Item& item = pipe_.items[i];
      if (item.from == item.to) continue;
      Value value = fields_[i].read(rows, index);
      value.text = edits.keep(value.text);
      if (!pipe_.copies) edits.remove(item.from);
      edits.set(item.to, value);
    }
  }

 private:
  const RenamePipe& pipe_;
  std::deque<RowField> fields_;
};

}  // namespace

std::unique_ptr<RowEditor> make_rename_editor(const RenamePipe& pipe, const RowShape& shape) {
  return std::make_unique<RenameEditor>(pipe, shape);
}

}  // namespace dendro
