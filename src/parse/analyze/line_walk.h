#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parse/analyze/record_rule.h"

namespace dendro {

/// Bytes to find at a place, the first eight compared as one word. Reads eight bytes there, more while they agree.
class BytePattern {
 public:
  BytePattern() = default;
  explicit BytePattern(std::string text);
  bool at(const char* place) const {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, place, sizeof word);
    if ((word & mask_) != word_) return false;
    for (std::size_t i = sizeof word; i < text_.size(); ++i) {
      if (place[i] != text_[i]) return false;
    }
    return true;
  }

 private:
  std::string text_;
  std::uint64_t word_ = 0;
  std::uint64_t mask_ = 0;
};

/// Walks over the tokens of lines that an indexer has cleared, checks their grammar and notes where the wanted fields
/// are. It takes the plain case: one object a line, at most 64 levels deep, no escapes in top-level keys and wanted
/// values. What it does not take is not wrong yet: ObjectReader decides. What it takes, ObjectReader takes with the
/// same outcome. Not thread-safe.
class LineWalk {
 public:
  struct Place {
    std::uint32_t first = 0;  ///< of the value; 0: missing (a value never stands at the start of the text)
    std::uint32_t last = 0;   ///< of the token behind it
  };

  /// `rule` outlives the walk.
  explicit LineWalk(const RecordRule& rule);
  /// Sets the text and its escapes in ascending order, ended by UINT32_MAX; both borrowed.
  void start(const char* text, const std::uint32_t* escapes) {
    text_ = text;
    escape_ = escapes;
  }
  /// `token` is the first of a line; a line feed follows somewhere, and 4 readable entries behind it. Returns the entry
  /// behind the line feed, or null if the line is not plain.
  const std::uint32_t* walk(const std::uint32_t* token);
  /// Forgets the escapes before `offset`; called behind a line that was not plain.
  void pass_escapes(std::size_t offset) {
    while (*escape_ < offset) ++escape_;
  }
  const std::uint32_t* next_escape() const { return escape_; }

  /// Whether the last line counts.
  bool counts() const;
  /// Raw value of the group field of the last line, the null view if missing.
  std::string_view group_value() const { return raw_value(rule_.group_field()); }

 private:
  const std::uint32_t* walk_value(const std::uint32_t* token) const;
  const std::uint32_t* walk_container(const std::uint32_t* token) const;
  bool note_field(const std::uint32_t* token, std::uint32_t last);
  std::string_view raw_value(std::size_t field) const;

  const RecordRule& rule_;
  std::vector<BytePattern> keys_;  // with quotes, by field
  BytePattern level_;              // with quotes
  const bool one_level_;
  const char* text_ = nullptr;
  const std::uint32_t* escape_ = nullptr;
  std::array<Place, RecordRule::kFieldsMax> places_{};
};

}  // namespace dendro
