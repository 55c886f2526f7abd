#include "services/alerts/receivers/alert_text.h"

namespace dendro {
namespace {

void append_in_one_line(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
}

std::string escaped_for_slack(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out.append("&amp;");
    } else if (c == '<') {
      out.append("&lt;");
    } else if (c == '>') {
      out.append("&gt;");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void append_annotations(std::string& out, const ToldAlert& alert) {
  for (const auto& [name, value] : alert.annotations) {
    out.append("    ");
    append_in_one_line(out, name);
    out.append(": ");
    append_in_one_line(out, value);
    out.append("\n");
  }
}

}  // namespace

std::string alert_line(const ToldAlert& alert) {
  std::string line = alert.is_firing ? "FIRING " : "RESOLVED ";
  append_in_one_line(line, alert.rule_name);
  const char* separator = ": ";
  for (const auto& [name, value] : alert.labels) {
    line.append(separator);
    append_in_one_line(line, name);
    line.append("=");
    append_in_one_line(line, value);
    separator = ", ";
  }
  line.append(" (");
  append_in_one_line(line, alert.value);
  return line + ")";
}

std::string alert_plain_text(const AlertNotification& notification) {
  std::string text;
  append_in_one_line(text, notification.title);
  text.append("\ntenant ").append(notification.tenant).append(", ").append(to_rfc3339(notification.at, 0));
  text.append("\n\n");
  for (const ToldAlert& alert : notification.alerts) {
    text.append(alert_line(alert)).append("\n");
    append_annotations(text, alert);
  }
  return text;
}

std::string slack_text(const AlertNotification& notification) {
  std::string text = "*";
  append_in_one_line(text, escaped_for_slack(notification.title));
  text.append("*\n");
  for (const ToldAlert& alert : notification.alerts) {
    text.append(alert.is_firing ? ":red_circle: " : ":white_check_mark: ").append(escaped_for_slack(alert_line(alert)));
    text.append("\n");
    std::string more;
    append_annotations(more, alert);
    text.append(escaped_for_slack(more));
  }
  return text;
}

}  // namespace dendro
