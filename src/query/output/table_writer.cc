#include <algorithm>

#include "base/utf8.h"
#include "query/output/answer_writer.h"

namespace dendro {
namespace {

/// Rows gathered before widths are fixed; a terminal's answer is rarely longer.
constexpr std::size_t kMeasuredRows = 1000;
constexpr std::size_t kColumnGap = 2;

/// Columns side by side for a terminal: widths follow the first rows, the last column is cut at the terminal's edge.
class TableWriter final : public AnswerWriter {
 public:
  TableWriter(const QueryPlan& plan, std::size_t width)
      : cells_(plan), columns_(answer_columns(plan)), terminal_width_(width) {}
  void begin(std::string&) override {
    waiting_.push_back(columns_);
    is_right_.assign(columns_.size(), true);
  }
  void row(std::string& out, const RowBatch& rows, std::size_t index) override {
    std::vector<std::string> texts;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const Value value = cells_.cell(rows, index, column);
      if (!is_fixed_ && (value.is_string() || value.type == ValueType::list)) is_right_[column] = false;
      texts.push_back(printable(value));
    }
    if (is_fixed_) {
      append_line(out, texts);
      return;
    }
    waiting_.push_back(std::move(texts));
    if (waiting_.size() > kMeasuredRows) flush(out);
  }
  void end(std::string& out, const QueryOutcome&) override { flush(out); }

 private:
  /// One line, no control characters.
  std::string printable(const Value& value) {
    if (value.is_missing()) return "-";
    std::string text;
    append_utf8_lossy(text, value_text(value, scratch_));
    for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    return text;
  }
  void flush(std::string& out) {
    if (is_fixed_) return;
    is_fixed_ = true;
    widths_.assign(columns_.size(), 0);
    for (const auto& texts : waiting_) {
      for (std::size_t column = 0; column < texts.size(); ++column)
        widths_[column] = std::max(widths_[column], count_code_points(texts[column]));
    }
    for (const auto& texts : waiting_) append_line(out, texts);
    waiting_.clear();
  }
  void append_line(std::string& out, const std::vector<std::string>& texts) const {
    std::string line;
    for (std::size_t column = 0; column < texts.size(); ++column) {
      const std::size_t size = count_code_points(texts[column]);
      const std::string padding(widths_[column] > size ? widths_[column] - size : 0, ' ');
      const bool is_last = column + 1 == texts.size();
      if (column > 0) line.append(kColumnGap, ' ');
      line += is_right_[column] ? padding + texts[column] : is_last ? texts[column] : texts[column] + padding;
    }
    while (line.ends_with(' ')) line.pop_back();
    if (terminal_width_ > 0) cut(line);
    out += line + "\n";
  }
  void cut(std::string& line) const {
    if (count_code_points(line) <= terminal_width_) return;
    std::size_t points = 0;
    std::size_t end = 0;
    while (end < line.size() && points < terminal_width_) {
      ++end;
      while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;
      ++points;
    }
    line.resize(end);
  }

  RowCells cells_;
  const std::vector<std::string> columns_;
  const std::size_t terminal_width_;
  std::vector<std::vector<std::string>> waiting_;
  std::vector<std::size_t> widths_;
  std::vector<bool> is_right_;
  bool is_fixed_ = false;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_table_writer(const QueryPlan& plan, std::size_t width) {
  return std::make_unique<TableWriter>(plan, width);
}

}  // namespace dendro
