#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "query/plan/query_engine.h"
#include "query/plan/query_plan.h"
#include "query/run/query_table.h"

namespace dendro {

/// What a view beside the rows (volume, facets, patterns) looks at: the records that the filter of a query keeps, and
/// the `where` pipes right behind it, which is what the answer of the query calls `matched`.
///
/// `planned`: the whole query. Gives a request for the same records and range, its pipes `pipes` alone; limit, cursor,
/// fields and order of the first are gone. Its text is canonical, so what fails in it has no place in the user's.
QueryRequest scope_request(const PreparedQuery& planned, std::vector<Pipe> pipes);

/// The queries that one view takes, all within the time of the user's. One thread.
class ScopedQueries {
 public:
  /// `planned`: the user's query. `input` can be opened again; `clock` outlives this.
  ScopedQueries(PreparedQuery planned, std::shared_ptr<QueryInput> input, QueryRunOptions options, const Clock& clock)
      : planned_(std::move(planned)),
        input_(std::move(input)),
        options_(std::move(options)),
        clock_(clock),
        deadline_(clock.monotonic() + planned_.plan().request.timeout) {}

  const QueryPlan& plan() const { return planned_.plan(); }
  QueryRequest request(std::vector<Pipe> pipes) const { return scope_request(planned_, std::move(pipes)); }
  /// Errors: those of run_to_table.
  Result<QueryTable> run(QueryRequest request);
  Result<QueryTable> run(std::vector<Pipe> pipes) { return run(request(std::move(pipes))); }

  /// False once one of them was cut; `reason` is the last one's.
  bool is_complete() const { return is_complete_; }
  const std::string& reason() const { return reason_; }

 private:
  const PreparedQuery planned_;
  const std::shared_ptr<QueryInput> input_;
  const QueryRunOptions options_;
  const Clock& clock_;
  const std::chrono::nanoseconds deadline_;
  bool is_complete_ = true;
  std::string reason_ = "end";
};

}  // namespace dendro
