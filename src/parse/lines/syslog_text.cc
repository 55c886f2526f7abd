#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "base/timestamp.h"
#include "parse/lines/line_cutter.h"
#include "parse/lines/text_fields.h"

namespace dendro {
namespace {

/// RFC 5424, table 2.
constexpr std::array<std::string_view, 8> kSyslogLevels = {"emerg",   "alert",  "crit", "err",
                                                           "warning", "notice", "info", "debug"};

constexpr std::string_view kSyslogByteOrderMark = "\xEF\xBB\xBF";

void visit_text(const TextFieldVisitor& visit, std::string_view name, std::string_view text) {
  if (!text.empty() && text != "-") visit(name, value_of_string(text));
}

/// `[id k="v" k2="v2"][id2 ..]`, or "-".
void read_structured_data(LineCutter& line, const TextFieldVisitor& visit) {
  if (!line.rest().starts_with('[')) {
    line.take_word();
    return;
  }
  while (line.rest().starts_with('[')) {
    line.skip(1);
    const std::size_t id_end = std::min(line.rest().find_first_of(" ]"), line.rest().size());
    const std::string id(line.rest().substr(0, id_end));
    line.skip(id_end);
    while (line.rest().starts_with(' ')) {
      line.skip(1);
      const std::size_t equal = line.rest().find("=\"");
      if (equal == std::string_view::npos) return;
      const std::string name = id + "." + std::string(line.rest().substr(0, equal));
      line.skip(equal + 2);
      std::string value;
      std::size_t at = 0;
      for (; at < line.rest().size() && line.rest()[at] != '"'; ++at) {
        if (line.rest()[at] == '\\' && at + 1 < line.rest().size()) ++at;
        value.push_back(line.rest()[at]);
      }
      line.skip(at + 1);
      visit_text(visit, name, value);
    }
    if (!line.rest().starts_with(']')) return;
    line.skip(1);
  }
  if (line.rest().starts_with(' ')) line.skip(1);
}

bool is_month(std::string_view word) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t at = kMonths.find(word);
  return word.size() == 3 && at != std::string_view::npos && at % 3 == 0;
}

/// `Nov 20 10:00:00`, or an RFC 3339 time as rsyslog writes them, with a zone and a blank behind it; 0: neither.
std::size_t old_stamp_size(std::string_view text) {
  if (is_month(text.substr(0, 3))) {
    constexpr std::size_t kStampBytes = 15;
    return text.size() >= kStampBytes && text[9] == ':' && text[12] == ':' ? kStampBytes : 0;
  }
  constexpr std::size_t kShortestTimeBytes = 20;
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos || blank < kShortestTimeBytes || text[10] != 'T') return 0;
  const bool has_zone = text[blank - 1] == 'Z' || text[blank - 6] == '+' || text[blank - 6] == '-';
  return has_zone && parse_rfc3339(text.substr(0, blank)) ? blank : 0;
}

/// `<34>`, taken off the line.
std::optional<int> read_priority(LineCutter& line) {
  const std::string_view text = line.rest();
  const std::size_t close = text.find('>');
  if (close == std::string_view::npos) return std::nullopt;
  int priority = 0;
  const auto read = std::from_chars(text.data() + 1, text.data() + close, priority);
  if (read.ec != std::errc() || read.ptr != text.data() + close || priority < 0 || priority > 191) return std::nullopt;
  line.skip(close + 1);
  return priority;
}

/// The version of RFC 5424 and a time, or "-". Without a priority in front it takes a time to tell it from a "1".
bool is_version_one(std::string_view text, bool has_priority) {
  if (!text.starts_with("1 ")) return false;
  const std::string_view stamp = text.substr(2, text.find(' ', 2) - 2);
  return (has_priority && stamp == "-") || parse_rfc3339(stamp).has_value();
}

/// `app[12]: text` or `app: text`.
void read_tag(LineCutter& line, const TextFieldVisitor& visit) {
  const std::size_t colon = line.rest().find(": ");
  const std::string_view tag = line.rest().substr(0, colon);
  const bool is_tag = colon != std::string_view::npos && !tag.empty() && tag.find(' ') == std::string_view::npos;
  if (is_tag) {
    const std::size_t bracket = tag.find('[');
    visit_text(visit, "app_name", tag.substr(0, bracket));
    if (bracket != std::string_view::npos && tag.ends_with(']'))
      visit_text(visit, "proc_id", tag.substr(bracket + 1, tag.size() - bracket - 2));
    line.skip(colon + 2);
  }
  visit_text(visit, "message", line.rest());
}

}  // namespace

bool read_syslog(std::string_view text, const TextFieldVisitor& visit) {
  LineCutter line(text);
  std::optional<int> priority;
  if (text.starts_with('<')) {
    priority = read_priority(line);
    if (!priority) return false;
  }
  const auto visit_priority = [&] {
    if (!priority) return;
    visit("facility", Value::of_int64(*priority / 8));
    visit("level", Value::of_text(kSyslogLevels[static_cast<std::size_t>(*priority % 8)]));
  };
  if (is_version_one(line.rest(), priority.has_value())) {
    visit_priority();
    line.skip(2);
    for (const std::string_view name : {"timestamp", "hostname", "app_name", "proc_id", "msg_id"})
      visit_text(visit, name, line.take_word());
    read_structured_data(line, visit);
    if (line.rest().starts_with(kSyslogByteOrderMark)) line.skip(kSyslogByteOrderMark.size());
    visit_text(visit, "message", line.rest());
    return true;
  }
  const std::size_t stamp_bytes = old_stamp_size(line.rest());
  if (stamp_bytes == 0) return false;
  visit_priority();
  visit_text(visit, "timestamp", line.rest().substr(0, stamp_bytes));
  line.skip(stamp_bytes);
  line.skip_blanks();
  const std::string_view host = line.rest().substr(0, line.rest().find(' '));
  if (!host.ends_with(':')) visit_text(visit, "hostname", line.take_word());
  read_tag(line, visit);
  return true;
}

}  // namespace dendro
