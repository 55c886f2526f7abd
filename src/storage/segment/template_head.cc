// RowGroupReader: the head of a template column. Every index it holds is checked here, so that readers need not.
#include <algorithm>

#include "codec/code_column.h"
#include "storage/segment/row_group_reader.h"

namespace dendro {
namespace {

Error bad_head(std::string_view what) {
  return Error(ErrorCode::corruption, "head: " + std::string(what));
}

bool read_chunk_place(ByteReader& reader, const std::vector<BlockPlace>& blocks, ChunkPlace& place) {
  const std::uint64_t block = reader.read_varint();
  const std::uint64_t offset = reader.read_varint();
  const std::uint64_t bytes = reader.read_varint();
  if (!reader.ok()) return false;
  if (bytes != 0 &&
      (block >= blocks.size() || offset > blocks[block].plain_bytes || bytes > blocks[block].plain_bytes - offset)) {
    return false;
  }
  place = {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes)};
  return true;
}

/// Reads the head of a template column; every index it holds is checked, so that readers need not.
class HeadReader {
 public:
  HeadReader(std::string_view bytes, const RowGroupEntry& entry, const SegmentDictionary& dictionary,
             const ColumnEntry& column)
      : reader_(bytes), entry_(entry), dictionary_(dictionary), column_(column) {}

  Status read(TemplateColumn& head, ChunkPlace& codes) {
    if (!read_chunk_place(reader_, entry_.blocks, codes) || !read_chunk_place(reader_, entry_.blocks, head.whole)) {
      return bad_head("bad place");
    }
    DENDRO_TRY(read_references(head));
    DENDRO_TRY(read_pool(head));
    DENDRO_TRY(read_locals(head));
    for (TemplateColumn::Local& local : head.locals) DENDRO_TRY(read_slots(head, local));
    if (!reader_.ok() || !reader_.at_end()) return bad_head("wrong size");
    if (pool_next_ != pool_size_) return bad_head("the pool has another count of values");
    return {};
  }

 private:
  Status read_references(TemplateColumn& head) {
    const std::uint64_t count = reader_.read_varint();
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      const std::uint64_t number = reader_.read_varint();
      const ColumnEntry* other = number > 0xFFFFFFFF ? nullptr : entry_.find_column(static_cast<std::uint32_t>(number));
      if (other == nullptr || other == &column_ || other->layout == ColumnLayout::templates ||
          !is_string_column(dictionary_.columns()[other->column].type)) {
        return bad_head("refers to a column that cannot be referred to");
      }
      head.references.push_back(static_cast<std::uint32_t>(number));
    }
    return {};
  }

  Status read_pool(TemplateColumn& head) {
    const std::uint64_t count = reader_.read_varint();
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      TemplateColumn::PoolBlock block;
      if (!read_chunk_place(reader_, entry_.blocks, block.place)) return bad_head("bad place of a pool block");
      block.first_value = static_cast<std::uint32_t>(pool_size_);
      const std::uint64_t values = reader_.read_varint();
      if (values > block.place.bytes) return bad_head("a pool block with more values than bytes");
      block.value_count = static_cast<std::uint32_t>(values);
      pool_size_ += values;
      head.pool.push_back(block);
    }
    if (pool_size_ > 0xFFFFFFFF) return bad_head("impossible pool");
    return {};
  }

  Status read_locals(TemplateColumn& head) {
    const ColumnTemplates& known = dictionary_.templates(column_.column);
    const std::uint64_t count = reader_.read_varint();
    std::uint64_t values = 0;
    std::uint64_t slots = 0;
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      TemplateColumn::Local local;
      const std::uint64_t number = reader_.read_varint();
      const std::uint64_t value_count = reader_.read_varint();
      if (number >= known.templates.size() || value_count == 0 || value_count > column_.value_count) {
        return bad_head("unknown template");
      }
      local.number = static_cast<std::uint32_t>(number);
      local.value_count = static_cast<std::uint32_t>(value_count);
      local.first_value = static_cast<std::uint32_t>(values);
      local.first_slot = static_cast<std::uint32_t>(slots);
      local.slot_count = known.templates[number].slot_count;
      values += value_count;
      slots += local.slot_count;
      if (number == TemplateTable::kWhole) {
        if (head.whole_count != 0) return bad_head("whole values twice");
        head.whole_count = local.value_count;
      }
      head.locals.push_back(local);
    }
    if (values != column_.value_count || slots > reader_.remaining()) return bad_head("counts do not add up");
    head.slots.reserve(slots);
    return {};
  }

  Status read_slots(TemplateColumn& head, const TemplateColumn::Local& local) {
    for (std::uint32_t index = 0; index < local.slot_count; ++index) {
      TemplateColumn::Slot slot;
      slot.mode = static_cast<SlotMode>(reader_.read_le<std::uint8_t>());
      switch (slot.mode) {
        case SlotMode::pool:
        case SlotMode::constant:
          slot.target = static_cast<std::uint32_t>(pool_next_);
          pool_next_ += slot.mode == SlotMode::pool ? local.value_count : 1;
          if (pool_next_ > pool_size_) return bad_head("a slot beyond the pool");
          break;
        case SlotMode::chunk:
          if (!read_chunk_place(reader_, entry_.blocks, slot.chunk)) return bad_head("bad place of a slot");
          break;
        case SlotMode::slot: {
          const std::uint64_t distance = reader_.read_varint();
          if (distance == 0 || distance > index) return bad_head("a slot refers to a later one");
          slot.target = index - static_cast<std::uint32_t>(distance);
          break;
        }
        case SlotMode::column: {
          const std::uint64_t reference = reader_.read_varint();
          if (reference >= head.references.size()) return bad_head("unknown reference");
          slot.target = static_cast<std::uint32_t>(reference);
          break;
        }
        default:
          return bad_head("unknown mode of a slot");
      }
      head.slots.push_back(slot);
    }
    return {};
  }

  ByteReader reader_;
  const RowGroupEntry& entry_;
  const SegmentDictionary& dictionary_;
  const ColumnEntry& column_;
  std::uint64_t pool_size_ = 0;
  std::uint64_t pool_next_ = 0;
};

Status group_values(TemplateColumn& head) {
  std::vector<std::uint32_t> next;
  for (const TemplateColumn::Local& local : head.locals) next.push_back(local.first_value);
  head.grouped.resize(head.codes.size());
  head.ranks.resize(head.codes.size());
  for (std::size_t value = 0; value < head.codes.size(); ++value) {
    const TemplateColumn::Local& local = head.locals[head.codes[value]];
    const std::uint32_t place = next[head.codes[value]]++;
    if (place >= local.first_value + local.value_count) return bad_head("codes: another count than the head says");
    head.grouped[place] = static_cast<std::uint16_t>(value);
    head.ranks[value] = static_cast<std::uint16_t>(place - local.first_value);
  }
  return {};
}

}  // namespace

Result<TemplateColumn> RowGroupReader::load_templates(const ColumnEntry& column) {
  TemplateColumn head;
  {
    DENDRO_TRY_ASSIGN(const std::string_view bytes, chunk(column.place, ColumnKind::templates));
    DENDRO_TRY(HeadReader(bytes, entry_, dictionary(), column).read(head, head.codes_place));
  }
  DENDRO_TRY_ASSIGN(std::string_view codes, chunk(head.codes_place, ColumnKind::templates));
  DENDRO_TRY(decode_codes(codes, column.value_count, head.locals.size(), head.codes));
  DENDRO_TRY(group_values(head));
  return head;
}

}  // namespace dendro
