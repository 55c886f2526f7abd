#include "filter/text_pattern.h"
#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `extract`: each place takes the text up to the literal behind it. One pass tells: where a literal does not follow
/// from the first start, it follows from no later one.
class ExtractEditor final : public RowEditor {
 public:
  ExtractEditor(const ExtractPipe& pipe, const RowShape& shape) : pipe_(pipe), from_(pipe.from, shape) {}
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = from_.read(rows, index);
    if (value.is_missing()) return;
    const std::string_view text = value_text(value, scratch_);
    if (!cut(text)) return;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const PlaceholderText::Place& place = pipe_.pattern.places[i];
      if (place.is_named()) edits.set(place.name, edits.keep_text(parts_[i]));
    }
  }

 private:
  bool cut(std::string_view text) {
    parts_.clear();
    const std::string& first = pipe_.pattern.literal;
    std::size_t at = find_literal(text, first);
    if (at == std::string_view::npos) return false;
    at += first.size();
    for (const PlaceholderText::Place& place : pipe_.pattern.places) {
      const std::size_t end = place.literal.empty() ? text.size() : find_literal(text, place.literal, at);
      if (end == std::string_view::npos) return false;
      parts_.push_back(text.substr(at, end - at));
      at = end + place.literal.size();
    }
    return true;
  }

  const ExtractPipe& pipe_;
  RowField from_;
  std::vector<std::string_view> parts_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_extract_editor(const ExtractPipe& pipe, const RowShape& shape) {
  return std::make_unique<ExtractEditor>(pipe, shape);
}

}  // namespace dendro
