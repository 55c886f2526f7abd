#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parse/analyze/line_tally.h"
#include "parse/analyze/object_reader.h"

namespace dendro {

enum class LineKind : std::uint8_t {
  blank,     ///< nothing but Unicode white space and NULs
  alone,     ///< parses alone: one or more objects
  open,      ///< a beginning: parses so far and ends inside an object
  unparsed,  ///< anything else; `reason` says what
};

enum class Torn : std::uint8_t { no, yes };

struct LineVerdict {
  LineKind kind = LineKind::blank;
  SkipReason reason = SkipReason::not_json;
  std::string_view text;  ///< without white space around; borrowed from the line
  Torn torn = Torn::no;   ///< `alone` but for a broken part beside a hole of NULs, which `reason` explains
};

/// Reads single lines. `matches` are the groups of the counting objects of the last line if it was `alone`. Not
/// thread-safe.
class LineReader {
 public:
  explicit LineReader(const RecordRule& rule) : objects_(rule) {}
  LineVerdict read(std::string_view raw);
  const std::vector<std::string>& matches() const { return matches_; }

 private:
  bool read_between_nuls(std::string_view text);
  ObjectReader objects_;
  std::vector<std::string> matches_;
};

/// Joins lines that do not parse alone into pretty-printed objects, in the order of the text (five-systems.md 2.3).
///
/// Invariants:
/// 1. A line that parses alone ends an open join: what was open costs one skipped line each, the line is a record.
/// 2. A join holds the shortest run of lines from an opening line to where it parses; it is dropped as soon as no
/// continuation
///    can parse, then its first line is skipped and the others are tried again, at most kRetriesMax times in a row.
/// Not thread-safe.
class LineJoiner {
 public:
  /// Both outlive the joiner.
  LineJoiner(const RecordRule& rule, LineTally& tally) : alone_(rule), replayed_(rule), group_(rule), tally_(tally) {}

  /// The next line, without its line feed; `offset` is where it begins in the text.
  void add(std::string_view raw, std::uint64_t offset) { add(alone_.read(raw), offset, alone_.matches()); }
  /// The same with what a LineReader said of it.
  void add(const LineVerdict& line, std::uint64_t offset, const std::vector<std::string>& matches);
  /// A line that parses alone went by elsewhere.
  void break_join() {
    while (pending()) drop_first();
  }
  void finish() { break_join(); }
  bool pending() const { return !lines_.empty(); }
  struct Line {
    std::string text;
    std::uint64_t offset = 0;
  };
  /// An unfinished join on its way to another joiner.
  struct OpenJoin {
    std::vector<Line> lines;
    int retries = 0;
  };
  /// Gives up the open lines and takes them out of the tally.
  OpenJoin hand_over();
  /// Goes on where another joiner left off; nothing may be pending here.
  void take_over(const OpenJoin& open);

 private:
  static constexpr int kRetriesMax = 16;
  enum class Join : std::uint8_t { done, open, impossible };
  Join try_join(const LineVerdict& line, std::uint64_t offset);
  void add_unjoined(const LineVerdict& line, std::uint64_t offset);
  void commit_group(std::uint64_t offset);
  void drop_first();
  std::vector<Line> take_pending();

  LineReader alone_;     // of `add` of raw lines
  LineReader replayed_;  // another one: what `add` got from `alone_` must outlast a drop
  ObjectReader group_;
  LineTally& tally_;
  std::vector<Line> lines_;  // of the open join, all in group_
  int retries_ = 0;
};

/// Adds the matches of one line or object that begins at `offset`.
void add_matches(LineTally& tally, const std::vector<std::string>& matches, std::uint64_t offset);

/// Without Unicode white space and NULs around; the ends of text that is not UTF-8 lose ASCII white space and NULs
/// only.
std::string_view trim_blank(std::string_view raw);

}  // namespace dendro
