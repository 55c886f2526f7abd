#include "parse/analyze/line_joiner.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace dendro {
namespace {

bool is_ascii_blank(char c) {
  return c == '\0' || c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
}

std::string_view trim_ascii_blank(std::string_view text) {
  while (!text.empty() && is_ascii_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_blank(text.back())) text.remove_suffix(1);
  return text;
}

LineVerdict unparsed(SkipReason reason, std::string_view text) {
  return {LineKind::unparsed, reason, text};
}

}  // namespace

void add_matches(LineTally& tally, const std::vector<std::string>& matches, std::uint64_t offset) {
  for (std::size_t i = 0; i < matches.size(); ++i) tally.add_match(matches[i], offset + i);
}

std::string_view trim_blank(std::string_view raw) {
  std::string_view text = trim_ascii_blank(raw);
  // Only bytes beyond ASCII at an end can be more white space.
  while (!text.empty() && (static_cast<signed char>(text.front()) < 0 || static_cast<signed char>(text.back()) < 0)) {
    if (!is_valid_utf8(text)) return text;
    const std::string_view shorter = trim_ascii_blank(trim_unicode_space(text));
    if (shorter.size() == text.size()) return text;
    text = shorter;
  }
  return text;
}

LineVerdict LineReader::read(std::string_view raw) {
  matches_.clear();
  const std::string_view text = trim_blank(raw);
  if (text.empty()) return {};
  if (text.size() > kCountLineBytesMax) return unparsed(SkipReason::too_long, text);
  if (!is_valid_utf8(text)) return unparsed(SkipReason::not_utf8, text);
  objects_.reset();
  switch (objects_.feed(text)) {
    case ObjectReader::State::complete:
      if (objects_.other_values() == 0) {
        matches_ = objects_.matches();
        return {LineKind::alone, SkipReason::not_json, text};
      }
      return unparsed(objects_.objects() + objects_.other_values() == 1 ? SkipReason::not_object : SkipReason::not_json,
                      text);
    case ObjectReader::State::incomplete:
      if (objects_.other_values() > 0 || text.front() != '{') return unparsed(SkipReason::not_json, text);
      return {LineKind::open, SkipReason::not_json, text};
    case ObjectReader::State::failed:
      break;
  }
  const SkipReason reason = objects_.failure();
  if (read_between_nuls(text)) return {LineKind::alone, reason, text, Torn::yes};
  return unparsed(reason, text);
}

/// A line torn by a hole: what stands between the NULs and parses alone is a record, the broken rest costs one skipped
/// line.
bool LineReader::read_between_nuls(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return false;
  bool found = false;
  while (!text.empty()) {
    const std::size_t last = std::min(text.find('\0'), text.size());
    objects_.reset();
    const std::string_view piece = trim_blank(text.substr(0, last));
    if (!piece.empty() && objects_.feed(piece) == ObjectReader::State::complete && objects_.other_values() == 0) {
      found = true;
      matches_.insert(matches_.end(), objects_.matches().begin(), objects_.matches().end());
    }
    text.remove_prefix(std::min(last + 1, text.size()));
  }
  return found;
}

void LineJoiner::add(const LineVerdict& line, std::uint64_t offset, const std::vector<std::string>& matches) {
  if (line.kind == LineKind::blank) return;
  tally_.add_line();
  if (line.kind == LineKind::alone) {
    break_join();
    add_matches(tally_, matches, offset);
    if (line.torn == Torn::yes) tally_.skip(line.reason);
    return;
  }
  while (pending()) {
    if (try_join(line, offset) != Join::impossible) return;
    drop_first();
  }
  retries_ = 0;
  add_unjoined(line, offset);
}

LineJoiner::Join LineJoiner::try_join(const LineVerdict& line, std::uint64_t offset) {
  const bool readable = line.reason != SkipReason::not_utf8 && line.reason != SkipReason::too_long;
  if (!readable || group_.text().size() + line.text.size() > kCountLineBytesMax) return Join::impossible;
  const ObjectReader::State state = group_.feed(line.text);
  if (state == ObjectReader::State::failed || group_.other_values() > 0) return Join::impossible;
  std::string_view text = line.text;
  if (group_.objects() > 0) {
    commit_group(lines_.front().offset);
    text = trim_blank(group_.text());  // what began behind the last whole object, if anything
  }
  if (state == ObjectReader::State::complete) return Join::done;
  lines_.push_back({std::string(text), offset + line.text.size() - text.size()});
  return Join::open;
}

/// The objects complete so far are records, whatever follows them.
void LineJoiner::commit_group(std::uint64_t offset) {
  add_matches(tally_, group_.matches(), offset);
  group_.drop_complete();
  lines_.clear();
  retries_ = 0;
}

void LineJoiner::add_unjoined(const LineVerdict& line, std::uint64_t offset) {
  if (line.kind == LineKind::open) {
    group_.reset();
    group_.feed(line.text);
    lines_.push_back({std::string(line.text), offset});
  } else {
    tally_.skip(line.reason);
  }
}

void LineJoiner::drop_first() {
  const std::vector<Line> lines = take_pending();
  tally_.skip(SkipReason::not_json);
  if (++retries_ > kRetriesMax) {
    tally_.skip(SkipReason::not_json, lines.size() - 1);
    return;
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const LineVerdict line = replayed_.read(lines[i].text);
    if (pending() && try_join(line, lines[i].offset) != Join::impossible) continue;
    if (pending()) {  // the shorter join broke inside: its lines are gone
      tally_.skip(SkipReason::not_json, take_pending().size());
    }
    add_unjoined(line, lines[i].offset);
  }
}

LineJoiner::OpenJoin LineJoiner::hand_over() {
  tally_.remove_lines(lines_.size());
  return {take_pending(), retries_};
}

void LineJoiner::take_over(const OpenJoin& open) {
  for (const Line& line : open.lines) add(line.text, line.offset);
  retries_ = open.retries;
}

std::vector<LineJoiner::Line> LineJoiner::take_pending() {
  return std::exchange(lines_, {});
}

}  // namespace dendro
