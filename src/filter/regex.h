#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

inline constexpr std::size_t kRegexBytesMax = 4096;

/// Why a pattern was refused, with the part of it that is to blame, so that a query can point at it.
struct RegexFault {
  std::string message;     ///< cause and remedy, without the pattern
  std::size_t offset = 0;  ///< bytes into the pattern
  std::size_t size = 0;    ///< bytes; 0: the whole pattern is meant
};

/// A regular expression in RE2's syntax; RE2 decides what matches. Immutable, thread-safe, borrows nothing.
///
/// - It searches anywhere in a value. Without flags `^` and `$` are the start and the end of the value (also where the
///   value holds line feeds), `.` takes any code point but a line feed (`(?s)`: any), letters mean their case (`(?i)`
///   folds as Unicode does).
/// - Text is UTF-8. A byte that is no UTF-8 is taken by nothing: not by `.`, `[^a]`, `\D` or a literal (`\xFF` is
///   U+00FF); what stands beside it is found as usual. ripgrep does the same. `\C` takes any single byte.
/// - hyperscan is only ever asked where a match may be; what it says is confirmed by RE2 (engine.md 4.5).
class Regex {
 public:
  /// Errors: invalid_argument (over kRegexBytesMax, not an RE2 expression, too large when compiled). `fault`, if given,
  /// gets the place.
  static Result<std::shared_ptr<const Regex>> compile(std::string_view pattern, RegexFault* fault = nullptr);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  const std::string& pattern() const;
  /// True if the pattern means itself: its matches are the places where its own bytes stand.
  bool is_literal() const;
  /// True if the pattern is found somewhere in `value`.
  bool matches(std::string_view value) const;
  /// True if the pattern matches the whole of `value` (stream labels, query-language.md D11).
  bool matches_whole(std::string_view value) const;

  /// Names of the groups in parentheses, "" for those without one: group i has group_names()[i - 1].
  const std::vector<std::string>& group_names() const;
  /// The first match that begins at or after `first` (at most value.size()): groups[0] is all of it, groups[i] what
  /// group i took; one that took no part has a null data(). False: there is none. `groups` borrow `value`.
  bool capture(std::string_view value, std::size_t first, std::vector<std::string_view>& groups) const;

  /// Asks many values at once: value i is text[ends[i-1], ends[i]) (the first begins at 0; ends ascend, the last is at
  /// most text.size()), and verdicts[i] becomes matches(value i). Values need no separator. Uses hyperscan once a
  /// pattern has seen enough text to pay for compiling it.
  void match_many(std::string_view text, std::span<const std::uint32_t> ends,
                  std::vector<std::uint8_t>& verdicts) const;

  /// Distinct texts of which some must stand in every value that matches, **folded** (record/fold.h): look for them
  /// with find_folded, or in folded text. By re2::FilteredRE2. Empty: nothing is known.
  const std::vector<std::string>& atoms() const;
  /// @param present_atoms  indices into atoms() of those that stand in a value, in any order.
  /// False: no value that lacks the other atoms can match. Always true where there are no atoms.
  bool may_match(std::span<const int> present_atoms) const;
  /// The longest atom that every matching value holds; empty if there is none.
  std::string_view required_atom() const;

  /// True only if every match has at least one byte, none of `bytes`, and does not depend on what surrounds it (no `^`,
  /// `$`, `\b`): then a text cut at such bytes into pieces matches exactly if a piece does. False where this is not
  /// understood.
  bool avoids(const std::bitset<256>& bytes) const;

  /// For tests and benchmarks: which way match_many takes.
  enum class Accelerator : std::uint8_t { when_it_pays, always, never };
  void match_many(std::string_view text, std::span<const std::uint32_t> ends, std::vector<std::uint8_t>& verdicts,
                  Accelerator accelerator) const;
  /// True if hyperscan takes this pattern and this machine.
  bool has_accelerator() const;

 private:
  struct Impl;
  explicit Regex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dendro
