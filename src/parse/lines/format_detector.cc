#include "parse/lines/format_detector.h"

#include <algorithm>

#include "parse/json_reader.h"
#include "parse/lines/line_format.h"
#include "record/limits.h"

namespace dendro {
namespace {

constexpr std::string_view kSampleByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSampleBlanks(" \t\r\n\0", 5);
/// A mixed log has at least this share of lines that some format takes, and not more formats than this.
constexpr double kMixedShare = 0.2;
constexpr std::size_t kMixedFormatsMax = 4;
/// A format that is less specific needs two lines to be believed in.
constexpr double kSingleLineSpecificity = 0.9;
/// Fewer lines of a pipe say nothing about those to come.
constexpr std::size_t kEnoughLines = 20;

std::vector<std::string_view> sample_lines(std::string_view front, SampleEnd end) {
  std::vector<std::string_view> lines;
  while (!front.empty() && lines.size() < kDetectionLines) {
    const std::size_t line_end = front.find('\n');
    const bool is_cut = line_end == std::string_view::npos && end != SampleEnd::whole;
    if (is_cut && !lines.empty()) break;
    std::string_view line = front.substr(0, line_end);
    front.remove_prefix(line_end == std::string_view::npos ? front.size() : line_end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(kSampleBlanks) != std::string_view::npos) lines.push_back(line);
  }
  return lines;
}

/// True if `front` begins as a JSON text that is not told line by line: an object that is whole or goes on behind the
/// sample, an array of objects.
bool begins_as_json(std::string_view front) {
  const std::size_t first = front.find_first_not_of(kSampleBlanks);
  if (first == std::string_view::npos) return false;
  if (front[first] == '[') {
    const std::size_t element = front.find_first_not_of(kSampleBlanks, first + 1);
    return element == std::string_view::npos || front[element] == '{' ||
           (front[element] == ']' && begins_json_array(front.substr(first)));
  }
  if (front[first] != '{') return false;
  const JsonRead read = JsonReader(kMaxRecordDepth).read(front, first);
  return read.kind == JsonRead::Kind::object || read.kind == JsonRead::Kind::incomplete;
}

struct FormatScore {
  ParseFormat format = ParseFormat::text;
  double share = 0;  ///< of the lines that begin a record
  double score = 0;
};

/// One a format that some line is of, best first.
std::vector<FormatScore> score_formats(const std::vector<std::string_view>& lines, const LineTimeDefaults& times) {
  std::vector<FormatScore> scores;
  LineFields scratch;
  for (const auto& format : make_line_formats(times)) {
    std::size_t starts = 0;
    std::size_t recognised = 0;
    for (const std::string_view line : lines) {
      if (may_go_on(line)) continue;
      ++starts;
      recognised += format->recognises(line, scratch) ? 1U : 0U;
    }
    if (recognised == 0 || (recognised == 1 && format->specificity() < kSingleLineSpecificity)) continue;
    const double share = static_cast<double>(recognised) / static_cast<double>(starts);
    scores.push_back({format->format(), share, share * format->specificity()});
  }
  std::sort(scores.begin(), scores.end(), [](const FormatScore& a, const FormatScore& b) {
    return a.score != b.score ? a.score > b.score : a.format < b.format;
  });
  return scores;
}

/// Every format may still come.
DetectedFormat undecided(const LineTimeDefaults& times) {
  DetectedFormat detected;
  for (const auto& format : make_line_formats(times)) detected.others.push_back(format->format());
  return detected;
}

}  // namespace

DetectedFormat detect_log_format(std::string_view front, SampleEnd end, const LineTimeDefaults& times) {
  if (front.starts_with(kSampleByteOrderMark)) front.remove_prefix(kSampleByteOrderMark.size());
  if (front.size() > kDetectionBytes) {
    front = front.substr(0, kDetectionBytes);
    if (end == SampleEnd::whole) end = SampleEnd::cut;
  }
  DetectedFormat detected;
  if (begins_as_json(front)) {
    detected.format = ParseFormat::json;
    detected.confidence = 1;
    return detected;
  }
  const std::vector<std::string_view> lines = sample_lines(front, end);
  if (end == SampleEnd::still_open && lines.size() < kEnoughLines) return undecided(times);
  const std::vector<FormatScore> scores = score_formats(lines, times);
  if (scores.empty()) return detected;
  const FormatScore& best = scores.front();
  const double second = scores.size() > 1 ? scores[1].score : 0;
  if (scores.size() > 1) detected.runner_up = scores[1].format;
  detected.confidence = best.score;
  if (best.score >= kAcceptedScore && best.score - second >= kScoreLead) {
    detected.format = best.format;
    return detected;
  }
  double shares = 0;
  for (const FormatScore& score : scores) shares += score.share;
  if (shares < kMixedShare) return DetectedFormat{};
  for (const FormatScore& score : scores) {
    if (detected.others.size() < kMixedFormatsMax) detected.others.push_back(score.format);
  }
  return detected;
}

}  // namespace dendro
