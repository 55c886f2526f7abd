#include <deque>

#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `format`: a text with the values of fields in it, nothing where one is missing.
class FormatEditor final : public RowEditor {
 public:
  FormatEditor(const FormatPipe& pipe, const RowShape& shape) : pipe_(pipe) {
    for (const PlaceholderText::Place& place : pipe_.pattern.places) fields_.emplace_back(place.name, shape);
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    std::string text = pipe_.pattern.literal;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const PlaceholderText::Place& place = pipe_.pattern.places[i];
      const Value value = place.is_named() ? fields_[i].read(rows, index) : Value::of_null();
      if (!value.is_missing()) text += value_text(value, scratch_);
      text += place.literal;
    }
    edits.set(pipe_.to, edits.keep_text(text));
  }

 private:
  const FormatPipe& pipe_;
  std::deque<RowField> fields_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_format_editor(const FormatPipe& pipe, const RowShape& shape) {
  return std::make_unique<FormatEditor>(pipe, shape);
}

}  // namespace dendro
