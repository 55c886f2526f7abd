#include <numeric>

#include "query/query_input.h"

namespace dendro {
namespace {

/// Batches of a RecordSource as blocks: in the order of the files, filtered, numbered as they are read.
class SourceBlocks final : public BlockSource {
 public:
  SourceBlocks(RecordSource& source, ScanRequest request) : source_(source), request_(std::move(request)) {}

  Result<std::optional<RecordBlock>> next() override {
    for (;;) {
      if (request_.cancel.cancelled()) return Error(ErrorCode::cancelled, "scan: cancelled");
      DENDRO_TRY_ASSIGN(std::shared_ptr<const RecordBatch> batch, source_.next());
      if (batch == nullptr) {
        at_end_ = true;
        return std::optional<RecordBlock>();
      }
      RecordBlock block;
      block.first_sequence = SequenceNumber(scanned_records_ + 1);
      scanned_records_ += batch->size();
      scanned_bytes_ += batch->encoded().size();
      select(*batch, block.rows);
      if (block.rows.empty()) continue;
      block.batch = std::move(batch);
      return std::optional<RecordBlock>(std::move(block));
    }
  }
  Timestamp bound() const override {
    const bool newest_first = request_.order == ScanOrder::newest_first;
    return newest_first == at_end_ ? kTimestampMin : kTimestampMax;
  }
  std::uint64_t scanned_records() const override { return scanned_records_; }
  std::uint64_t scanned_bytes() const override { return scanned_bytes_; }

 private:
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const {
    if (!request_.range.overlaps(batch.min_timestamp(), batch.max_timestamp())) return;
    rows.resize(batch.size());
    std::iota(rows.begin(), rows.end(), 0u);
    const bool is_inside =
        request_.range.contains(batch.min_timestamp()) && request_.range.contains(batch.max_timestamp());
    if (!is_inside) {
      std::erase_if(rows, [&](std::uint32_t row) { return !request_.range.contains(batch.timestamp(row)); });
    }
    if (request_.filter != nullptr && !rows.empty()) request_.filter->select(batch, rows);
  }

  RecordSource& source_;
  const ScanRequest request_;
  bool at_end_ = false;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

class SourceInput final : public QueryInput {
 public:
  explicit SourceInput(RecordSource& source) : source_(source) {}
  explicit SourceInput(std::unique_ptr<RecordSource> source) : owned_(std::move(source)), source_(*owned_) {}
  Result<std::unique_ptr<BlockSource>> open(const ScanRequest& request) override {
    if (is_opened_)
      return Error(ErrorCode::invalid_argument, "these files were read already; a second pass needs them opened again");
    is_opened_ = true;
    return std::unique_ptr<BlockSource>(std::make_unique<SourceBlocks>(source_, request));
  }
  bool is_ordered() const override { return false; }

 private:
  std::unique_ptr<RecordSource> owned_;
  RecordSource& source_;
  bool is_opened_ = false;
};

}  // namespace

std::shared_ptr<QueryInput> make_source_input(RecordSource& source) {
  return std::make_shared<SourceInput>(source);
}
std::shared_ptr<QueryInput> make_source_input(std::unique_ptr<RecordSource> source) {
  return std::make_shared<SourceInput>(std::move(source));
}

}  // namespace dendro
