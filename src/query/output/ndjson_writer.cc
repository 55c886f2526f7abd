#include "base/json_writer.h"
#include "query/output/answer_writer.h"

namespace dendro {
namespace {

class NdjsonWriter final : public AnswerWriter {
 public:
  NdjsonWriter(const QueryPlan& plan, const QueryRunOptions& options)
      : plan_(plan),
        envelope_(options.envelope),
        request_id_(options.request_id),
        records_(plan.output, {plan.request.clip_bytes, plan.request.exact}) {}
  void begin(std::string& out) override {
    if (envelope_) out += "{\"_meta\":" + meta_json(plan_) + "}\n";
  }
  void row(std::string& out, const RowBatch& rows, std::size_t index) override {
    records_.append(out, rows, index);
    out.push_back('\n');
  }
  void progress(std::string& out, double scanned_share, std::uint64_t matched) override {
    if (!envelope_) return;
    out += "{\"_progress\":{\"scanned_share\":";
    append_json_double(out, scanned_share);
    out += ",\"matched\":" + std::to_string(matched) + "}}\n";
  }
  void end(std::string& out, const QueryOutcome& outcome) override {
    if (envelope_) out += "{\"_status\":" + status_json(outcome, request_id_) + "}\n";
  }

 private:
  const QueryPlan& plan_;
  const bool envelope_;
  const std::string request_id_;
  RecordWriter records_;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_ndjson_writer(const QueryPlan& plan, const QueryRunOptions& options) {
  return std::make_unique<NdjsonWriter>(plan, options);
}

}  // namespace dendro
