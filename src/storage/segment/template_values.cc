#include "storage/segment/template_values.h"

#include <algorithm>

#include "codec/short_bytes.h"
#include "codec/splitter.h"

namespace dendro {

Result<std::unique_ptr<TemplateValues>> TemplateValues::open(RowGroupReader& reader, const ColumnEntry& column) {
  std::unique_ptr<TemplateValues> values(new TemplateValues(reader, column));
  DENDRO_TRY_ASSIGN(values->head_, reader.templates(column));
  values->pool_.resize(values->head_->pool.size());
  values->references_.resize(values->head_->references.size());
  return values;
}

std::string_view TemplateValues::template_text(const TemplateColumn::Local& local) const {
  return reader_.dictionary().templates(column_.column).templates[local.number].text;
}

const std::uint32_t* TemplateValues::marks_of(const TemplateColumn::Local& local) {
  constexpr std::uint32_t kNotFoundYet = 0xFFFFFFFF;
  if (marks_.empty()) marks_.assign(head_->slots.size() + 1, kNotFoundYet);  // one more: the last may have no slots
  std::uint32_t* const marks = marks_.data() + local.first_slot;
  if (local.slot_count == 0 || marks[0] != kNotFoundYet) return marks;
  const std::string_view text = template_text(local);
  std::size_t mark = 0;
  for (std::uint32_t slot = 0; slot < local.slot_count; ++slot, ++mark) {
    mark = text.find(kSlotMark, mark);
    marks[slot] = static_cast<std::uint32_t>(mark);
  }
  return marks;
}

Result<std::string_view> TemplateValues::whole_value(std::uint32_t rank) {
  if (whole_ == nullptr) {
    DENDRO_TRY_ASSIGN(whole_, reader_.whole_values(column_, *head_));
  }
  return (*whole_)[rank];
}

Status TemplateValues::append_value(std::uint32_t value, std::string& out) {
  const std::uint32_t local = head_->codes[value];
  const TemplateColumn::Local& own = head_->locals[local];
  const std::uint32_t rank = head_->ranks[value];
  if (own.number == TemplateTable::kWhole) {
    DENDRO_TRY_ASSIGN(const std::string_view whole, whole_value(rank));
    out.append(whole);
    return {};
  }
  const std::string_view text = template_text(own);
  const std::uint32_t* const marks = marks_of(own);
  std::size_t bytes = text.size() - own.slot_count;
  variables_.clear();
  for (std::uint32_t slot = 0; slot < own.slot_count; ++slot) {
    DENDRO_TRY_ASSIGN(const std::string_view variable, slot_value(local, slot, rank));
    variables_.push_back(variable);
    bytes += variable.size();
  }
  const std::size_t before = out.size();
  out.resize(before + bytes);
  char* to = out.data() + before;
  const auto put = [&to](std::string_view piece) {
    copy_bytes(to, piece.data(), piece.size());
    to += piece.size();
  };
  std::size_t at = 0;
  for (std::uint32_t slot = 0; slot < own.slot_count; ++slot) {
    const std::size_t mark = marks[slot];
    put(text.substr(at, mark - at));
    put(variables_[slot]);
    at = mark + 1;
  }
  put(text.substr(at));
  return {};
}

Result<bool> TemplateValues::is_value(std::uint32_t value, std::string_view text) {
  const std::uint32_t local = head_->codes[value];
  const TemplateColumn::Local& own = head_->locals[local];
  const std::uint32_t rank = head_->ranks[value];
  if (own.number == TemplateTable::kWhole) {
    DENDRO_TRY_ASSIGN(const std::string_view whole, whole_value(rank));
    return whole == text;
  }
  const auto take = [&text](std::string_view piece) {
    if (text.size() < piece.size() || !equal_bytes(text.data(), piece.data(), piece.size())) return false;
    text.remove_prefix(piece.size());
    return true;
  };
  const std::string_view statics = template_text(own);
  const std::uint32_t* const marks = marks_of(own);
  std::size_t at = 0;
  for (std::uint32_t slot = 0; slot < own.slot_count; ++slot) {
    const std::size_t mark = marks[slot];
    if (!take(statics.substr(at, mark - at))) return false;
    at = mark + 1;
    DENDRO_TRY_ASSIGN(const std::string_view variable, slot_value(local, slot, rank));
    if (!take(variable)) return false;
  }
  return take(statics.substr(at)) && text.empty();
}

Result<std::string_view> TemplateValues::slot_value(std::uint32_t local, std::uint32_t slot, std::uint32_t rank) {
  const TemplateColumn::Local& own = head_->locals[local];
  const TemplateColumn::Slot* at = &head_->slots[own.first_slot + slot];
  while (at->mode == SlotMode::slot) {
    slot = at->target;
    at = &head_->slots[own.first_slot + slot];
  }
  switch (at->mode) {
    case SlotMode::pool:
      return pool_value(at->target + rank);
    case SlotMode::constant:
      return pool_value(at->target);
    case SlotMode::chunk:
      return chunk_value(local, slot, rank);
    default:
      return reference_value(at->target, head_->grouped[own.first_value + rank]);
  }
}

Result<std::string_view> TemplateValues::pool_value(std::uint32_t index) {
  const auto holds = [&](std::size_t block) {
    return head_->pool[block].first_value <= index &&
           index - head_->pool[block].first_value < head_->pool[block].value_count;
  };
  if (!holds(last_block_)) {
    const auto behind = std::upper_bound(
        head_->pool.begin(), head_->pool.end(), index,
        [](std::uint32_t wanted, const TemplateColumn::PoolBlock& block) { return wanted < block.first_value; });
    last_block_ = static_cast<std::size_t>(behind - head_->pool.begin()) - 1;
  }
  std::shared_ptr<const StringValues>& values = pool_[last_block_];
  if (values == nullptr) {
    DENDRO_TRY_ASSIGN(values, reader_.pool_block(column_, *head_, last_block_));
  }
  return (*values)[index - head_->pool[last_block_].first_value];
}

Result<std::string_view> TemplateValues::chunk_value(std::uint32_t local, std::uint32_t slot, std::uint32_t rank) {
  std::shared_ptr<const StringValues>& values = chunks_[head_->locals[local].first_slot + slot];
  if (values == nullptr) {
    DENDRO_TRY_ASSIGN(values, reader_.slot_chunk(column_, *head_, local, slot));
  }
  return (*values)[rank];
}

Result<std::string_view> TemplateValues::reference_value(std::uint32_t reference, std::uint32_t value) {
  Reference& other = references_[reference];
  const ColumnEntry& column = *reader_.entry().find_column(head_->references[reference]);
  if (other.values == nullptr) {
    DENDRO_TRY_ASSIGN(other.rows, reader_.rows_of(column));
    DENDRO_TRY_ASSIGN(other.values, reader_.strings(column));
  }
  if (rows_ == nullptr) {
    DENDRO_TRY_ASSIGN(rows_, reader_.rows_of(column_));
  }
  const std::optional<std::uint32_t> found = other.rows->value_of(rows_->row_of(value));
  if (!found) {
    return Error(ErrorCode::corruption, "segment " + reader_.segment().path() + ": row group " +
                                            std::to_string(reader_.index()) +
                                            ": a slot refers to a column that its record does not have");
  }
  return (*other.values)[*found];
}

}  // namespace dendro
