#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "parse/json_layouts.h"
#include "parse/json_reader.h"
#include "parse/record_decoder.h"
#include "parse/record_mapper.h"
#include "parse/text_sweep.h"

namespace dendro {

// How JSON input is cut (clients.md 3.1, the line rule of five-systems.md 2.3):
//   J1 a line that is JSON by itself, one value or several, is that; so one broken line costs one record;
//   J2 a line that ends inside a value is joined with those behind it, unless one of them is a non-empty object by
//   itself (a
//      broken line must not swallow good ones) or the joined text is no JSON either: then the line alone is refused;
//   J3 an array's objects are records, wherever the lines end; after a fault in it the rest is read by lines, on which
//   commas and
//      brackets that the array left behind are passed over;
//   J4 framing `document`: a body that is one value as a whole is that value, whatever J2 says;
//   J5 what is no object is refused by itself; white space, NULs and a byte order mark in front are nothing;
//   J6 where BrokenLines are kept, what would be refused as a parse_error is a record of text, with the time of the
//      record before; a line that begins with `[` is such a line unless an object, `]` or the end of the line follows;
//   J7 where not all of a record is wished for, a line of a known layout (parse/json_layouts.h) is a record by itself:
//   by
//      J1 it would be the same one. Every line is still checked to its end.
// States: line -> array at `[`; array -> line at its `]` or at a fault (loose_ from then on); skipping (a line longer
// than the window) -> line at LF.

/// Objects one a line, concatenated, pretty-printed, or in arrays. Not thread-safe.
class JsonRecordDecoder final : public RecordDecoder {
 public:
  JsonRecordDecoder(DecoderOptions options, BatchFiller& filler, RejectHandler on_reject);
  std::size_t decode(std::string_view text, InputEnd end) override;

 private:
  enum class State : std::uint8_t { line, array, skipping };
  enum class ArrayWants : std::uint8_t { element_or_end, element, comma_or_end };
  enum class Step : std::uint8_t { done, need_more };

  Step decode_line();
  bool decode_known_line();
  bool begins_array() const;
  Step decode_line_beyond_window();
  bool decode_alone(std::size_t line_end, JsonRead& first);
  Step decode_joined(std::size_t line_end);
  Step decode_array();
  Step decode_element();
  void begin_loose(std::string_view detail);
  bool good_line_follows(std::size_t first, std::size_t last);
  bool is_good_line(std::string_view line);
  void take(const JsonRead& read, std::size_t first);
  void take_values(std::size_t first, std::size_t last);
  void reject(RejectCause cause, std::string_view raw);
  void reject_line(std::size_t line_end, const JsonRead& read);
  bool is_rest_blank(std::size_t first, std::size_t last) const;
  std::size_t skip_blank(std::size_t offset) const;
  bool may_wait_for_more() const {
    return end_ == InputEnd::more_follows && text_.size() - offset_ < kMaxDecoderWindowBytes;
  }

  const DecoderOptions options_;
  RejectHandler on_reject_;
  JsonReader reader_;
  JsonReader probe_;  ///< looks at lines while reader_ holds a record
  RecordMapper mapper_;
  // Where not all of a record is wished for:
  std::unique_ptr<JsonLayouts> layouts_;
  TextSweep required_;
  TextSweep searched_;
  bool learns_line_ = false;  ///< the line at hand is of no layout yet
  State state_ = State::line;
  ArrayWants wants_ = ArrayWants::element_or_end;
  bool loose_ = false;
  bool at_start_ = true;
  /// Bytes that failed joins may still read in vain, so that hostile input stays linear; grows with the input.
  std::size_t join_budget_ = 0;
  // The call at hand.
  std::string_view text_;
  InputEnd end_ = InputEnd::last;
  std::size_t offset_ = 0;
};

}  // namespace dendro
