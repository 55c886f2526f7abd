#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/bytes.h"
#include "query/edit/row_editors.h"
#include "query/rows/record_fields.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `join`: a row for each partner on the right side, with its fields; equal keys are equal texts. Rows whose key is
/// missing have no partner.
class JoinEditor final : public RowEditor {
 public:
  JoinEditor(const JoinPipe& pipe, const RowShape& shape, std::shared_ptr<const SubqueryRows> right,
             QueryContext& context)
      : pipe_(pipe), right_(std::move(right)), right_fields_(right_->shape) {
    for (const std::string& key : pipe_.keys) keys_.emplace_back(key, shape);
    for (const std::string& key : pipe_.keys) right_keys_.emplace_back(key, right_->shape);
    std::string text;
    for (std::uint32_t row = 0; row < right_->rows.size(); ++row) {
      if (!read_key(right_keys_, right_->rows, row, text)) continue;
      context.charge(text.size() + 64);
      partners_[text].push_back(row);
    }
  }

  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    partner_rows_ = nullptr;
    next_ = 0;
    if (read_key(keys_, rows, index, key_)) {
      if (const auto found = partners_.find(key_); found != partners_.end()) partner_rows_ = &found->second;
    }
    if (partner_rows_ != nullptr) {
      set_partner(edits);
    } else if (pipe_.is_inner) {
      edits.drop_row();
    }
  }
  bool edit_again(const RowBatch&, std::size_t, RowEdits& edits) override {
    if (partner_rows_ == nullptr || next_ >= partner_rows_->size()) return false;
    set_partner(edits);
    return true;
  }

 private:
  bool read_key(std::deque<RowField>& fields, const RowBatch& rows, std::size_t index, std::string& text) {
    text.clear();
    for (RowField& field : fields) {
      const Value value = field.read(rows, index);
      if (value.is_missing()) return false;
      append_sized(text, value_text(value, scratch_));
    }
    return true;
  }

  void set_partner(RowEdits& edits) {
    const std::uint32_t row = (*partner_rows_)[next_++];
    const auto set = [&](std::string_view name, const Value& value) {
      const bool is_key = std::find(pipe_.keys.begin(), pipe_.keys.end(), name) != pipe_.keys.end();
      // A partner's place in time and its ids are its own.
      const bool is_fixed = name.starts_with("_");
      if (is_key || (is_fixed && pipe_.prefix.empty())) return;
      Value kept = value;
      kept.text = edits.keep(value.text);
      edits.set(pipe_.prefix.empty() ? edits.keep(name) : edits.keep(pipe_.prefix + std::string(name)), kept);
    };
    if (!right_->shape.is_table) {
      right_fields_.visit(right_->rows, row, set);
      return;
    }
    for (std::size_t column = 0; column < right_->shape.columns.size(); ++column)
      set(right_->shape.columns[column], right_->rows.table[row][column].value());
  }

  const JoinPipe& pipe_;
  const std::shared_ptr<const SubqueryRows> right_;
  RecordFields right_fields_;
  std::deque<RowField> keys_, right_keys_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> partners_;
  const std::vector<std::uint32_t>* partner_rows_ = nullptr;
  std::size_t next_ = 0;
  std::string key_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_join_editor(const JoinPipe& pipe, const RowShape& shape,
                                            std::shared_ptr<const SubqueryRows> right, QueryContext& context) {
  return std::make_unique<JoinEditor>(pipe, shape, std::move(right), context);
}

}  // namespace dendro
