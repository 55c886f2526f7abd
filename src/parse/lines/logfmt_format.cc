#include "parse/lines/line_format.h"
#include "parse/lines/text_fields.h"

namespace dendro {
namespace {

bool is_logfmt_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '@' || c == '/';
}

/// `ts=2026-11-20T10:00:00Z level=info msg="request done" took=12ms`: pairs under their own names, values are text. A
/// line that also has words without "=" is its body as a whole, beside its pairs.
class LogfmtFormat final : public LineFormat {
 public:
  ParseFormat format() const override { return ParseFormat::logfmt; }
  double specificity() const override { return 0.75; }

  bool decode(std::string_view line, LineFields& fields) override {
    if (!begins_with_pair(line)) return false;
    fields.clear();
    read_logfmt(
        line,
        [&fields](std::string_view name, const Value& value) {
          fields.add_text(fields.keep(name), fields.keep(value.text));
        },
        &words_passed_over_);
    if (fields.nodes().empty()) return false;
    pairs_ = fields.nodes().size();
    if (words_passed_over_ > 0) fields.add_text("body", line);
    return true;
  }

  /// Text may hold a pair here and there; this has little else.
  bool recognises(std::string_view line, LineFields& scratch) override {
    return decode(line, scratch) && pairs_ >= 2 && words_passed_over_ * 4 <= pairs_;
  }

 private:
  static bool begins_with_pair(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && is_logfmt_name_char(line[at])) ++at;
    return at > 0 && at < line.size() && line[at] == '=';
  }

  std::size_t words_passed_over_ = 0;
  std::size_t pairs_ = 0;
};

}  // namespace

std::unique_ptr<LineFormat> make_logfmt_format() {
  return std::make_unique<LogfmtFormat>();
}

}  // namespace dendro
