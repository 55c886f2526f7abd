#include "storage/segment/template_values.h"

#include <algorithm>

#include "codec/splitter.h"

namespace dendro {

Result<std::unique_ptr<TemplateValues>> TemplateValues::open(RowGroupReader& reader, const ColumnEntry& column) {
  std::unique_ptr<TemplateValues> values(new TemplateValues(reader, column));
  DENDRO_TRY_ASSIGN(values->head_, reader.templates(column));
  values->pool_.resize(values->head_->pool.size());
  values->references_.resize(values->head_->references.size());
  return values;
}

Status TemplateValues::append_value(std::uint32_t value, std::string& out) {
  const std::uint32_t local = head_->codes[value];
  const TemplateColumn::Local& own = head_->locals[local];
  const std::uint32_t rank = head_->ranks[value];
  if (own.number == TemplateTable::kWhole) {
    if (whole_ == nullptr) {
      DENDRO_TRY_ASSIGN(whole_, reader_.whole_values(column_, *head_));
    }
    out.append((*whole_)[rank]);
    return {};
  }
  std::string_view text = reader_.dictionary().templates(column_.column).templates[own.number].text;
  for (std::uint32_t slot = 0; slot < own.slot_count; ++slot) {
    const std::size_t mark = text.find(kSlotMark);
    out.append(text.substr(0, mark));
    text.remove_prefix(mark + 1);
    DENDRO_TRY_ASSIGN(const std::string_view variable, slot_value(local, slot, rank));
    out.append(variable);
  }
  out.append(text);
  return {};
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
