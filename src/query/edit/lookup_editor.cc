#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/bytes.h"
#include "query/edit/row_editors.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `lookup`: cells of the first row of a table whose keys are equal, as text. A row without a partner stays.
class LookupEditor final : public RowEditor {
 public:
  LookupEditor(const LookupPipe& pipe, const RowShape& shape, std::shared_ptr<const SubqueryRows> table,
               QueryContext& context)
      : table_(std::move(table)) {
    std::deque<RowField> columns;
    for (const LookupPipe::Key& key : pipe.keys) {
      keys_.emplace_back(key.field, shape);
      columns.emplace_back(key.column, table_->shape);
    }
    for (std::size_t row = 0; row < table_->rows.size(); ++row) {
      if (!read_key(columns, table_->rows, row)) continue;
      if (!partners_.try_emplace(key_, row).second) continue;
      if (!context.charge(key_.size() + 64)) break;
    }
    for (std::size_t column = 0; column < table_->shape.columns.size(); ++column) {
      const std::string& name = table_->shape.columns[column];
      if (is_looked_up(pipe, name)) wanted_.emplace_back(pipe.prefix + name, column);
    }
  }

  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    if (!read_key(keys_, rows, index)) return;
    const auto partner = partners_.find(key_);
    if (partner == partners_.end()) return;
    const TableRow& row = table_->rows.table[partner->second];
    for (const auto& [name, column] : wanted_) {
      if (!row[column].is_missing()) edits.set(name, row[column].value());
    }
  }

 private:
  bool read_key(std::deque<RowField>& fields, const RowBatch& rows, std::size_t index) {
    key_.clear();
    for (RowField& field : fields) {
      const Value value = field.read(rows, index);
      if (value.is_missing()) return false;
      append_sized(key_, value_text(value, scratch_));
    }
    return true;
  }

  const std::shared_ptr<const SubqueryRows> table_;
  std::deque<RowField> keys_;
  std::vector<std::pair<std::string, std::size_t>> wanted_;  ///< field, column
  std::unordered_map<std::string, std::size_t> partners_;
  std::string key_, scratch_;
};

}  // namespace

bool is_looked_up(const LookupPipe& pipe, std::string_view column) {
  const bool is_key = std::any_of(pipe.keys.begin(), pipe.keys.end(),
                                  [column](const LookupPipe::Key& key) { return key.column == column; });
  if (pipe.fields.empty()) return !is_key;
  return std::any_of(pipe.fields.begin(), pipe.fields.end(),
                     [column](const NamePattern& name) { return name.matches(column); });
}

std::unique_ptr<RowEditor> make_lookup_editor(const LookupPipe& pipe, const RowShape& shape,
                                              std::shared_ptr<const SubqueryRows> table, QueryContext& context) {
  return std::make_unique<LookupEditor>(pipe, shape, std::move(table), context);
}

}  // namespace dendro
