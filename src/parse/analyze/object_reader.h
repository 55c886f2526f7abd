#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parse/analyze/record_rule.h"

namespace dendro {

/// The exact reader: checks a sequence of JSON values byte by byte as RFC 8259 with `NaN`, `Infinity` and `-Infinity`,
/// and judges each object at the top by a rule. Fed in lines, it goes on where the last one ended, since no token
/// reaches over a line's end. It is what the vectorised walk (chunk_walk.h) is compared with. Not thread-safe.
///
/// States: empty or complete (between values) -> incomplete (inside one) -> complete; failed from anywhere, until
/// `reset`.
class ObjectReader {
 public:
  enum class State : std::uint8_t {
    complete,    ///< zero or more whole values
    incomplete,  ///< ends inside a value, between two tokens: more lines may complete it
    failed,      ///< no continuation is JSON; `failure` says why
  };

  /// `rule` outlives the reader.
  explicit ObjectReader(const RecordRule& rule) : rule_(rule) {}
  void reset();
  /// Goes on with `text` (valid UTF-8; may hold line feeds) as if a line feed followed it.
  State feed(std::string_view text);

  State state() const { return state_; }
  /// not_json or too_deep.
  SkipReason failure() const { return failure_; }
  /// What is held since `reset` or the last `drop_complete`, each piece with a line feed behind it. Borrowed until the
  /// next call.
  std::string_view text() const { return text_; }
  /// Whole values since `reset` or `drop_complete`.
  std::size_t objects() const { return objects_; }
  std::size_t other_values() const { return other_values_; }
  /// Groups of the objects that count, among `objects()`.
  const std::vector<std::string>& matches() const { return matches_; }
  /// Forgets the whole values and their text, keeps the one that is open.
  void drop_complete();

 private:
  enum class Expect : std::uint8_t { top_value, first_key, key, colon, value, first_element, comma };
  struct Span {
    std::size_t first = 0;
    std::size_t last = 0;  // 0: field missing
  };

  bool step();
  bool take_value(char c);
  bool open_container(char c);
  bool close_container(char c);
  bool take_key();
  bool take_scalar(char c);
  bool take_string(std::size_t& content_last);
  bool take_number();
  bool take_word(std::string_view word);
  void end_value();
  void end_top_value();
  bool fail(SkipReason reason);
  bool inside_object() const { return in_object_[depth_ - 1]; }
  void skip_space();

  const RecordRule& rule_;
  State state_ = State::complete;
  SkipReason failure_ = SkipReason::not_json;
  std::string text_;
  std::size_t at_ = 0;  // next byte to look at
  Expect expect_ = Expect::top_value;
  std::size_t depth_ = 0;
  std::bitset<kCountDepthMax> in_object_;  // by depth - 1: object, else array
  bool top_is_object_ = false;
  std::size_t top_first_ = 0;    // where the open top value begins
  int wanted_field_ = -1;        // field of the value being read at depth 1
  std::size_t value_first_ = 0;  // where that value begins
  std::array<Span, RecordRule::kFieldsMax> spans_{};
  std::size_t objects_ = 0;
  std::size_t other_values_ = 0;
  std::vector<std::string> matches_;
};

}  // namespace dendro
