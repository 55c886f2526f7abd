#include <algorithm>

#include "base/json_writer.h"
#include "query/edit/row_editors.h"
#include "query/rows/record_fields.h"

namespace dendro {
namespace {

/// `pack`: fields as one flat JSON object, in the order of output.
class PackEditor final : public RowEditor {
 public:
  PackEditor(const PackPipe& pipe, const RowShape& shape) : pipe_(pipe), shape_(shape), fields_(shape) {}
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    std::string json = "{";
    const auto append = [&](std::string_view name, const Value& value) {
      if (value.is_missing() || !is_wanted(name)) return;
      if (json.size() > 1) json.push_back(',');
      append_json_string(json, name);
      json.push_back(':');
      append_value_json(json, value);
    };
    if (shape_.is_table) {
      for (std::size_t column = 0; column < shape_.columns.size(); ++column)
        append(shape_.columns[column], rows.table[index][column].value());
    } else {
      fields_.visit(rows, index, append);
    }
    json.push_back('}');
    edits.set(pipe_.to, edits.keep_text(json));
  }

 private:
  bool is_wanted(std::string_view name) const {
    return pipe_.names.empty() || std::any_of(pipe_.names.begin(), pipe_.names.end(),
                                              [name](const NamePattern& wanted) { return wanted.matches(name); });
  }
  const PackPipe& pipe_;
  const RowShape shape_;
  RecordFields fields_;
};

}  // namespace

std::unique_ptr<RowEditor> make_pack_editor(const PackPipe& pipe, const RowShape& shape) {
  return std::make_unique<PackEditor>(pipe, shape);
}

}  // namespace dendro
