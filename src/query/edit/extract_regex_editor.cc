#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `extract_regexp`: the named groups of the first match; a group that took no part sets nothing.
class ExtractRegexEditor final : public RowEditor {
 public:
  ExtractRegexEditor(const ExtractRegexPipe& pipe, const RowShape& shape)
      : regex_(*pipe.regex), from_(pipe.from, shape) {}
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = from_.read(rows, index);
    if (value.is_missing() || !regex_.capture(value_text(value, scratch_), 0, groups_)) return;
    const std::vector<std::string>& names = regex_.group_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty() && groups_[i + 1].data() != nullptr) edits.set(names[i], edits.keep_text(groups_[i + 1]));
    }
  }

 private:
  const Regex& regex_;
  RowField from_;
  std::vector<std::string_view> groups_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_extract_regex_editor(const ExtractRegexPipe& pipe, const RowShape& shape) {
  return std::make_unique<ExtractRegexEditor>(pipe, shape);
}

}  // namespace dendro
