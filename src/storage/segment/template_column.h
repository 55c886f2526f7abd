#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/block_codec.h"
#include "codec/splitter.h"
#include "storage/segment/block_packer.h"
#include "storage/segment/row_group.h"
#include "storage/segment/template_table.h"
#include "storage/segment/token_filter.h"

namespace dendro {

// A string column as templates and slots (docs/formats/segment.md). Its chunk in the directory is the head:
//   head  := codes place | whole place | referenced columns | pool blocks | local templates
//   codes := a code a value: which local template it is of
// A local template is a template of the segment that this row group uses; its values are kept slot by slot, each slot
// in one of the modes below. Pool: values of all slots too small for a chunk of their own, one behind the other, ended
// by \n.

/// Numbers are on disk.
enum class SlotMode : std::uint8_t {
  pool = 0,      ///< one value a record of the template, in the pool
  constant = 1,  ///< one value, in the pool
  chunk = 2,     ///< a string column of its own
  slot = 3,      ///< equal to an earlier slot of the same record
  column = 4,    ///< equal to a string column of the same record
};

/// A slot with at least this many values gets a chunk (engine.md 2.5 has the measurement).
inline constexpr std::size_t kSlotChunkValues = 1'024;
inline constexpr std::size_t kPoolBlockBytes = std::size_t{256} << 10;
/// Values whose template would be longer, or have more slots, are kept whole.
inline constexpr std::size_t kTemplateBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kTemplateSlotsMax = 4'096;
/// New templates of one row group; values beyond are kept whole (engine.md 2.5).
inline constexpr std::size_t kNewTemplatesMax = 8'192;

/// Another column of the row group, by value of this one: what a slot may be equal to.
struct ReferenceColumn {
  std::uint32_t column = 0;
  std::vector<std::string_view> values;  ///< one a value of the column being encoded; data() null where there is none
};

/// Memory of encode_template_column, reused from one column to the next. The row group's largest: about 32 bytes a
/// value, 8 a slot, and 16 for each slot of the template with the most of them.
struct TemplateScratch {
  std::vector<SlotSpan> spans;             ///< of all values, one behind the other
  std::vector<std::uint32_t> first_spans;  ///< of each value
  std::vector<std::uint16_t> codes;        ///< local template of each value
  std::vector<std::uint32_t> grouped;      ///< values by local template
  std::vector<std::uint32_t> local_of;     ///< by number of the template
  std::vector<std::string_view> slots;     ///< of one template, slot by slot
};

/// True if the values look like sentences: more than half of a sample hold a blank and their mean length is above 30.
bool wants_templates(std::span<const std::string_view> values);

/// Writes the column's chunks and returns the place of its head. The variables become keys; those of slots that repeat
/// another slot or column are there already.
ChunkPlace encode_template_column(std::span<const std::string_view> values, std::span<const ReferenceColumn> references,
                                  TemplateTable& table, BlockCompressor& trial, BlockPacker& packer, TokenKeys& keys,
                                  TemplateScratch& scratch);

}  // namespace dendro
