#include "query/output/explain_writer.h"

#include <algorithm>
#include <chrono>

#include "base/json_writer.h"
#include "filter/predicate_text.h"
#include "query/plan/query_profile.h"

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

/// Of one plan, what it did; null where it did not run.
const PipelineProfile* find_profile(const QueryOutcome* outcome, const std::string& name) {
  if (outcome == nullptr || outcome->profile == nullptr) return nullptr;
  const auto found = outcome->profile->pipelines.find(name);
  return found == outcome->profile->pipelines.end() ? nullptr : &found->second;
}

/// False of files, of nothing stored, and of a caller who may not see everything.
bool has_been_told(const ScanCounts& counts) {
  return counts.segments.total() + counts.memtable_batches + counts.memtable_batches_outside > 0;
}

std::chrono::nanoseconds own_time(const OperatorProfile& step, const OperatorProfile& before) {
  return step.time > before.time ? step.time - before.time : std::chrono::nanoseconds(0);
}

std::int64_t microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

/// Rows and time of a step; the step before it.
struct StepWork {
  const OperatorProfile* own = nullptr;
  const OperatorProfile* before = nullptr;
};
/// Nothing where the plan that ran has other steps than the one shown.
std::optional<StepWork> work_of(const PipelineProfile* profile, std::size_t step) {
  if (profile == nullptr || step >= profile->steps.size()) return std::nullopt;
  return StepWork{&profile->steps[step], step == 0 ? &profile->ordered : &profile->steps[step - 1]};
}

class ExplainJson {
 public:
  /// `outcome`: null where nothing ran.
  ExplainJson(std::string& out, const QueryOutcome* outcome) : json_(out), outcome_(outcome) {}

  void write(const QueryPlan& plan, const std::string& request_id) {
    json_.begin_object();
    json_.key("plan");
    json_.begin_object();
    write_plan(plan, "");
    json_.end_object();
    if (outcome_ != nullptr) write_read(request_id);
    json_.end_object();
  }

 private:
  void write_plan(const QueryPlan& plan, const std::string& name) {
    const PipelineProfile* const profile = find_profile(outcome_, name);
    json_.member("query", to_text(plan.parsed));
    json_.key("scan");
    write_scan(plan, profile);
    json_.key("steps");
    json_.begin_array();
    for (std::size_t i = 0; i < plan.steps.size(); ++i) write_step(plan.steps[i], work_of(profile, i));
    json_.end_array();
    json_.member("gives", plan.output.is_table ? "table" : "records");
    json_.key("queries_inside");
    json_.begin_array();
    for (const SubPlan& sub : plan.subplans) {
      json_.begin_object();
      write_plan(*sub.plan, sub.text);
      json_.end_object();
    }
    json_.end_array();
  }

  void write_scan(const QueryPlan& plan, const PipelineProfile* profile) {
    json_.begin_object();
    const TimeRange range = plan.scan_range();
    if (range.first != kTimestampMin) json_.member("start", to_rfc3339(range.first));
    if (range.last != kTimestampMax) json_.member("end", to_rfc3339(range.last));
    json_.member("reads", reading_text(plan));
    json_.member("leaves_out_dead_letters", plan.excludes_dead_letters);
    json_.member("needs", plan.reduction ? plan.reduction->fields : need_names(fields_needed_from(plan, 0)));
    json_.key("filter");
    json_.begin_array();
    for (const ScanPart& part : scan_parts(plan)) {
      json_.begin_object();
      json_.member("part", part.text);
      json_.member("asked_by", part.asked_by);
      json_.end_object();
    }
    json_.end_array();
    if (profile != nullptr) {
      json_.member("rows_out", profile->scanned.rows);
      json_.member("elapsed_us", microseconds(profile->ordered.time));
      if (const ScanCounts counts = profile->scan->counts(); has_been_told(counts)) write_counts(counts);
    }
    json_.end_object();
  }

  void write_counts(const ScanCounts& counts) {
    json_.key("segments");
    write_fates(counts.segments);
    json_.key("row_groups");
    write_fates(counts.row_groups);
    json_.key("memtable");
    json_.begin_object();
    json_.member("batches", counts.memtable_batches);
    json_.member("batches_outside_range", counts.memtable_batches_outside);
    json_.member("records", counts.memtable_records);
    json_.end_object();
    json_.key("records");
    json_.begin_object();
    json_.member("tested", counts.records_tested + counts.memtable_records);
    json_.member("rebuilt", counts.read.records_rebuilt);
    json_.end_object();
    json_.key("templates");
    json_.begin_object();
    json_.member("yes", counts.read.templates_yes);
    json_.member("no", counts.read.templates_no);
    json_.member("maybe", counts.read.templates_maybe);
    json_.end_object();
    json_.key("columns");
    json_.begin_array();
    for (std::size_t i = 0; i < kColumnKinds; ++i) {
      const ReadTally::Kind& kind = counts.read.kinds[i];
      if (kind.pieces == 0) continue;
      json_.begin_object();
      json_.member("kind", column_kind_name(static_cast<ColumnKind>(i)));
      json_.member("pieces", kind.pieces);
      json_.member("cached", kind.cached);
      json_.member("stored_bytes", kind.stored_bytes);
      json_.member("bytes", kind.plain_bytes);
      json_.end_object();
    }
    json_.end_array();
  }

  void write_fates(const FateCounts& fates) {
    json_.begin_object();
    json_.member("seen", fates.total());
    for (std::size_t i = 0; i < kScanFates; ++i)
      json_.member(scan_fate_name(static_cast<ScanFate>(i)), fates.counts[i]);
    json_.end_object();
  }

  void write_step(const QueryStep& step, const std::optional<StepWork>& work) {
    json_.begin_object();
    json_.member("pipe", to_text(step.pipe));
    json_.member("takes", step.input.is_table ? "table" : "records");
    if (!step.input.columns.empty()) json_.member("columns", step.input.columns);
    if (work) {
      json_.member("rows_in", work->before->rows);
      json_.member("rows_out", work->own->rows);
      json_.member("elapsed_us", microseconds(own_time(*work->own, *work->before)));
    }
    json_.end_object();
  }

  void write_read(const std::string& request_id) {
    const QueryOutcome& outcome = *outcome_;
    json_.key("read");
    json_.begin_object();
    json_.member("records", outcome.scanned_records);
    json_.member("bytes", outcome.scanned_bytes);
    json_.member("spilled_bytes", outcome.spilled_bytes);
    json_.member("matched", outcome.matched);
    json_.member("matched_exact", outcome.matched_exact);
    json_.member("returned", outcome.returned);
    json_.member("elapsed_ms", outcome.elapsed_ms);
    json_.member("complete", outcome.complete);
    json_.member("reason", outcome.reason);
    json_.member("request_id", request_id);
    if (outcome.profile != nullptr && outcome.profile->source) {
      const SourceCounts& source = *outcome.profile->source;
      json_.key("files");
      json_.begin_object();
      json_.member("files", source.files);
      json_.member("bytes", source.bytes);
      json_.member("unpacked_bytes", source.plain_bytes);
      json_.member("lines", source.lines);
      json_.end_object();
    }
    json_.end_object();
  }

  JsonWriter json_;
  const QueryOutcome* const outcome_;
};

/// The same for eyes: what is 0 is left out.
class ExplainText {
 public:
  ExplainText(std::string& out, const QueryOutcome* outcome) : out_(out), outcome_(outcome) {}

  void write(const QueryPlan& plan) {
    write_plan(plan, "", "");
    if (outcome_ != nullptr) write_outcome();
  }

 private:
  void write_plan(const QueryPlan& plan, const std::string& name, const std::string& indent) {
    const PipelineProfile* const profile = find_profile(outcome_, name);
    out_ += indent + "query   " + to_text(plan.parsed) + "\n";
    const TimeRange range = plan.scan_range();
    out_ += indent + "scan    " + (range.first == kTimestampMin ? "the beginning" : to_rfc3339(range.first)) + " to " +
            (range.last == kTimestampMax ? "the end" : to_rfc3339(range.last)) + ", " + reading_text(plan) + "\n";
    for (const ScanPart& part : scan_parts(plan))
      out_ += indent + "  filter  " + part.text + "  [" + std::string(part.asked_by) + "]\n";
    out_ += indent + "  needs   " +
            join_names(plan.reduction ? plan.reduction->fields : need_names(fields_needed_from(plan, 0))) + "\n";
    if (plan.excludes_dead_letters) out_ += indent + "  leaves out dead letters\n";
    if (profile != nullptr) write_scan_work(*profile, indent + "  ");
    for (std::size_t i = 0; i < plan.subplans.size(); ++i) {
      out_ += indent + "inside  query " + std::to_string(i + 1) + ", first:\n";
      write_plan(*plan.subplans[i].plan, plan.subplans[i].text, indent + "  ");
    }
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const QueryStep& step = plan.steps[i];
      out_ += indent + "step " + std::to_string(i + 1) + "  " + to_text(step.pipe) + "  [" +
              (step.input.is_table ? "table: " + join_names(step.input.columns) : std::string("records")) + "]" +
              work_text(work_of(profile, i)) + "\n";
    }
  }

  static std::string work_text(const std::optional<StepWork>& work) {
    if (!work) return {};
    return "  " + std::to_string(work->before->rows) + " -> " + std::to_string(work->own->rows) + ", " +
           std::to_string(microseconds(own_time(*work->own, *work->before))) + " us";
  }

  void write_scan_work(const PipelineProfile& profile, const std::string& indent) {
    const ScanCounts counts = profile.scan->counts();
    if (has_been_told(counts)) {
      write_fates("segments", counts.segments, indent);
      write_fates("row groups", counts.row_groups, indent);
      if (counts.memtable_batches + counts.memtable_batches_outside > 0) {
        out_ += indent + "memtable  " + std::to_string(counts.memtable_records) + " records in " +
                std::to_string(counts.memtable_batches) + " batches";
        if (counts.memtable_batches_outside > 0)
          out_ += ", " + std::to_string(counts.memtable_batches_outside) + " outside the range";
        out_ += "\n";
      }
      const ReadTally& read = counts.read;
      if (read.templates_yes + read.templates_no + read.templates_maybe > 0) {
        out_ += indent + "templates  yes " + std::to_string(read.templates_yes) + ", no " +
                std::to_string(read.templates_no) + ", maybe " + std::to_string(read.templates_maybe) + "\n";
      }
      for (std::size_t i = 0; i < kColumnKinds; ++i) write_column(static_cast<ColumnKind>(i), read.kinds[i], indent);
      out_ += indent + "records  tested " + std::to_string(counts.records_tested + counts.memtable_records) +
              ", rebuilt " + std::to_string(read.records_rebuilt) + "\n";
    }
    out_ += indent + "gave    " + std::to_string(profile.scanned.rows) + " records, " +
            std::to_string(microseconds(profile.ordered.time)) + " us\n";
  }

  void write_fates(std::string_view what, const FateCounts& fates, const std::string& indent) {
    if (fates.total() == 0) return;
    out_ += indent + std::string(what) + "  " + std::to_string(fates.total()) + ":";
    std::string_view comma = " ";
    for (std::size_t i = 0; i < kScanFates; ++i) {
      if (fates.counts[i] == 0) continue;
      std::string name(scan_fate_name(static_cast<ScanFate>(i)));
      std::replace(name.begin(), name.end(), '_', ' ');
      out_ += std::string(comma) + name + " " + std::to_string(fates.counts[i]);
      comma = ", ";
    }
    out_ += "\n";
  }

  void write_column(ColumnKind which, const ReadTally::Kind& kind, const std::string& indent) {
    if (kind.pieces == 0) return;
    out_ += indent + "column  " + std::string(column_kind_name(which)) + ": " + std::to_string(kind.pieces) +
            " pieces, " + std::to_string(kind.cached) + " cached, " + std::to_string(kind.stored_bytes) +
            " bytes read, " + std::to_string(kind.plain_bytes) + " unpacked\n";
  }

  void write_outcome() {
    const QueryOutcome& outcome = *outcome_;
    if (outcome.profile != nullptr && outcome.profile->source) {
      const SourceCounts& source = *outcome.profile->source;
      out_ += "files   " + std::to_string(source.files) + ", " + std::to_string(source.bytes) + " bytes, " +
              std::to_string(source.plain_bytes) + " unpacked, " + std::to_string(source.lines) + " lines\n";
    }
    out_ += "read    " + std::to_string(outcome.scanned_records) + " records, " +
            std::to_string(outcome.scanned_bytes) + " bytes, " + std::to_string(outcome.elapsed_ms) + " ms\n";
    if (outcome.spilled_bytes > 0) out_ += "spilled " + std::to_string(outcome.spilled_bytes) + " bytes\n";
    out_ += "matched " + std::to_string(outcome.matched) + (outcome.matched_exact ? "" : " so far") + ", rows " +
            std::to_string(outcome.returned) + ", " +
            (outcome.complete ? "complete" : "incomplete (" + outcome.reason + ")") + "\n";
  }

  std::string& out_;
  const QueryOutcome* const outcome_;
};

class ExplainWriter final : public AnswerWriter {
 public:
  ExplainWriter(const QueryPlan& plan, const QueryRunOptions& options)
      : plan_(plan),
        request_id_(options.request_id),
        is_json_(options.format == OutputFormat::ndjson || options.format == OutputFormat::json) {}
  void begin(std::string&) override {}
  void row(std::string&, const RowBatch&, std::size_t) override {}
  void end(std::string& out, const QueryOutcome& outcome) override {
    const QueryOutcome* const what_ran = plan_.request.explain == ExplainMode::analyze ? &outcome : nullptr;
    if (is_json_) {
      ExplainJson(out, what_ran).write(plan_, request_id_);
      out.push_back('\n');
    } else {
      ExplainText(out, what_ran).write(plan_);
    }
  }

 private:
  const QueryPlan& plan_;
  const std::string request_id_;
  const bool is_json_;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_explain_writer(const QueryPlan& plan, const QueryRunOptions& options) {
  return std::make_unique<ExplainWriter>(plan, options);
}

}  // namespace dendro
