#include "query/run/query_table.h"

#include "query/output/answer_writer.h"

namespace dendro {
namespace {

/// Keeps the cells of each row and writes nothing, so that a run goes on until it ends.
class CellKeeper final : public AnswerWriter {
 public:
  CellKeeper(const QueryPlan& plan, std::vector<std::vector<Cell>>& rows) : cells_(plan), rows_(rows) {}
  void begin(std::string&) override {}
  void row(std::string&, const RowBatch& rows, std::size_t index) override {
    std::vector<Cell>& kept = rows_.emplace_back();
    kept.reserve(cells_.count());
    for (std::size_t column = 0; column < cells_.count(); ++column) kept.emplace_back(cells_.cell(rows, index, column));
  }
  void end(std::string&, const QueryOutcome&) override {}

 private:
  RowCells cells_;
  std::vector<std::vector<Cell>>& rows_;
};

}  // namespace

Result<QueryTable> run_to_table(const PreparedQuery& query, std::shared_ptr<QueryInput> input, QueryRunOptions options,
                                const Clock& clock) {
  QueryTable table;
  options.limits.spill = nullptr;  // all rows are kept: files would only put the bounds of memory off
  auto keeper = std::make_unique<CellKeeper>(query.plan(), table.rows);
  const auto run = start_query_into(query, std::move(input), std::move(options), clock, std::move(keeper));
  while (!run->is_finished()) DENDRO_TRY(run->next_piece());
  table.outcome = run->outcome();
  return table;
}

}  // namespace dendro
