#include "services/search/facet_list.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "filter/number.h"
#include "query/run/query_table.h"
#include "record/fold.h"
#include "services/search/row_scope.h"

namespace dendro {
namespace {

/// Beyond it the `facets` pipe leaves a field out.
constexpr std::uint64_t kFacetDistinctMax = 10'000;

std::uint64_t facet_hits(const Cell& cell) {
  const auto number = number_of_value(cell.value());
  return number && number->is_int64() ? static_cast<std::uint64_t>(number->int64()) : 0;
}
std::string facet_text(const Cell& cell) {
  std::string scratch;
  return std::string(value_text(cell.value(), scratch));
}
std::string_view facet_type(const Value& value) {
  switch (value.type) {
    case ValueType::boolean:
      return "bool";
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float64:
    case ValueType::number_text:
      return "number";
    case ValueType::list:
      return "list";
    case ValueType::time:
      return "time";
    default:
      return "string";
  }
}

class FacetCount {
 public:
  FacetCount(const FacetListRequest& request, ScopedQueries queries)
      : request_(request), queries_(std::move(queries)) {}

  Result<FacetList> run() {
    DENDRO_TRY(count_fields());
    if (queries_.is_complete() && !list_.fields.empty()) DENDRO_TRY(count_values());
    list_.complete = queries_.is_complete();
    list_.reason = queries_.reason();
    return std::move(list_);
  }

 private:
  /// The fields of the answer with their records.
  Status count_fields() {
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run({FieldNamesPipe{}}));
    std::map<std::string, std::uint64_t, std::less<>> records;
    const std::string wanted = folded(request_.find);
    for (const std::vector<Cell>& row : table.rows) {
      std::string name = facet_text(row[0]);
      if (name == "_id" || name == "_time" || name == "_observed") continue;
      if (folded(name).find(wanted) == std::string::npos) continue;
      records.emplace(std::move(name), facet_hits(row[1]));
    }
    list_.fields_total = records.size();
    if (!request_.fields.empty()) {
      for (const std::string& name : request_.fields) {
        const auto found = records.find(name);
        add_field(name, found == records.end() ? 0 : found->second);
      }
      return {};
    }
    for (const auto& [name, count] : records) add_field(name, count);
    std::sort(list_.fields.begin(), list_.fields.end(), [](const FacetField& a, const FacetField& b) {
      return a.records != b.records ? a.records > b.records : a.name < b.name;
    });
    if (list_.fields.size() > request_.top) list_.fields.resize(request_.top);
    return {};
  }
  void add_field(const std::string& name, std::uint64_t records) {
    FacetField& field = list_.fields.emplace_back();
    field.name = name;
    field.records = records;
  }

  /// All values of the fields, of which the first are shown: so `distinct` is counted, not estimated.
  Status count_values() {
    FieldsPipe kept;
    for (const FacetField& field : list_.fields) kept.names.push_back({field.name, false});
    FacetsPipe facets;
    facets.count = kFacetDistinctMax;
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run({kept, facets}));
    std::map<std::string, FacetField*, std::less<>> by_name;
    for (FacetField& field : list_.fields) by_name.emplace(field.name, &field);
    for (const std::vector<Cell>& row : table.rows) {
      const auto found = by_name.find(facet_text(row[0]));
      if (found == by_name.end()) continue;
      FacetField& field = *found->second;
      const std::string_view type = facet_type(row[1].value());
      if (field.distinct == 0) field.type = type;
      if (field.type != type) field.type = "string";
      ++field.distinct;
      if (field.values.size() < request_.values) field.values.emplace_back(facet_text(row[1]), facet_hits(row[2]));
    }
    for (FacetField& field : list_.fields) {
      if (!was_left_out(table.outcome, field.name)) continue;
      field.distinct = kFacetDistinctMax;
      field.distinct_exact = false;
      DENDRO_TRY(read_type(field));
    }
    return {};
  }

  /// Of a field without values: the type of the newest one.
  Status read_type(FacetField& field) {
    LimitPipe one;
    one.count = 1;
    FieldsPipe kept;
    kept.names.push_back({field.name, false});
    DENDRO_TRY_ASSIGN(const QueryTable table,
                      queries_.run({WherePipe{Predicate{FieldTest{field.name, Exists{}}}}, one, kept}));
    if (!table.rows.empty()) field.type = facet_type(table.rows[0][0].value());
    return {};
  }
  /// The pipe says so in words only.
  static bool was_left_out(const QueryOutcome& outcome, const std::string& name) {
    return std::any_of(outcome.warnings.begin(), outcome.warnings.end(), [&name](const QueryWarning& warning) {
      return warning.code == "facets_limit" && warning.message.starts_with("\"" + name + "\" ");
    });
  }

  const FacetListRequest& request_;
  ScopedQueries queries_;
  FacetList list_;
};

}  // namespace

Result<FacetList> list_facets(const FacetListRequest& request, const std::shared_ptr<QueryInput>& input,
                              const QueryRunOptions& options, const Clock& clock, QueryFault& fault) {
  QueryRequest query = request.query;
  query.cursor.clear();
  query.fields.clear();
  DENDRO_TRY_ASSIGN(PreparedQuery prepared, prepare_query(query, fault));
  return FacetCount(request, {std::move(prepared), input, options, clock}).run();
}

}  // namespace dendro
