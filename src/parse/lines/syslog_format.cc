#include <array>

#include "parse/lines/line_format.h"
#include "parse/lines/text_fields.h"
#include "record/severity.h"

namespace dendro {
namespace {

/// RFC 5424, table 1, by the names of syslog.h.
constexpr std::array<std::string_view, 24> kSyslogFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};

/// RFC 5424 and RFC 3164, with a priority or without (clients.md 8.2). The body is the message.
class SyslogFormat final : public LineFormat {
 public:
  explicit SyslogFormat(const LineTimeDefaults& times) : times_(times) {}
  ParseFormat format() const override { return ParseFormat::syslog; }
  double specificity() const override { return 0.9; }

  bool decode(std::string_view line, LineFields& fields) override {
    fields.clear();
    stamp_ = host_ = app_ = {};
    const bool is_read =
        read_syslog(line, [&](std::string_view name, const Value& value) { take(name, value, fields); });
    if (!is_read || (!line.starts_with('<') && !is_sure_without_priority())) return false;
    if (stamp_.empty()) return true;  // the "-" of RFC 5424
    std::optional<LineTime> time = read_time_as("b e H:M:Sf", stamp_, times_);
    if (!time) time = read_time_as("Y-m-dTH:M:Sfz", stamp_, times_);
    if (!time) return false;
    fields.add_time(*time);
    return true;
  }

 private:
  void take(std::string_view name, const Value& value, LineFields& fields) {
    if (name == "facility") {
      fields.add("syslog.facility", Value::of_text(kSyslogFacilities[static_cast<std::size_t>(value.integer)]));
    } else if (name == "level") {
      fields.add("severity", value);
    } else if (name == "timestamp") {
      stamp_ = fields.keep(value.text);
    } else if (name == "hostname") {
      host_ = fields.keep(value.text);
      fields.add_text("host.name", host_);
    } else if (name == "app_name") {
      app_ = fields.keep(value.text);
      fields.add_text("service.name", app_);
    } else if (name == "proc_id") {
      fields.add_number("process.pid", fields.keep(value.text));
    } else if (name == "msg_id") {
      fields.add_text("syslog.msgid", fields.keep(value.text));
    } else if (name == "message") {
      fields.add_text("body", fields.keep(value.text));
    } else {
      fields.add_text(fields.keep(name), fields.keep(value.text));
    }
  }

  /// Other formats begin with the same stamps: `Nov 20 10:00:00 ERROR main: text` has no host.
  bool is_sure_without_priority() const {
    if (severity_of_word(host_) || severity_of_word(app_)) return false;
    const bool has_own_stamp = !stamp_.empty() && stamp_[0] >= 'A';  // begins with the month
    return has_own_stamp ? !host_.empty() || !app_.empty() : !host_.empty() && !app_.empty();
  }

  const LineTimeDefaults times_;
  // Of the line at hand.
  std::string_view stamp_, host_, app_;
};

}  // namespace

std::unique_ptr<LineFormat> make_syslog_format(const LineTimeDefaults& times) {
  return std::make_unique<SyslogFormat>(times);
}

}  // namespace dendro
