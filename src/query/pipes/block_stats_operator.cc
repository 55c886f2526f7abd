#include <cinttypes>
#include <cstdio>

#include "filter/number.h"
#include "query/pipes/operator.h"
#include "storage/block_stats.h"

namespace dendro {
namespace {

/// `block_stats`: a row for each column of each row group, a row group at a time.
class BlockStatsOperator final : public Operator {
 public:
  BlockStatsOperator(OperatorPtr scan, std::unique_ptr<BlockStatsSource> source, QueryContext& context)
      : scan_(std::move(scan)), source_(std::move(source)), context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    if (context_.should_stop()) return std::optional<RowBatch>();
    auto stats = source_->next();
    if (!stats) {
      if (stats.error().code() == ErrorCode::cancelled && context_.should_stop()) return std::optional<RowBatch>();
      if (stats.error().code() != ErrorCode::corruption) return stats.error();
      context_.note_error(stats.error());
      return std::optional<RowBatch>(RowBatch());
    }
    if (!stats->has_value()) return std::optional<RowBatch>();
    RowBatch rows;
    for (const BlockStats& column : **stats) rows.table.push_back(row_of(column));
    return std::optional<RowBatch>(std::move(rows));
  }

 private:
  static Cell count_cell(std::uint64_t count) { return Cell(Number::of_uint64(count).to_value()); }
  static TableRow row_of(const BlockStats& stats) {
    std::array<char, 17> segment{};
    std::snprintf(segment.data(), segment.size(), "%016" PRIx64, stats.segment.number());
    TableRow row;
    row.reserve(kBlockStatsColumns.size());
    row.emplace_back(Value::of_text(segment.data()));
    row.push_back(count_cell(stats.row_group));
    row.emplace_back(Value::of_time(stats.first, 9));
    row.emplace_back(Value::of_time(stats.last, 9));
    row.push_back(count_cell(stats.records));
    row.emplace_back(Value::of_text(stats.field));
    row.push_back(stats.type.empty() ? Cell() : Cell(Value::of_text(stats.type)));
    row.emplace_back(Value::of_text(stats.layout));
    row.push_back(count_cell(stats.values));
    row.push_back(count_cell(stats.plain_bytes));
    row.push_back(count_cell(stats.stored_bytes));
    return row;
  }

  const OperatorPtr scan_;  ///< of the same records; nothing is asked of it
  const std::unique_ptr<BlockStatsSource> source_;
  QueryContext& context_;
};

}  // namespace

OperatorPtr make_block_stats_operator(OperatorPtr scan, std::unique_ptr<BlockStatsSource> source,
                                      QueryContext& context) {
  return std::make_unique<BlockStatsOperator>(std::move(scan), std::move(source), context);
}

}  // namespace dendro
