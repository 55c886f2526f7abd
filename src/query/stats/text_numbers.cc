#include "query/stats/text_numbers.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/checksum.h"

namespace dendro {
namespace {

constexpr std::size_t kFirstSlots = 8;
/// Each page is twice as large as the one before, between these: many tables hold few texts.
constexpr std::size_t kPageBytesMin = 64;
constexpr std::size_t kPageBytesMax = std::size_t{256} << 10;

std::uint32_t hash_of(std::string_view text) {
  return static_cast<std::uint32_t>(xxh3(text, HashSeed(0x74657874736e756d)));
}

}  // namespace

std::size_t TextNumbers::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].number != kFree && (slots_[at].hash != hash || texts_[slots_[at].number] != text)) {
    at = (at + 1) & mask;
  }
  return at;
}

TextNumbers::Added TextNumbers::add(std::string_view text) {
  if (3 * (texts_.size() + 1) > 2 * slots_.size()) grow();
  const std::uint32_t hash = hash_of(text);
  Slot& slot = slots_[slot_of(text, hash)];
  if (slot.number != kFree) return {slot.number, false};
  DENDRO_CHECK(texts_.size() < kFree);
  slot = {hash, static_cast<std::uint32_t>(texts_.size())};
  texts_.push_back(keep(text));
  return {slot.number, true};
}

void TextNumbers::remove_last() {
  const std::string_view text = texts_.back();
  // The last one to come: no other text went past its slot.
  slots_[slot_of(text, hash_of(text))] = Slot();
  texts_.pop_back();
  next_ -= text.size();
  room_ += text.size();
}

void TextNumbers::clear() {
  *this = TextNumbers();
}

void TextNumbers::grow() {
  const std::vector<Slot> before = std::exchange(slots_, {});
  slots_.resize(before.empty() ? kFirstSlots : before.size() * 2);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.number == kFree) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].number != kFree) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

std::string_view TextNumbers::keep(std::string_view text) {
  if (next_ == nullptr || text.size() > room_) {
    const std::size_t page =
        std::max(std::clamp(kPageBytesMin << std::min<std::size_t>(pages_.size(), 16), kPageBytesMin, kPageBytesMax),
                 text.size());
    pages_.push_back(std::make_unique_for_overwrite<char[]>(page));
    next_ = pages_.back().get();
    room_ = page;
  }
  std::copy(text.begin(), text.end(), next_);
  const std::string_view kept(next_, text.size());
  next_ += text.size();
  room_ -= text.size();
  return kept;
}

}  // namespace dendro
