#include "storage/segment/token_filter.h"

#include <algorithm>

#include "base/checksum.h"
#include "codec/short_bytes.h"
#include "codec/splitter.h"
#include "record/fold.h"

namespace dendro {
namespace {

constexpr std::size_t kFirstKeyTableSize = 4'096;
constexpr std::size_t kRecentKeys = 1'024;
/// [g-z], [a-f], digits and _: a text of these is one word and folds to itself.
constexpr ByteClasses kWordClasses = 0x01 | 0x02 | 0x10 | 0x20;
/// Upper case and what may be beyond ASCII: what folding may change.
constexpr ByteClasses kFoldedClasses = 0x04 | 0x08 | 0x80;

}  // namespace

std::uint64_t token_key(std::string_view folded) {
  return xxh3(folded, HashSeed(0)) | 1;  // never 0, which marks a free row
}

TokenKeys::TokenKeys() : table_(kFirstKeyTableSize, 0), recent_(kRecentKeys, 0) {}

void TokenKeys::clear() {
  keys_.clear();
  waiting_count_ = 0;
  std::fill(recent_.begin(), recent_.end(), 0);
  std::fill(table_.begin(), table_.end(), 0);
}

void TokenKeys::add_key(std::uint64_t key) {
  std::uint64_t& recent = recent_[(key >> 1) % kRecentKeys];
  if (recent == key) return;
  recent = key;
  __builtin_prefetch(&table_[(key >> 1) & (table_.size() - 1)]);
  waiting_[waiting_count_++] = key;
  if (waiting_count_ == waiting_.size()) insert_waiting();
}

void TokenKeys::insert_waiting() {
  for (std::size_t i = 0; i < waiting_count_; ++i) insert(waiting_[i]);
  waiting_count_ = 0;
}

const std::vector<std::uint64_t>& TokenKeys::keys() {
  insert_waiting();
  return keys_;
}

void TokenKeys::insert(std::uint64_t key) {
  std::size_t at = (key >> 1) & (table_.size() - 1);
  while (table_[at] != 0) {
    if (table_[at] == key) return;
    at = (at + 1) & (table_.size() - 1);
  }
  table_[at] = key;
  keys_.push_back(key);
  if (keys_.size() * 2 > table_.size()) grow();
}

void TokenKeys::grow() {
  table_.assign(table_.size() * 2, 0);
  for (const std::uint64_t key : keys_) {
    std::size_t at = (key >> 1) & (table_.size() - 1);
    while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
    table_[at] = key;
  }
}

void TokenKeys::note_wide_forms(std::string_view text) {
  const bool is_ascii = std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  if (is_ascii) return;
  if (text.find("\xE2\x84\xAA") != std::string_view::npos || text.find("\xC5\xBF") != std::string_view::npos) {
    add_key(kWideFormKey);
  }
}

void TokenKeys::add_tokens(std::span<const std::string_view> tokens, ByteClasses classes) {
  std::string_view last;  // records that follow each other often repeat a value
  for (const std::string_view token : tokens) {
    if (token.size() == last.size() && equal_bytes(token.data(), last.data(), token.size())) continue;
    last = token;
    if ((classes & ~kWordClasses) == 0) {
      add_key(token_key(token));
    } else if ((classes & kFoldedClasses) == 0) {
      add_folded(token);
    } else {
      add_token(token);
    }
  }
}

void TokenKeys::add_token(std::string_view token) {
  note_wide_forms(token);
  folded_.clear();
  append_folded(folded_, token);
  add_folded(folded_);
}

void TokenKeys::add_folded(std::string_view token) {
  bool is_one_word = false;
  for_each_word(token, [&](std::size_t first, std::size_t last) {
    is_one_word = last - first == token.size();
    add_key(token_key(token.substr(first, last - first)));
  });
  if (!is_one_word) add_key(token_key(token));
}

void TokenKeys::add_text(std::string_view text) {
  note_wide_forms(text);
  folded_.clear();
  append_folded(folded_, text);
  const std::string_view folded = folded_;
  for (std::size_t at = 0; at < folded.size();) {
    if (is_delimiter(folded[at])) {
      ++at;
      continue;
    }
    const std::size_t first = at;
    while (at < folded.size() && !is_delimiter(folded[at])) ++at;
    add_folded(folded.substr(first, at - first));
  }
}

}  // namespace dendro
