#include <array>
#include <charconv>
#include <optional>

#include "query/unpack/text_fields.h"

namespace dendro {
namespace {

/// RFC 5424, table 2.
constexpr std::array<std::string_view, 8> kSyslogLevels = {"emerg",   "alert",  "crit", "err",
                                                           "warning", "notice", "info", "debug"};

/// Cuts a line at blanks.
class SyslogCutter {
 public:
  explicit SyslogCutter(std::string_view rest) : rest_(rest) {}
  std::string_view word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return word;
  }
  void skip_blanks() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  std::string_view rest() const { return rest_; }
  void remove(std::size_t bytes) { rest_.remove_prefix(std::min(bytes, rest_.size())); }

 private:
  std::string_view rest_;
};

void visit_text(const TextFieldVisitor& visit, std::string_view name, std::string_view text) {
  if (!text.empty() && text != "-") visit(name, value_of_string(text));
}

/// `[id k="v" k2="v2"][id2 ..]`, or "-".
void read_structured_data(SyslogCutter& line, const TextFieldVisitor& visit) {
  if (!line.rest().starts_with('[')) {
    line.word();
    return;
  }
  while (line.rest().starts_with('[')) {
    line.remove(1);
    const std::size_t id_end = std::min(line.rest().find_first_of(" ]"), line.rest().size());
    const std::string id(line.rest().substr(0, id_end));
    line.remove(id_end);
    while (line.rest().starts_with(' ')) {
      line.remove(1);
      const std::size_t equal = line.rest().find("=\"");
      if (equal == std::string_view::npos) return;
      const std::string name = id + "." + std::string(line.rest().substr(0, equal));
      line.remove(equal + 2);
      std::string value;
      std::size_t at = 0;
      for (; at < line.rest().size() && line.rest()[at] != '"'; ++at) {
        if (line.rest()[at] == '\\' && at + 1 < line.rest().size()) ++at;
        value.push_back(line.rest()[at]);
      }
      line.remove(at + 1);
      visit_text(visit, name, value);
    }
    if (!line.rest().starts_with(']')) return;
    line.remove(1);
  }
  if (line.rest().starts_with(' ')) line.remove(1);
}

bool is_month(std::string_view word) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t at = kMonths.find(word);
  return word.size() == 3 && at != std::string_view::npos && at % 3 == 0;
}

/// `app[12]: text` or `app: text`.
void read_tag(SyslogCutter& line, const TextFieldVisitor& visit) {
  const std::size_t colon = line.rest().find(": ");
  const std::string_view tag = line.rest().substr(0, colon);
  const bool is_tag = colon != std::string_view::npos && !tag.empty() && tag.find(' ') == std::string_view::npos;
  if (is_tag) {
    const std::size_t bracket = tag.find('[');
    visit_text(visit, "app_name", tag.substr(0, bracket));
    if (bracket != std::string_view::npos && tag.ends_with(']'))
      visit_text(visit, "proc_id", tag.substr(bracket + 1, tag.size() - bracket - 2));
    line.remove(colon + 2);
  }
  visit_text(visit, "message", line.rest());
}

}  // namespace

bool read_syslog(std::string_view text, const TextFieldVisitor& visit) {
  SyslogCutter line(text);
  if (text.starts_with('<')) {
    const std::size_t close = text.find('>');
    int priority = 0;
    if (close == std::string_view::npos) return false;
    const auto read = std::from_chars(text.data() + 1, text.data() + close, priority);
    if (read.ec != std::errc() || read.ptr != text.data() + close || priority < 0 || priority > 191) return false;
    visit("facility", Value::of_int64(priority / 8));
    visit("level", Value::of_text(kSyslogLevels[static_cast<std::size_t>(priority % 8)]));
    line.remove(close + 1);
  }
  if (line.rest().starts_with("1 ")) {
    line.remove(2);
    for (const std::string_view name : {"timestamp", "hostname", "app_name", "proc_id", "msg_id"})
      visit_text(visit, name, line.word());
    read_structured_data(line, visit);
    visit_text(visit, "message", line.rest());
    return true;
  }
  if (!is_month(line.rest().substr(0, 3))) return false;
  const std::string_view stamp = line.rest().substr(0, 15);  // Nov 20 10:00:00
  if (stamp.size() < 15 || stamp[9] != ':' || stamp[12] != ':') return false;
  visit_text(visit, "timestamp", stamp);
  line.remove(15);
  line.skip_blanks();
  visit_text(visit, "hostname", line.word());
  read_tag(line, visit);
  return true;
}

}  // namespace dendro
