#include "query/output/answer_writer.h"

namespace dendro {
namespace {

/// One document: {"meta":..,"rows":[..],"status":..}.
class JsonAnswerWriter final : public AnswerWriter {
 public:
  JsonAnswerWriter(const QueryPlan& plan, const QueryRunOptions& options)
      : plan_(plan),
        request_id_(options.request_id),
        records_(plan.output, {plan.request.clip_bytes, plan.request.exact}) {}
  void begin(std::string& out) override { out += "{\"meta\":" + meta_json(plan_) + ",\"rows\":["; }
  void row(std::string& out, const RowBatch& rows, std::size_t index) override {
    if (has_rows_) out.push_back(',');
    has_rows_ = true;
    records_.append(out, rows, index);
  }
  void end(std::string& out, const QueryOutcome& outcome) override {
    out += "],\"status\":" + status_json(outcome, request_id_) + "}\n";
  }

 private:
  const QueryPlan& plan_;
  const std::string request_id_;
  RecordWriter records_;
  bool has_rows_ = false;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_json_writer(const QueryPlan& plan, const QueryRunOptions& options) {
  return std::make_unique<JsonAnswerWriter>(plan, options);
}

}  // namespace dendro
