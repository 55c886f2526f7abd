#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/segment/row_group_reader.h"

namespace dendro {

/// Values of a template column put together again, any of them, piece by piece as they are asked for. Not thread-safe;
/// borrows the reader.
class TemplateValues {
 public:
  static Result<std::unique_ptr<TemplateValues>> open(RowGroupReader& reader, const ColumnEntry& column);

  const TemplateColumn& head() const { return *head_; }
  /// Appends the whole text of a value. Errors: those of RowGroupReader.
  Status append_value(std::uint32_t value, std::string& out);
  /// True if append_value would append `text`; nothing is built. Errors: those of RowGroupReader.
  Result<bool> is_value(std::uint32_t value, std::string_view text);
  /// The slot of the `rank`th value of a local template; lives as long as this.
  Result<std::string_view> slot_value(std::uint32_t local, std::uint32_t slot, std::uint32_t rank);

 private:
  struct Reference {
    std::shared_ptr<const StringValues> values;
    std::shared_ptr<const RowMap> rows;
  };
  TemplateValues(RowGroupReader& reader, const ColumnEntry& column) : reader_(reader), column_(column) {}
  /// Where the marks of a template's slots stand in its text.
  const std::uint32_t* marks_of(const TemplateColumn::Local& local);
  std::string_view template_text(const TemplateColumn::Local& local) const;
  Result<std::string_view> whole_value(std::uint32_t rank);
  Result<std::string_view> pool_value(std::uint32_t index);
  Result<std::string_view> chunk_value(std::uint32_t local, std::uint32_t slot, std::uint32_t rank);
  Result<std::string_view> reference_value(std::uint32_t reference, std::uint32_t value);

  RowGroupReader& reader_;
  const ColumnEntry& column_;
  std::shared_ptr<const TemplateColumn> head_;
  std::vector<std::uint32_t> marks_;         ///< by index of the slot, of the templates met so far
  std::vector<std::string_view> variables_;  ///< of the value being put together
  std::shared_ptr<const RowMap> rows_;
  std::shared_ptr<const StringValues> whole_;
  std::vector<std::shared_ptr<const StringValues>> pool_;
  std::size_t last_block_ = 0;
  std::unordered_map<std::uint32_t, std::shared_ptr<const StringValues>> chunks_;  ///< by index of the slot
  std::vector<Reference> references_;
};

}  // namespace dendro
