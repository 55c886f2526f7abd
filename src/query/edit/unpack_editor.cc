#include <algorithm>

#include "parse/json_paths.h"
#include "parse/json_reader.h"
#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"
#include "query/unpack/text_fields.h"
#include "record/limits.h"

namespace dendro {
namespace {

/// `unpack`: the fields that a text holds become fields of the row. What cannot be read changes nothing.
class UnpackEditor final : public RowEditor {
 public:
  UnpackEditor(const UnpackPipe& pipe, const RowShape& shape, QueryContext& context)
      : pipe_(pipe), from_(pipe.from, shape), context_(context), json_(kMaxRecordDepth) {}

  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = from_.read(rows, index);
    if (value.is_missing()) return;
    const std::string_view text = value_text(value, scratch_);
    const auto take = [&](std::string_view name, const Value& found) { add(name, found, edits); };
    switch (pipe_.format) {
      case UnpackFormat::json:
        unpack_json(text, edits);
        break;
      case UnpackFormat::logfmt:
        read_logfmt(text, take);
        break;
      case UnpackFormat::kv:
        read_kv(text, take);
        break;
      case UnpackFormat::csv:
        unpack_csv(text, edits);
        break;
      case UnpackFormat::syslog:
        read_syslog(text, take);
        break;
      case UnpackFormat::cef:
        read_cef(text, take);
        break;
      case UnpackFormat::xml:
        read_xml(text, take);
        break;
    }
  }

 private:
  void unpack_json(std::string_view text, RowEdits& edits) {
    const JsonRead read = json_.read(text, 0);
    const bool is_whole =
        read.kind == JsonRead::Kind::object && text.find_first_not_of(" \t\r\n", read.end) == std::string_view::npos;
    if (!is_whole) return;
    for_each_json_path(json_, [&](const std::string& path, const Value& value) {
      add(path, value, edits);
      return true;
    });
  }

  /// `fields` names the cells in their order; without it they are c1, c2, ..
  void unpack_csv(std::string_view text, RowEdits& edits) {
    if (!read_csv_cells(text, cells_)) return;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (pipe_.fields.empty()) {
        add("c" + std::to_string(i + 1), value_of_string(cells_[i]), edits);
      } else if (i < pipe_.fields.size()) {
        add(pipe_.fields[i].name, value_of_string(cells_[i]), edits);
      }
    }
  }

  void add(std::string_view name, const Value& value, RowEdits& edits) {
    const bool is_wanted =
        pipe_.fields.empty() || std::any_of(pipe_.fields.begin(), pipe_.fields.end(),
                                            [name](const NamePattern& pattern) { return pattern.matches(name); });
    if (!is_wanted || value.is_missing() || name.empty()) return;
    const bool is_long = name.size() + pipe_.prefix.size() > kMaxFieldNameBytes;
    if (is_long || edits.list().size() >= kMaxRecordFields) {
      context_.warn_once({"unpack_limit",
                          "unpack sets at most " + std::to_string(kMaxRecordFields) + " fields with names of at most " +
                              std::to_string(kMaxFieldNameBytes) + " bytes; the rest was left out",
                          0, 0});
      return;
    }
    Value kept = value;
    kept.text = edits.keep(value.text);
    edits.set(pipe_.prefix.empty() ? edits.keep(name) : edits.keep(pipe_.prefix + std::string(name)), kept);
  }

  const UnpackPipe& pipe_;
  RowField from_;
  QueryContext& context_;
  JsonReader json_;
  std::vector<std::string> cells_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_unpack_editor(const UnpackPipe& pipe, const RowShape& shape, QueryContext& context) {
  return std::make_unique<UnpackEditor>(pipe, shape, context);
}

}  // namespace dendro
