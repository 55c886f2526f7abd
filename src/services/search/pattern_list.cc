#include "services/search/pattern_list.h"

#include <algorithm>
#include <map>

#include "base/json_document.h"
#include "filter/number.h"
#include "query/rows/row_field.h"
#include "query/run/query_table.h"
#include "record/record_id.h"
#include "services/search/row_scope.h"
#include "services/search/time_edges.h"

namespace dendro {
namespace {

/// Parts of the range that are counted by themselves; the trend adds them up.
constexpr std::size_t kTrendCountsMax = 600;

std::uint64_t cell_count(const Cell& cell) {
  const auto number = number_of_value(cell.value());
  return number && number->is_int64() ? static_cast<std::uint64_t>(number->int64()) : 0;
}
std::string cell_text(const Cell& cell) {
  std::string scratch;
  return cell.is_missing() ? std::string() : std::string(value_text(cell.value(), scratch));
}

class PatternCount {
 public:
  PatternCount(const PatternListRequest& request, const std::shared_ptr<const Snapshot>& snapshot,
               ScopedQueries queries)
      : request_(request), snapshot_(snapshot), queries_(std::move(queries)) {}

  Result<PatternList> run() {
    if (request_.compare) DENDRO_TRY(count_baseline());
    DENDRO_TRY(count());
    if (queries_.is_complete() && !list_.patterns.empty()) DENDRO_TRY(add_trends());
    for (PatternRow& row : list_.patterns) DENDRO_TRY(add_types(row));
    list_.complete = queries_.is_complete();
    list_.reason = queries_.reason();
    return std::move(list_);
  }

 private:
  /// Columns as the `pattern` pipe has them: id, template, hits, share, severity, first, last, sample ids.
  using Cells = std::vector<Cell>;
  /// A template, with the value of the field of `by`.
  struct Group {
    std::string id;
    std::optional<std::string> value;
    friend auto operator<=>(const Group&, const Group&) = default;
  };
  struct Counted {
    Group group;
    Cells cells;
    std::uint64_t hits() const { return cell_count(cells[2]); }
  };
  std::vector<Pipe> every_pattern() const { return {PatternPipe{UINT64_MAX, request_.by}}; }
  static std::optional<std::string> value_of(const Cell& cell) {
    return cell.is_missing() ? std::nullopt : std::optional(cell_text(cell));
  }
  std::vector<Counted> counted(QueryTable& table) const {
    std::vector<Counted> all;
    for (Cells& cells : table.rows) {
      Group group;
      if (!request_.by.empty()) {
        group.value = value_of(cells[0]);
        cells.erase(cells.begin());
      }
      group.id = cell_text(cells[0]);
      all.push_back({std::move(group), std::move(cells)});
    }
    return all;
  }

  Status count_baseline() {
    QueryRequest request = queries_.request(every_pattern());
    request.start = request_.compare->start;
    request.end = request_.compare->end;
    DENDRO_TRY_ASSIGN(QueryTable table, queries_.run(request));
    for (Counted& one : counted(table)) baseline_.emplace(one.group, one.cells);
    QueryFault fault;
    DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(request, fault));
    const double now = length_of(queries_.plan().range), before = length_of(prepared.plan().range);
    if (now <= 0 || before <= 0) {
      return Error(ErrorCode::invalid_argument,
                   "compare: both windows must have a start and an end, and some time between them");
    }
    share_ = now / (now + before);
    return {};
  }
  /// 0 of an open or empty one.
  static double length_of(const TimeRange& range) {
    if (range.first == kTimestampMin || range.last == kTimestampMax || range.last <= range.first) return 0;
    return static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
  }

  /// The rows with those that are gone behind them, and what is said of each.
  std::vector<WindowFinding> compare(std::vector<Counted>& rows) {
    std::vector<WindowCounts> counts;
    std::map<Group, Cells> gone = baseline_;
    for (const Counted& row : rows) {
      const auto before = baseline_.find(row.group);
      counts.push_back({row.hits(), before == baseline_.end() ? 0 : cell_count(before->second[2])});
      gone.erase(row.group);
    }
    std::vector<Counted> rest;
    for (auto& [group, cells] : gone) rest.push_back({group, std::move(cells)});
    std::sort(rest.begin(), rest.end(), [](const Counted& a, const Counted& b) {
      return a.hits() != b.hits() ? a.hits() > b.hits() : a.group < b.group;
    });
    for (Counted& row : rest) {
      counts.push_back({0, row.hits()});
      row.cells[2] = Cell(Value::of_int64(0));
      row.cells[7] = Cell();  // ids of the other window
      rows.push_back(std::move(row));
    }
    baseline_counts_ = counts;
    return find_changes(counts, share_);
  }

  Status count() {
    DENDRO_TRY_ASSIGN(QueryTable table, queries_.run(every_pattern()));
    list_.total_records = table.outcome.matched;
    std::vector<Counted> rows = counted(table);
    std::vector<WindowFinding> changes;
    if (request_.compare) changes = compare(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Cells& cells = rows[i].cells;
      list_.covered_records += cell_count(cells[2]);
      if (cells[5].value().type == ValueType::time) {
        oldest_ = std::min(oldest_, Timestamp(cells[5].value().integer));
        newest_ = std::max(newest_, Timestamp(cells[6].value().integer));
      }
      if (i < request_.offset) continue;
      if (list_.patterns.size() == request_.limit) {
        list_.has_more = true;
        continue;
      }
      PatternRow& row = list_.patterns.emplace_back();
      row.id = rows[i].group.id;
      row.value = rows[i].group.value;
      row.parts = split_pattern(cell_text(cells[1]));
      row.count = cell_count(cells[2]);
      row.severity = cell_text(cells[4]);
      row.first_seen = Timestamp(cells[5].value().integer);
      row.last_seen = Timestamp(cells[6].value().integer);
      row.sample_ids = cells[7].is_missing() ? "[]" : cell_text(cells[7]);
      if (request_.compare) add_change(row, baseline_counts_[i], changes[i]);
    }
    if (list_.covered_records == 0) return {};
    for (PatternRow& row : list_.patterns)
      row.share = static_cast<double>(row.count) / static_cast<double>(list_.covered_records);
    return {};
  }

  void add_change(PatternRow& row, const WindowCounts& counts, const WindowFinding& finding) const {
    row.baseline_count = counts.before;
    row.change = finding.change;
    const double expected = static_cast<double>(counts.before) * share_ / (1 - share_);
    if (expected > 0) row.ratio = static_cast<double>(counts.now) / expected;
  }

  /// Groups are templates times parts of the range: only those of the answer are counted.
  Predicate listed_only() const {
    OneOf ids;
    for (const PatternRow& row : list_.patterns) ids.literals.push_back(Literal::of_string(row.id));
    return Predicate{FieldTest{"_template", std::move(ids)}};
  }

  Status add_trends() {
    TimeRange range = queries_.plan().range;
    if (range.first == kTimestampMin) range.first = oldest_;
    if (range.last == kTimestampMax) range.last = newest_ == kTimestampMax ? newest_ : newest_.next();
    const TimeEdges edges = choose_time_edges(range, *TimeZone::utc(), kTrendCountsMax);
    Bucket bucket;
    bucket.kind = BucketKind::duration;
    bucket.width_ns = std::min(edges.step_ns, kNanosPerDay / 2);
    bucket.text = std::to_string(bucket.width_ns / kNanosPerSecond) + "s";
    StatsPipe stats;
    stats.groups.push_back({"_time", bucket, "t"});
    stats.groups.push_back({"_template", {}, "p"});
    if (!request_.by.empty()) stats.groups.push_back({request_.by, {}, "v"});
    Aggregate hits;
    hits.function = "count";
    hits.column = "n";
    stats.aggregates.push_back(hits);
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run({WherePipe{listed_only()}, stats}));
    std::map<Group, PatternRow*> listed;
    for (PatternRow& row : list_.patterns) listed.emplace(Group{row.id, row.value}, &row);
    const double width = static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
    for (const std::vector<Cell>& cells : table.rows) {
      Group group{cell_text(cells[1]), request_.by.empty() ? std::nullopt : value_of(cells[2])};
      const auto found = listed.find(group);
      if (found == listed.end()) continue;
      const double at = static_cast<double>(cells[0].value().integer) - static_cast<double>(range.first.number());
      const double part = std::clamp(at / width, 0.0, 1.0) * static_cast<double>(kPatternTrendBuckets);
      found->second->trend[std::min(static_cast<std::size_t>(part), kPatternTrendBuckets - 1)] +=
          cell_count(cells.back());
    }
    return {};
  }

  /// Of the newest record: what its body has in the slots.
  Status add_types(PatternRow& row) {
    for (const PatternPart& part : row.parts) {
      if (part.slot) row.slot_types.emplace_back("any");
    }
    const std::size_t quote = row.sample_ids.find('"');
    if (row.slot_types.empty() || quote == std::string::npos) return {};
    const auto position = parse_record_id(std::string_view(row.sample_ids).substr(quote + 1, 26));
    if (!position) return {};
    DENDRO_TRY_ASSIGN(const std::optional<RecordBlock> block, snapshot_->find(*position));
    if (!block || block->rows.empty()) return {};
    RowBatch rows;
    rows.hold(block->batch);
    rows.records.push_back({block->batch.get(), block->rows[0], position->sequence, Timestamp()});
    RowField body("body", RowShape());
    const Value value = body.read(rows, 0);
    if (value.type != ValueType::text) return {};
    const auto values = align_pattern(row.parts, value.text);
    for (std::size_t i = 0; values && i < values->size() && i < row.slot_types.size(); ++i)
      row.slot_types[i] = slot_type((*values)[i]);
    return {};
  }

  const PatternListRequest& request_;
  const std::shared_ptr<const Snapshot> snapshot_;
  ScopedQueries queries_;
  std::map<Group, Cells> baseline_;            ///< rows of the other window
  std::vector<WindowCounts> baseline_counts_;  ///< of each row of the table
  double share_ = 0.5;                         ///< of the query's range in the length of both windows
  Timestamp oldest_ = kTimestampMax, newest_ = kTimestampMin;
  PatternList list_;
};

}  // namespace

Result<PatternList> list_patterns(const PatternListRequest& request, const std::shared_ptr<const Snapshot>& snapshot,
                                  const QueryRunOptions& options, const Clock& clock, QueryFault& fault) {
  QueryRequest query = request.query;
  query.cursor.clear();
  query.fields.clear();
  DENDRO_TRY_ASSIGN(PreparedQuery prepared, prepare_query(query, fault));
  return PatternCount(request, snapshot, {std::move(prepared), make_snapshot_input(snapshot), options, clock}).run();
}

}  // namespace dendro
