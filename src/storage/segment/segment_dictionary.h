#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "record/record_batch.h"
#include "storage/segment/template_table.h"

namespace dendro {

/// A column of a segment: the values of every leaf with this path and type, whatever its role, in the order of records
/// and, within a record, of its leaves.
struct ColumnName {
  std::string_view path;
  ValueType type = ValueType::null;
};

/// True of types whose values take no bytes, so that they have no column.
constexpr bool has_no_column(ValueType type) {
  return type == ValueType::null || type == ValueType::empty_object;
}
/// True of types whose columns are strings.
constexpr bool is_string_column(ValueType type) {
  return type == ValueType::text || type == ValueType::bytes || type == ValueType::number_text ||
         type == ValueType::list;
}
inline constexpr std::uint32_t kNoColumn = std::numeric_limits<std::uint32_t>::max();

/// Collects what the records of a segment share. Numbers are in the order of first use. Not thread-safe.
class SegmentDictionaryBuilder {
 public:
  std::uint32_t add_shape(const Shape& shape);
  std::uint32_t add_stream(const Stream& stream);
  /// Column of each leaf of a shape; kNoColumn for those without one.
  const std::vector<std::uint32_t>& shape_columns(std::uint32_t shape) const { return shape_columns_[shape]; }
  /// Most values that one record of a shape gives to one column; at least 1.
  std::uint32_t shape_repeats(std::uint32_t shape) const { return shape_repeats_[shape]; }
  std::size_t column_count() const { return columns_.size(); }
  ValueType column_type(std::uint32_t column) const { return columns_[column].type; }
  TemplateTable& templates(std::uint32_t column) { return *columns_[column].templates; }

  /// The bytes SegmentDictionary::parse takes.
  std::string encode() const;

 private:
  struct Column {
    std::uint32_t path = 0;
    ValueType type = ValueType::null;
    std::unique_ptr<TemplateTable> templates;  ///< of string columns
  };
  std::uint32_t intern(std::string_view name);
  std::uint32_t intern_row(std::deque<std::string>& rows, std::unordered_map<std::string_view, std::uint32_t>& index,
                           std::string bytes, bool& is_new);
  std::uint32_t column_of(std::string_view path, ValueType type);

  std::deque<std::string> names_, shapes_, streams_;
  std::unordered_map<std::string_view, std::uint32_t> name_index_, shape_index_, stream_index_;
  std::vector<std::vector<std::uint32_t>> shape_columns_;
  std::vector<std::uint32_t> shape_repeats_;
  std::deque<Column> columns_;
  std::unordered_map<std::uint64_t, std::uint32_t> column_index_;
};

/// A template of a segment being read.
struct TemplateView {
  std::string_view text;         ///< with slot marks; empty for number 0
  std::uint32_t first_slot = 0;  ///< into ColumnTemplates::slots
  std::uint32_t slot_count = 0;
};

struct ColumnTemplates {
  std::vector<TemplateView> templates;  ///< by number
  std::vector<SlotSummary> slots;
};

/// The dictionary of a segment being read. Immutable; thread-safe.
class SegmentDictionary {
 public:
  /// Errors: corruption.
  static Result<std::unique_ptr<const SegmentDictionary>> parse(std::string bytes);

  const std::vector<Shape>& shapes() const { return shapes_; }
  const std::vector<Stream>& streams() const { return streams_; }
  const std::vector<ColumnName>& columns() const { return columns_; }
  const std::vector<std::uint32_t>& shape_columns(std::size_t shape) const { return shape_columns_[shape]; }
  const ColumnTemplates& templates(std::size_t column) const { return templates_[column]; }
  std::size_t memory_bytes() const { return memory_bytes_; }
  /// What it was parsed from.
  std::string_view bytes() const { return bytes_; }

 private:
  SegmentDictionary() = default;
  Status read();

  std::string bytes_;
  std::vector<std::string_view> names_;
  std::vector<Shape> shapes_;
  std::vector<Stream> streams_;
  std::vector<ColumnName> columns_;
  std::vector<std::vector<std::uint32_t>> shape_columns_;
  std::vector<ColumnTemplates> templates_;
  std::size_t memory_bytes_ = 0;
};

}  // namespace dendro
