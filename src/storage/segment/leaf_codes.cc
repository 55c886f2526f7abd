// RowGroupReader: which leaf (codec/canonical_leaf.h) each text of a column belongs to, told from its template.
#include <unordered_map>

#include "codec/canonical_leaf.h"
#include "storage/segment/row_group_reader.h"

namespace dendro {
namespace {

/// Numbers leaves in the order of their first use.
class LeafNumbers {
 public:
  explicit LeafNumbers(LeafCodes& codes) : codes_(codes) {}
  std::uint16_t number_of(std::string_view text) {
    const std::uint64_t leaf = leaf_id(canonical_leaf(text), kLeafIdSeed);
    const auto [known, is_new] = numbers_.emplace(leaf, static_cast<std::uint16_t>(codes_.leaves.size()));
    if (is_new) codes_.leaves.push_back(leaf);
    return known->second;
  }

 private:
  LeafCodes& codes_;
  std::unordered_map<std::uint64_t, std::uint16_t> numbers_;
};

}  // namespace

Result<LeafCodes> RowGroupReader::leaf_codes_of_templates(const ColumnEntry& column) {
  DENDRO_TRY_ASSIGN(const auto head, templates(column));
  LeafCodes codes;
  LeafNumbers numbers(codes);
  const ColumnTemplates& known = dictionary().templates(column.column);
  std::vector<std::uint16_t> of_local(head->locals.size(), 0);
  std::shared_ptr<const StringValues> whole;
  for (std::size_t i = 0; i < head->locals.size(); ++i) {
    const std::uint32_t number = head->locals[i].number;
    if (number != TemplateTable::kWhole) {
      of_local[i] = numbers.number_of(known.templates[number].text);
    } else {
      DENDRO_TRY_ASSIGN(whole, whole_values(column, *head));
    }
  }
  codes.of_value.resize(head->codes.size());
  std::uint32_t next_whole = 0;
  for (std::size_t value = 0; value < codes.of_value.size(); ++value) {
    const std::uint16_t local = head->codes[value];
    const bool is_whole = head->locals[local].number == TemplateTable::kWhole;
    codes.of_value[value] = is_whole ? numbers.number_of((*whole)[next_whole++]) : of_local[local];
  }
  return codes;
}

Result<LeafCodes> RowGroupReader::leaf_codes_of_strings(const ColumnEntry& column) {
  DENDRO_TRY_ASSIGN(const auto texts, strings(column));
  DENDRO_TRY_ASSIGN(const auto different, value_codes(column));
  LeafCodes codes;
  LeafNumbers numbers(codes);
  std::vector<std::uint16_t> of_code;  // different values come numbered by their first use
  codes.of_value.resize(different->codes.size());
  for (std::uint32_t value = 0; value < codes.of_value.size(); ++value) {
    const std::uint16_t code = different->codes[value];
    if (code == of_code.size()) of_code.push_back(numbers.number_of((*texts)[value]));
    codes.of_value[value] = of_code[code];
  }
  return codes;
}

Result<std::shared_ptr<const LeafCodes>> RowGroupReader::leaf_codes(const ColumnEntry& column) {
  return piece<LeafCodes>(leaf_codes_piece(column), [&] {
    return column.layout == ColumnLayout::templates ? leaf_codes_of_templates(column) : leaf_codes_of_strings(column);
  });
}

}  // namespace dendro
