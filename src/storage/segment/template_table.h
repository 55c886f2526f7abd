#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "codec/splitter.h"

namespace dendro {

/// Which kinds of byte occur in a value, a bit each: [g-z] [a-f] [G-Z] [A-F] digit _ [-.] other (engine.md 2.5).
using ByteClasses = std::uint8_t;
ByteClasses byte_classes(std::string_view text);

/// What the values of one slot of a template have in common, over a whole segment.
struct SlotSummary {
  ByteClasses classes = 0;
  std::uint32_t max_bytes = 0;
  void add(std::string_view value) {
    classes |= byte_classes(value);
    if (value.size() > max_bytes) max_bytes = static_cast<std::uint32_t>(value.size());
  }
  void add(const SlotSummary& other) {
    classes |= other.classes;
    if (other.max_bytes > max_bytes) max_bytes = other.max_bytes;
  }
};

/// The templates of one column of a segment under construction, numbered in the order of their first use. Number 0
/// stands for values that are kept whole, without template. Not thread-safe.
class TemplateTable {
 public:
  static constexpr std::uint32_t kWhole = 0;

  TemplateTable();
  /// The number of a template, added if it is new. `slot_count` marks stand in `text`.
  std::uint32_t intern(std::string_view text, std::size_t slot_count);
  /// The number of a template that is there, else kWhole.
  std::uint32_t find(std::string_view text) const;
  std::size_t size() const { return templates_.size(); }
  std::size_t text_bytes() const { return text_bytes_; }
  std::string_view text(std::uint32_t number) const { return templates_[number].text; }
  std::size_t slot_count(std::uint32_t number) const { return templates_[number].slots.size(); }
  SlotSummary& slot(std::uint32_t number, std::size_t index) { return templates_[number].slots[index]; }
  const SlotSummary& slot(std::uint32_t number, std::size_t index) const { return templates_[number].slots[index]; }

 private:
  struct Template {
    std::string text;
    std::uint64_t hash = 0;
    std::vector<SlotSummary> slots;
  };
  std::size_t place_of(std::string_view text, std::uint64_t hash) const;
  void grow();

  std::deque<Template> templates_;
  std::size_t text_bytes_ = 0;
  std::vector<std::uint32_t> index_;  ///< open addressing, 0 = free; a power of two
};

}  // namespace dendro
