#include <deque>

#include "filter/list_elements.h"
#include "parse/json_reader.h"
#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"
#include "record/limits.h"

namespace dendro {
namespace {

/// `flatten`: `tags` = ["a",{"k":1}] becomes `tags.0` and `tags.1.k`. Null elements and empty lists are nothing.
class FlattenEditor final : public RowEditor {
 public:
  FlattenEditor(const FlattenPipe& pipe, const RowShape& shape, QueryContext& context)
      : pipe_(pipe), context_(context) {
    for (const std::string& name : pipe_.names) fields_.emplace_back(name, shape);
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Value value = fields_[i].read(rows, index);
      if (value.type != ValueType::list) continue;
      edits.remove(pipe_.names[i]);
      add(pipe_.names[i], value, 0, edits);
    }
  }

 private:
  void add(const std::string& name, const Value& value, int depth, RowEdits& edits) {
    const bool opens = value.type == ValueType::list && depth < kMaxRecordDepth;
    if (opens && value.text.starts_with('[')) {
      std::size_t number = 0;
      for_each_list_element(value.text, [&](const Value& element) {
        add(name + "." + std::to_string(number++), element, depth + 1, edits);
        return edits.list().size() < kMaxRecordFields;
      });
    } else if (opens && value.text.starts_with('{')) {
      add_members(name, value.text, depth, edits);
    } else if (!value.is_missing()) {
      set(name, value, edits);
    }
  }

  void add_members(const std::string& name, std::string_view json, int depth, RowEdits& edits) {
    JsonReader reader(1);
    if (reader.read(json, 0).kind != JsonRead::Kind::object) return;
    for (const JsonNode& node : reader.nodes()) {
      if (node.kind == JsonNode::Kind::leaf && !node.key.empty())
        add(name + "." + std::string(node.key), node.value, depth + 1, edits);
    }
  }

  void set(const std::string& name, const Value& value, RowEdits& edits) {
    if (name.size() > kMaxFieldNameBytes || edits.list().size() >= kMaxRecordFields) {
      context_.warn_once({"flatten_limit",
                          "flatten sets at most " + std::to_string(kMaxRecordFields) +
                              " fields with names of at most " + std::to_string(kMaxFieldNameBytes) +
                              " bytes; the rest was left out",
                          0, 0});
      return;
    }
    Value kept = value;
    kept.text = edits.keep(value.text);
    edits.set(edits.keep(name), kept);
  }

  const FlattenPipe& pipe_;
  QueryContext& context_;
  std::deque<RowField> fields_;
};

}  // namespace

std::unique_ptr<RowEditor> make_flatten_editor(const FlattenPipe& pipe, const RowShape& shape, QueryContext& context) {
  return std::make_unique<FlattenEditor>(pipe, shape, context);
}

}  // namespace dendro
