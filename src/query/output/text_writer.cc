#include "query/output/answer_writer.h"
#include "record/record_json.h"

namespace dendro {
namespace {

/// Records: the body, a line each; without a body the record's JSON. Tables, and records after `fields`: cells between
/// tabs.
class TextWriter final : public AnswerWriter {
 public:
  explicit TextWriter(const QueryPlan& plan)
      : is_bodies_(!plan.output.is_table && plan.output.kept() == nullptr), cells_(plan), body_("body", RowShape()) {}
  void begin(std::string&) override {}
  void row(std::string& out, const RowBatch& rows, std::size_t index) override {
    if (is_bodies_) {
      append_body(out, rows, index);
    } else {
      for (std::size_t column = 0; column < cells_.count(); ++column) {
        if (column > 0) out.push_back('\t');
        append_text(out, cells_.cell(rows, index, column));
      }
    }
    out.push_back('\n');
  }
  void end(std::string&, const QueryOutcome&) override {}

 private:
  /// Bytes that are no UTF-8 go out as they came in.
  void append_text(std::string& out, const Value& value) { out += value_text(value, scratch_); }
  void append_body(std::string& out, const RowBatch& rows, std::size_t index) {
    const RecordView record = rows.records[index].record();
    bool is_whole = false;
    record.for_each_leaf([&](const Leaf& leaf, const Value&) {
      is_whole = leaf.role == LeafRole::body && leaf.type != ValueType::null;
      return !is_whole;
    });
    if (is_whole) {
      append_text(out, body_.read(rows, index));
    } else {
      append_record_json(out, record);
    }
  }

  const bool is_bodies_;
  RowCells cells_;
  RowField body_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_text_writer(const QueryPlan& plan) {
  return std::make_unique<TextWriter>(plan);
}

}  // namespace dendro
