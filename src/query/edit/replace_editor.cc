#include "filter/text_pattern.h"
#include "query/edit/row_editors.h"
#include "query/language/regex_replacement.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `replace`, `replace_regexp`: of a value in which nothing is found, nothing changes, not even its type.
class ReplaceEditor final : public RowEditor {
 public:
  ReplaceEditor(const ReplacePipe& pipe, const RowShape& shape) : pipe_(pipe), at_(pipe.at, shape) {
    if (pipe.regex == nullptr) return;
    if (auto made = RegexReplacement::make(pipe.regex, pipe.to)) replacement_ = std::move(*made);
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = at_.read(rows, index);
    if (value.is_missing()) return;
    const std::string_view text = value_text(value, scratch_);
    changed_.clear();
    const bool was_found = replacement_ ? replacement_->append(changed_, text) : replace_literal(text);
    if (was_found) edits.set(pipe_.at, edits.keep_text(changed_));
  }

 private:
  bool replace_literal(std::string_view text) {
    bool was_found = false;
    std::size_t at = 0;
    for (std::size_t hit = find_literal(text, pipe_.from); hit != std::string_view::npos;
         hit = find_literal(text, pipe_.from, at)) {
      was_found = true;
      changed_ += text.substr(at, hit - at);
      changed_ += pipe_.to;
      at = hit + pipe_.from.size();
    }
    if (was_found) changed_ += text.substr(at);
    return was_found;
  }

  const ReplacePipe& pipe_;
  RowField at_;
  std::optional<RegexReplacement> replacement_;
  std::string changed_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_replace_editor(const ReplacePipe& pipe, const RowShape& shape) {
  return std::make_unique<ReplaceEditor>(pipe, shape);
}

}  // namespace dendro
