#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "query/plan/query_engine.h"
#include "tests/query/memory_snapshot.h"

namespace dendro {

/// A whole answer, cut into its lines.
struct Answer {
  std::string whole;
  std::vector<std::string> rows;
  std::string meta, status;
  QueryOutcome outcome;
  std::size_t pieces = 0;
};

inline Answer read_answer(QueryRun& run) {
  Answer answer;
  for (;;) {
    auto piece = run.next_piece();
    EXPECT_TRUE(piece.has_value()) << (piece.has_value() ? "" : piece.error().message());
    if (!piece.has_value() || !piece->has_value()) break;
    EXPECT_FALSE((*piece)->empty());
    answer.whole += **piece;
    ++answer.pieces;
  }
  std::size_t first = 0;
  while (first < answer.whole.size()) {
    const std::size_t last = std::min(answer.whole.find('\n', first), answer.whole.size());
    const std::string line = answer.whole.substr(first, last - first);
    first = last + 1;
    if (line.starts_with("{\"_meta\"")) {
      answer.meta = line;
    } else if (line.starts_with("{\"_status\"")) {
      answer.status = line;
    } else if (!line.starts_with("{\"_progress\"")) {
      answer.rows.push_back(line);
    }
  }
  answer.outcome = run.outcome();
  return answer;
}

/// Runs a query that must prepare. `format` ndjson unless said.
inline Answer run_query(const QueryRequest& request, std::shared_ptr<QueryInput> input, const Clock& clock,
                        QueryRunOptions options = {}) {
  QueryFault fault;
  auto prepared = prepare_query(request, fault);
  EXPECT_TRUE(prepared.has_value()) << request.query << "\n" << fault.detail();
  if (!prepared.has_value()) return {};
  auto run = start_query(*prepared, std::move(input), std::move(options), clock);
  return read_answer(*run);
}

inline Timestamp at(const char* text) {
  return *parse_rfc3339(text);
}

}  // namespace dendro
