#include "base/bytes.h"
#include "base/checksum.h"
#include "query/pipes/operator.h"

namespace dendro {
namespace {

/// `sample n`: about one row in n. A record's time and sequence decide, so that the same query gives the same rows; of
/// a table every n-th row stays.
class SampleOperator final : public Operator {
 public:
  SampleOperator(OperatorPtr input, std::uint64_t one_in) : input_(std::move(input)), one_in_(one_in) {}

  Result<std::optional<RowBatch>> next() override {
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (!rows) return rows;
    std::erase_if(rows->records, [this](const RecordRow& row) { return place_hash(row.position()) % one_in_ != 0; });
    std::erase_if(rows->table, [this](const TableRow&) { return ordinal_++ % one_in_ != 0; });
    return rows;
  }

 private:
  static std::uint64_t place_hash(RecordPosition position) {
    std::string bytes;
    append_le(bytes, position.timestamp.number());
    append_le(bytes, position.sequence.number());
    return xxh3(bytes, HashSeed(0));
  }
  OperatorPtr input_;
  const std::uint64_t one_in_;
  std::uint64_t ordinal_ = 0;
};

}  // namespace

OperatorPtr make_sample_operator(OperatorPtr input, std::uint64_t one_in) {
  return std::make_unique<SampleOperator>(std::move(input), one_in);
}

}  // namespace dendro
