#include "parse/lines/line_cutter.h"
#include "parse/lines/line_format.h"

namespace dendro {
namespace {

/// Access logs of Apache and nginx, common and combined: `address ident user [time] "request" status size "referer"
/// "agent"`, perhaps with the virtual host in front. The body is the line. Severity is that of the status: from 500 on
/// error, from 400 on warn, else info.
class AccessFormat final : public LineFormat {
 public:
  explicit AccessFormat(const LineTimeDefaults& times) : times_(times) {}
  ParseFormat format() const override { return ParseFormat::access; }
  double specificity() const override { return 0.95; }

  bool decode(std::string_view line, LineFields& fields) override {
    fields.clear();
    LineCutter cutter(line);
    std::string_view words[4];
    std::size_t count = 0;
    while (count < 4 && !cutter.rest().starts_with('[')) words[count++] = cutter.take_word();
    if (count < 3 || !cutter.take("[")) return false;
    const std::optional<LineTime> time = read_time_as("d/b/Y:H:M:S z", cutter.rest(), times_);
    if (!time) return false;
    cutter.skip(time->size);
    std::string_view request;
    if (!cutter.take("] ") || !cutter.take_quoted(request) || !cutter.take(" ")) return false;
    const std::string_view status = cutter.take_digits();
    if (status.size() != 3 || !cutter.take(" ")) return false;
    const std::string_view size = cutter.take_digits();
    if (size.empty() && !cutter.take("-")) return false;

    fields.add_time(*time);
    if (count == 4) fields.add_some_text("server.address", words[0]);
    fields.add_some_text("client.address", words[count - 3]);
    fields.add_some_text("user.name", words[count - 1]);
    add_request(request, fields);
    fields.add("severity", Value::of_text(status[0] >= '5' ? "error" : status[0] == '4' ? "warn" : "info"));
    fields.add_number("http.response.status_code", status);
    if (!size.empty()) fields.add_number("http.response.body.size", size);
    add_tail(cutter, fields);
    fields.add_text("body", line);
    return true;
  }

 private:
  /// `GET /path?query HTTP/1.1`; what else clients send is in the body only.
  static void add_request(std::string_view request, LineFields& fields) {
    const std::size_t first = request.find(' ');
    const std::size_t last = request.rfind(" HTTP/");
    if (first == std::string_view::npos || last == std::string_view::npos || last < first + 2) return;
    const std::string_view target = request.substr(first + 1, last - first - 1);
    fields.add_some_text("http.request.method", request.substr(0, first));
    fields.add_some_text("url.path", target.substr(0, target.find('?')));
    if (const std::size_t query = target.find('?'); query != std::string_view::npos)
      fields.add_some_text("url.query", target.substr(query + 1));
    fields.add_some_text("network.protocol.version", request.substr(last + 6));
  }
  static void add_tail(LineCutter& cutter, LineFields& fields) {
    std::string_view referer;
    std::string_view agent;
    if (!cutter.take(" ") || !cutter.take_quoted(referer) || !cutter.take(" ") || !cutter.take_quoted(agent)) return;
    fields.add_some_text("http.request.header.referer", referer);
    fields.add_some_text("user_agent.original", agent);
  }

  const LineTimeDefaults times_;
};

}  // namespace

std::unique_ptr<LineFormat> make_access_format(const LineTimeDefaults& times) {
  return std::make_unique<AccessFormat>(times);
}

}  // namespace dendro
