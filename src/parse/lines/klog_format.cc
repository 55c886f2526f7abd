#include "parse/lines/line_cutter.h"
#include "parse/lines/line_format.h"

namespace dendro {
namespace {

/// glog and klog (Kubernetes): `I1120 10:00:00.123456   1234 server.go:56] message`, the date perhaps with a year.
class KlogFormat final : public LineFormat {
 public:
  explicit KlogFormat(const LineTimeDefaults& times) : times_(times) {}
  ParseFormat format() const override { return ParseFormat::klog; }
  LineRole role() const override { return LineRole::opens; }
  double specificity() const override { return 0.95; }

  bool decode(std::string_view line, LineFields& fields) override {
    fields.clear();
    const std::string_view severity = severity_of_letter(line);
    if (severity.empty()) return false;
    std::optional<LineTime> time = read_time_as("md H:M:Sf", line.substr(1), times_);
    if (!time) time = read_time_as("Ymd H:M:Sf", line.substr(1), times_);
    if (!time) return false;
    LineCutter cutter(line.substr(1 + time->size));
    if (!cutter.take(" ")) return false;
    cutter.skip_blanks();
    const std::string_view thread = cutter.take_digits();
    if (thread.empty() || !cutter.take(" ")) return false;
    const std::size_t close = cutter.rest().find("] ");
    const std::string_view place = cutter.rest().substr(0, close);
    const std::size_t colon = place.rfind(':');
    const bool ends_line = close == std::string_view::npos;
    if (colon == std::string_view::npos || place.find(' ') != std::string_view::npos) return false;
    if (ends_line && !place.ends_with(']')) return false;  // an empty message
    fields.add_time(*time);
    fields.add("severity", Value::of_text(severity));
    fields.add_number("thread.id", thread);
    fields.add_some_text("code.file.path", place.substr(0, colon));
    fields.add_number("code.line.number", place.substr(colon + 1, place.size() - colon - (ends_line ? 2 : 1)));
    fields.add_text("body", ends_line ? std::string_view() : cutter.rest().substr(close + 2));
    return true;
  }

 private:
  static std::string_view severity_of_letter(std::string_view line) {
    if (line.size() < 2 || line[1] < '0' || line[1] > '9') return {};
    switch (line[0]) {
      case 'D':
        return "debug";
      case 'I':
        return "info";
      case 'W':
        return "warning";
      case 'E':
        return "error";
      case 'F':
        return "fatal";
      default:
        return {};
    }
  }

  const LineTimeDefaults times_;
};

}  // namespace

std::unique_ptr<LineFormat> make_klog_format(const LineTimeDefaults& times) {
  return std::make_unique<KlogFormat>(times);
}

}  // namespace dendro
