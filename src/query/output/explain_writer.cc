#include "query/output/explain_writer.h"

#include "base/json_writer.h"
#include "filter/predicate_text.h"

namespace dendro {
namespace {

/// How a part of the scan's filter is asked; the same words in both forms.
struct AskedBy {
  std::string_view operator()(const TimeTest&) const {
    return "range of time: other segments and row groups are not read";
  }
  std::string_view operator()(const LabelTest&) const { return "labels: streams without them are not read"; }
  std::string_view operator()(const LabelMatch&) const { return "labels: streams without them are not read"; }
  std::string_view operator()(const SeverityTest&) const { return "column of severities"; }
  std::string_view operator()(const FieldTest& test) const {
    return test.field == "_template" ? "templates" : of(test.condition);
  }
  std::string_view operator()(const Everything&) const { return "nothing: every record"; }
  std::string_view operator()(const Negation&) const { return "what it denies, turned round"; }
  std::string_view operator()(const AllOf&) const { return "its parts, all of them"; }
  std::string_view operator()(const AnyOf&) const { return "its parts, one of them"; }
  template <typename Other>
  std::string_view operator()(const Other&) const {
    return "each record that is left";
  }

 private:
  static std::string_view of(const Condition& condition) {
    if (std::holds_alternative<RegexMatch>(condition))
      return "literals of the expression where it has any, then the text";
    if (const auto* pattern = std::get_if<TextPattern>(&condition)) {
      return pattern->open_start && pattern->open_end ? "pieces of words in templates and columns"
                                                      : "words in templates and columns";
    }
    return "columns of the field";
  }
};

struct ScanPart {
  std::string text;
  std::string_view asked_by;
};

std::vector<ScanPart> scan_parts(const QueryPlan& plan) {
  std::vector<ScanPart> parts;
  const auto add = [&](const Predicate& part) {
    const bool is_late = plan.context_filter != nullptr && !std::holds_alternative<TimeTest>(part.node);
    parts.push_back({to_text(part), is_late ? "each record of the range" : std::visit(AskedBy{}, part.node)});
  };
  const auto add_all = [&add](const Predicate& filter) {
    const auto* all = std::get_if<AllOf>(&filter.node);
    if (all == nullptr) {
      if (!std::holds_alternative<Everything>(filter.node)) add(filter);
      return;
    }
    for (const Predicate& part : all->parts) add(part);
  };
  add_all(plan.parsed.filter);
  for (const Pipe& pipe : plan.parsed.pipes) {
    const auto* where = std::get_if<WherePipe>(&pipe);
    if (where == nullptr) break;
    add_all(where->filter);
  }
  return parts;
}

std::string join_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> need_names(const FieldNeed& need) {
  std::vector<std::string> names;
  if (need.is_all) names.emplace_back("*");
  for (const NamePattern& name : need.names) names.push_back(name.name + (name.is_prefix ? "*" : ""));
  return names;
}

/// What leads from records to the first step, in words.
std::string reading_text(const QueryPlan& plan) {
  if (plan.reduction) return "columns only: records that agree in what the first step looks at come as one";
  if (plan.context_filter != nullptr) return "every record of the range; those that match are marked";
  if (!plan.needs_order) return "in any order";
  std::string text = plan.request.order == ScanOrder::newest_first ? "newest first" : "oldest first";
  if (plan.rows_needed != 0) text += ", until " + std::to_string(plan.rows_needed) + " match";
  return text;
}

class ExplainWriter final : public AnswerWriter {
 public:
  ExplainWriter(const QueryPlan& plan, const QueryRunOptions& options)
      : plan_(plan),
        request_id_(options.request_id),
        is_json_(options.format == OutputFormat::ndjson || options.format == OutputFormat::json) {}
  void begin(std::string&) override {}
  void row(std::string&, const RowBatch&, std::size_t) override {}
  void end(std::string& out, const QueryOutcome& outcome) override {
    if (is_json_) {
      JsonWriter json(out);
      write_json(json, plan_, outcome);
      out.push_back('\n');
    } else {
      write_text(out, plan_, "");
      write_outcome(out, outcome);
    }
  }

 private:
  void write_plan(JsonWriter& json, const QueryPlan& plan) const {
    json.member("query", to_text(plan.parsed));
    json.key("scan");
    json.begin_object();
    const TimeRange range = plan.scan_range();
    if (range.first != kTimestampMin) json.member("start", to_rfc3339(range.first));
    if (range.last != kTimestampMax) json.member("end", to_rfc3339(range.last));
    json.member("reads", reading_text(plan));
    json.member("leaves_out_dead_letters", plan.excludes_dead_letters);
    json.member("needs", plan.reduction ? plan.reduction->fields : need_names(fields_needed_from(plan, 0)));
    json.key("filter");
    json.begin_array();
    for (const ScanPart& part : scan_parts(plan)) {
      json.begin_object();
      json.member("part", part.text);
      json.member("asked_by", part.asked_by);
      json.end_object();
    }
    json.end_array();
    json.end_object();
    json.key("steps");
    json.begin_array();
    for (const QueryStep& step : plan.steps) {
      json.begin_object();
      json.member("pipe", to_text(step.pipe));
      json.member("takes", step.input.is_table ? "table" : "records");
      if (!step.input.columns.empty()) json.member("columns", step.input.columns);
      json.end_object();
    }
    json.end_array();
    json.member("gives", plan.output.is_table ? "table" : "records");
    json.key("queries_inside");
    json.begin_array();
    for (const SubPlan& sub : plan.subplans) {
      json.begin_object();
      write_plan(json, *sub.plan);
      json.end_object();
    }
    json.end_array();
  }
  void write_json(JsonWriter& json, const QueryPlan& plan, const QueryOutcome& outcome) const {
    json.begin_object();
    json.key("plan");
    json.begin_object();
    write_plan(json, plan);
    json.end_object();
    json.key("read");
    json.begin_object();
    json.member("records", outcome.scanned_records);
    json.member("bytes", outcome.scanned_bytes);
    json.member("spilled_bytes", outcome.spilled_bytes);
    json.member("matched", outcome.matched);
    json.member("matched_exact", outcome.matched_exact);
    json.member("returned", outcome.returned);
    json.member("elapsed_ms", outcome.elapsed_ms);
    json.member("complete", outcome.complete);
    json.member("reason", outcome.reason);
    json.member("request_id", request_id_);
    json.end_object();
    json.end_object();
  }

  static void write_text(std::string& out, const QueryPlan& plan, const std::string& indent) {
    out += indent + "query   " + to_text(plan.parsed) + "\n";
    const TimeRange range = plan.scan_range();
    out += indent + "scan    " + (range.first == kTimestampMin ? "the beginning" : to_rfc3339(range.first)) + " to " +
           (range.last == kTimestampMax ? "the end" : to_rfc3339(range.last)) + ", " + reading_text(plan) + "\n";
    for (const ScanPart& part : scan_parts(plan))
      out += indent + "  filter  " + part.text + "  [" + std::string(part.asked_by) + "]\n";
    out += indent + "  needs   " +
           join_names(plan.reduction ? plan.reduction->fields : need_names(fields_needed_from(plan, 0))) + "\n";
    if (plan.excludes_dead_letters) out += indent + "  leaves out dead letters\n";
    for (std::size_t i = 0; i < plan.subplans.size(); ++i) {
      out += indent + "inside  query " + std::to_string(i + 1) + ", first:\n";
      write_text(out, *plan.subplans[i].plan, indent + "  ");
    }
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const QueryStep& step = plan.steps[i];
      out += indent + "step " + std::to_string(i + 1) + "  " + to_text(step.pipe) + "  [" +
             (step.input.is_table ? "table: " + join_names(step.input.columns) : std::string("records")) + "]\n";
    }
  }
  static void write_outcome(std::string& out, const QueryOutcome& outcome) {
    out += "read    " + std::to_string(outcome.scanned_records) + " records, " + std::to_string(outcome.scanned_bytes) +
           " bytes, " + std::to_string(outcome.elapsed_ms) + " ms\n";
    if (outcome.spilled_bytes > 0) out += "spilled " + std::to_string(outcome.spilled_bytes) + " bytes\n";
    out += "matched " + std::to_string(outcome.matched) + (outcome.matched_exact ? "" : " so far") + ", rows " +
           std::to_string(outcome.returned) + ", " +
           (outcome.complete ? "complete" : "incomplete (" + outcome.reason + ")") + "\n";
  }

  const QueryPlan& plan_;
  const std::string request_id_;
  const bool is_json_;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_explain_writer(const QueryPlan& plan, const QueryRunOptions& options) {
  return std::make_unique<ExplainWriter>(plan, options);
}

}  // namespace dendro
