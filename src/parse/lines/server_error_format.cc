// Error logs of nginx and of Apache.
#include "parse/lines/line_cutter.h"
#include "parse/lines/line_format.h"
#include "record/severity.h"

namespace dendro {
namespace {

/// `2026/11/20 10:00:00 [error] 12#34: *56 message, client: 10.0.0.1, server: x, ..`: the body is what stands behind
/// the numbers.
class NginxErrorFormat final : public LineFormat {
 public:
  explicit NginxErrorFormat(const LineTimeDefaults& times) : times_(times) {}
  ParseFormat format() const override { return ParseFormat::nginx_error; }
  double specificity() const override { return 0.95; }

  bool decode(std::string_view line, LineFields& fields) override {
    fields.clear();
    const std::optional<LineTime> time = read_time_as("Y/m/d H:M:S", line, times_);
    if (!time) return false;
    LineCutter cutter(line.substr(time->size));
    if (!cutter.take(" [")) return false;
    const std::string_view level = cutter.take_until(']');
    if (!severity_of_word(level) || !cutter.take(" ")) return false;
    const std::string_view process = cutter.take_digits();
    if (process.empty() || !cutter.take("#")) return false;
    const std::string_view thread = cutter.take_digits();
    if (thread.empty() || !cutter.take(": ")) return false;
    fields.add_time(*time);
    fields.add_text("severity", level);
    fields.add_number("process.pid", process);
    fields.add_number("thread.id", thread);
    if (cutter.take("*")) {
      fields.add_number("nginx.connection", cutter.take_digits());
      cutter.take(" ");
    }
    add_client(cutter.rest(), fields);
    fields.add_text("body", cutter.rest());
    return true;
  }

 private:
  static void add_client(std::string_view message, LineFields& fields) {
    constexpr std::string_view kClient = ", client: ";
    const std::size_t at = message.rfind(kClient);
    if (at == std::string_view::npos) return;
    const std::string_view rest = message.substr(at + kClient.size());
    fields.add_some_text("client.address", rest.substr(0, rest.find(',')));
  }

  const LineTimeDefaults times_;
};

/// `[Fri Nov 20 10:00:00.123456 2026] [core:error] [pid 12:tid 34] [client 10.0.0.1:56] message`; version 2.2 has no
/// module and no process.
class ApacheErrorFormat final : public LineFormat {
 public:
  explicit ApacheErrorFormat(const LineTimeDefaults& times) : times_(times) {}
  ParseFormat format() const override { return ParseFormat::apache_error; }
  double specificity() const override { return 0.95; }

  bool decode(std::string_view line, LineFields& fields) override {
    fields.clear();
    LineCutter cutter(line);
    if (!cutter.take("[")) return false;
    const std::optional<LineTime> time = read_time_as("a b e H:M:Sf Y", cutter.rest(), times_);
    if (!time) return false;
    cutter.skip(time->size);
    if (!cutter.take("] [")) return false;
    const std::string_view source = cutter.take_until(']');
    const std::size_t colon = source.find(':');
    const std::string_view level = colon == std::string_view::npos ? source : source.substr(colon + 1);
    // trace1 to trace8 are levels, too.
    const std::string_view word = level.starts_with("trace") ? level.substr(0, 5) : level;
    if (!severity_of_word(word)) return false;
    fields.add_time(*time);
    fields.add_text("severity", word);
    if (colon != std::string_view::npos) fields.add_some_text("apache.module", source.substr(0, colon));
    if (cutter.take(" [pid ")) add_process(cutter.take_until(']'), fields);
    if (cutter.take(" [client ")) fields.add_some_text("client.address", cutter.take_until(']'));
    cutter.skip_blanks();
    fields.add_text("body", cutter.rest());
    return true;
  }

 private:
  static void add_process(std::string_view process, LineFields& fields) {
    constexpr std::string_view kThread = ":tid ";
    const std::size_t at = process.find(kThread);
    fields.add_number("process.pid", process.substr(0, at));
    if (at != std::string_view::npos) fields.add_number("thread.id", process.substr(at + kThread.size()));
  }

  const LineTimeDefaults times_;
};

}  // namespace

std::unique_ptr<LineFormat> make_nginx_error_format(const LineTimeDefaults& times) {
  return std::make_unique<NginxErrorFormat>(times);
}

std::unique_ptr<LineFormat> make_apache_error_format(const LineTimeDefaults& times) {
  return std::make_unique<ApacheErrorFormat>(times);
}

}  // namespace dendro
