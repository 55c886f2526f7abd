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
    DENDRO_TRY(count());
    if (queries_.is_complete() && !list_.patterns.empty()) DENDRO_TRY(add_trends());
    for (PatternRow& row : list_.patterns) DENDRO_TRY(add_types(row));
    list_.complete = queries_.is_complete();
    list_.reason = queries_.reason();
    return std::move(list_);
  }

 private:
  /// Columns as the `pattern` pipe has them: id, template, hits, share, severity, first, last, sample ids.
  Status count() {
    PatternPipe all;
    all.count = UINT64_MAX;
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run({all}));
    list_.total_records = table.outcome.matched;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const std::vector<Cell>& cells = table.rows[i];
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
      row.id = cell_text(cells[0]);
      row.parts = split_pattern(cell_text(cells[1]));
      row.count = cell_count(cells[2]);
      row.severity = cell_text(cells[4]);
      row.first_seen = Timestamp(cells[5].value().integer);
      row.last_seen = Timestamp(cells[6].value().integer);
      row.sample_ids = cells[7].is_missing() ? "[]" : cell_text(cells[7]);
    }
    for (PatternRow& row : list_.patterns)
      row.share = static_cast<double>(row.count) / static_cast<double>(list_.covered_records);
    return {};
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
    Aggregate hits;
    hits.function = "count";
    hits.column = "n";
    stats.aggregates.push_back(hits);
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run({WherePipe{listed_only()}, stats}));
    std::map<std::string, PatternRow*, std::less<>> by_id;
    for (PatternRow& row : list_.patterns) by_id.emplace(row.id, &row);
    const double width = static_cast<double>(range.last.number()) - static_cast<double>(range.first.number());
    for (const std::vector<Cell>& cells : table.rows) {
      const auto found = by_id.find(cell_text(cells[1]));
      if (found == by_id.end()) continue;
      const double at = static_cast<double>(cells[0].value().integer) - static_cast<double>(range.first.number());
      const double part = std::clamp(at / width, 0.0, 1.0) * static_cast<double>(kPatternTrendBuckets);
      found->second->trend[std::min(static_cast<std::size_t>(part), kPatternTrendBuckets - 1)] += cell_count(cells[2]);
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
