#include "services/admin/deletion_request.h"

#include <numeric>

#include "filter/compiled_filter.h"
#include "filter/field_name.h"
#include "filter/predicate_text.h"
#include "query/plan/query_engine.h"
#include "query/plan/query_plan.h"
#include "storage/tombstone.h"

namespace dendro {
namespace {

Predicate no_dead_letters() {
  return negation(Predicate{LabelTest{std::string(kSourceLabel), std::string(kDeadLetterSource)}});
}

Error bad_deletion(const std::string& text) {
  return Error(ErrorCode::invalid_argument, text);
}

}  // namespace

Result<PreparedDeletion> prepare_deletion(const DeletionRequest& request, QueryFault& fault) {
  if (request.query.find_first_not_of(" \t\r\n") == std::string::npos) {
    return bad_deletion("query: name what is to be deleted; * is every record of the range");
  }
  QueryRequest query;
  query.query = request.query;
  query.start = request.start;
  query.end = request.end;
  query.now = request.now;
  DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(query, fault));
  const QueryPlan& plan = prepared.plan();
  if (!plan.parsed.pipes.empty()) {
    return bad_deletion("a deletion takes a filter only: leave out the \"|\" and what follows it");
  }
  const auto meaning = plan.scan_filter->meaning();
  if (plan.late_filter != nullptr || !meaning) {
    return bad_deletion("records cannot be deleted by _id or _observed: name their content");
  }
  PreparedDeletion deletion;
  deletion.range = plan.range;
  deletion.predicate = *meaning->predicate;
  if (meaning->excludes_dead_letters) deletion.predicate = all_of({deletion.predicate, no_dead_letters()});
  // The engine says early what it will not keep.
  const Result<std::string> encoded = encode_tombstone_predicate(deletion.predicate);
  if (!encoded) return encoded.error();
  return deletion;
}

std::string deletion_text(const Predicate& predicate) {
  const Predicate unwanted = no_dead_letters();
  if (predicate == unwanted) return to_text(Predicate{Everything{}});
  const auto* all = std::get_if<AllOf>(&predicate.node);
  if (all == nullptr || !(all->parts.back() == unwanted)) return to_text(predicate);
  return to_text(all_of({all->parts.begin(), all->parts.end() - 1}));
}

Result<DeletionCount> count_matches(const Snapshot& snapshot, const PreparedDeletion& deletion,
                                    const CancelToken& cancel) {
  ScanRequest request;
  request.range = deletion.range;
  request.filter = compile_filter(deletion.predicate);
  request.cancel = cancel;
  request.reduction = Reduction();
  const auto source = snapshot.scan(std::move(request));
  DeletionCount count;
  for (;;) {
    const Result<std::optional<RecordBlock>> block = source->next();
    if (!block && block.error().code() != ErrorCode::corruption) return block.error();
    if (!block) {
      count.complete = false;
      continue;
    }
    if (!block->has_value()) return count;
    const std::vector<std::uint32_t>& weights = (*block)->weights;
    count.matched +=
        weights.empty() ? (*block)->rows.size() : std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  }
}

}  // namespace dendro
