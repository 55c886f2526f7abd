#include "storage/segment/template_table.h"

#include <array>

#include "base/checksum.h"

namespace dendro {
namespace {

constexpr std::array<ByteClasses, 256> make_class_table() {
  std::array<ByteClasses, 256> classes{};
  for (std::size_t byte = 0; byte < 256; ++byte) classes[byte] = 0x80;
  const auto set = [&classes](char first, char last, ByteClasses bit) {
    for (char c = first; c <= last; ++c) classes[static_cast<std::uint8_t>(c)] = bit;
  };
  set('g', 'z', 0x01);
  set('a', 'f', 0x02);
  set('G', 'Z', 0x04);
  set('A', 'F', 0x08);
  set('0', '9', 0x10);
  set('_', '_', 0x20);
  set('-', '.', 0x40);
  return classes;
}
constexpr std::array<ByteClasses, 256> kClassTable = make_class_table();

constexpr std::size_t kFirstIndexSize = 1'024;

}  // namespace

ByteClasses byte_classes(std::string_view text) {
  ByteClasses classes = 0;
  for (const char c : text) classes |= kClassTable[static_cast<std::uint8_t>(c)];
  return classes;
}

TemplateTable::TemplateTable() : index_(kFirstIndexSize, 0) {
  templates_.emplace_back();  // kWhole
}

/// Index row of the template, or the free one where it belongs.
std::size_t TemplateTable::place_of(std::string_view text, std::uint64_t hash) const {
  std::size_t at = hash & (index_.size() - 1);
  for (; index_[at] != 0; at = (at + 1) & (index_.size() - 1)) {
    const Template& known = templates_[index_[at]];
    if (known.hash == hash && known.text == text) break;
  }
  return at;
}

std::uint32_t TemplateTable::find(std::string_view text) const {
  return index_[place_of(text, xxh3(text, HashSeed(0)))];  // a free row holds kWhole
}

std::uint32_t TemplateTable::intern(std::string_view text, std::size_t slot_count) {
  const std::uint64_t hash = xxh3(text, HashSeed(0));
  std::uint32_t& row = index_[place_of(text, hash)];
  if (row != 0) return row;
  const auto number = static_cast<std::uint32_t>(templates_.size());
  templates_.push_back({std::string(text), hash, std::vector<SlotSummary>(slot_count)});
  row = number;
  text_bytes_ += text.size();
  if (templates_.size() * 2 > index_.size()) grow();
  return number;
}

void TemplateTable::grow() {
  index_.assign(index_.size() * 2, 0);
  for (std::uint32_t number = 1; number < templates_.size(); ++number) {
    std::size_t at = templates_[number].hash & (index_.size() - 1);
    while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
    index_[at] = number;
  }
}

}  // namespace dendro
