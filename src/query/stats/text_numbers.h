#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace dendro {

/// Numbers different texts in the order in which they first came: 0, 1, 2, ... Open addressing over hashes and numbers;
/// the texts lie one behind the other, so that a million short ones cost little more than their bytes. Not thread-safe.
class TextNumbers {
 public:
  struct Added {
    std::uint32_t number = 0;
    bool is_new = false;
  };
  /// The text's number, the next one if it is new; fewer than 2^32 - 1 texts. The text is copied.
  Added add(std::string_view text);
  /// Forgets the text with the largest number, of at least one.
  void remove_last();
  /// Until remove_last() of it, or clear().
  std::string_view operator[](std::uint32_t number) const { return texts_[number]; }
  std::size_t size() const { return texts_.size(); }
  void clear();

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = kFree;
  };
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;

  /// The slot that has the text, or the free one where it belongs.
  std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
  void grow();
  std::string_view keep(std::string_view text);

  std::vector<Slot> slots_;  ///< a power of two of them, a third of them free
  std::vector<std::string_view> texts_;
  std::vector<std::unique_ptr<char[]>> pages_;
  char* next_ = nullptr;  ///< free bytes of the last page
  std::size_t room_ = 0;
};

}  // namespace dendro
