#include "parse/lines/line_format.h"
#include "record/limits.h"

namespace dendro {
namespace {

/// A JSON object a line, among lines of other formats. Files of nothing but JSON have their own decoder, which joins
/// lines.
class JsonLineFormat final : public LineFormat {
 public:
  ParseFormat format() const override { return ParseFormat::json; }
  double specificity() const override { return 1; }
  bool decode(std::string_view line, LineFields& fields) override {
    if (line.empty() || line.front() != '{') return false;
    const JsonRead read = reader_.read(line, 0);
    const bool is_object = read.kind == JsonRead::Kind::object && !read.is_empty &&
                           line.find_first_not_of(" \t\r", read.end) == std::string_view::npos;
    if (is_object) fields.set(reader_.nodes(), line.size());
    return is_object;
  }

 private:
  JsonReader reader_{kMaxRecordDepth};
};

}  // namespace

std::unique_ptr<LineFormat> make_json_line_format() {
  return std::make_unique<JsonLineFormat>();
}

}  // namespace dendro
