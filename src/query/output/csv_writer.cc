#include "base/utf8.h"
#include "query/output/answer_writer.h"

namespace dendro {
namespace {

/// RFC 4180. A text that a spreadsheet would take for a formula gets a leading apostrophe (query-language.md 9.4).
void append_csv_cell(std::string& out, std::string_view text, bool is_text) {
  std::string cell;
  if (is_text && !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos)
    cell.push_back('\'');
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) {
    append_utf8_lossy(out, cell);
    return;
  }
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  append_utf8_lossy(out, quoted + "\"");
}

class CsvWriter final : public AnswerWriter {
 public:
  explicit CsvWriter(const QueryPlan& plan) : cells_(plan), columns_(answer_columns(plan)) {}
  void begin(std::string& out) override {
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      if (column > 0) out.push_back(',');
      append_csv_cell(out, columns_[column], true);
    }
    out += "\r\n";
  }
  void row(std::string& out, const RowBatch& rows, std::size_t index) override {
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      if (column > 0) out.push_back(',');
      const Value value = cells_.cell(rows, index, column);
      text_.clear();
      append_value_text(text_, value);
      append_csv_cell(out, text_, value.is_string());
    }
    out += "\r\n";
  }
  void end(std::string&, const QueryOutcome&) override {}

 private:
  RowCells cells_;
  const std::vector<std::string> columns_;
  std::string text_;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_csv_writer(const QueryPlan& plan) {
  return std::make_unique<CsvWriter>(plan);
}

}  // namespace dendro
