#include <numeric>
#include <vector>

#include "query/plan/query_input.h"

namespace dendro {
namespace {

/// Batches of a source, kept where they will be wanted again.
class BatchShelf {
 public:
  explicit BatchShelf(RecordSource& source) : source_(source) {}
  void keep() { keeps_ = true; }
  std::optional<SourceCounts> source_counts() const { return source_.source_counts(); }
  bool keeps() const { return keeps_; }
  /// The batch with that number; null behind the last one. Errors: too_large, those of the source.
  Result<std::shared_ptr<const RecordBatch>> batch(std::size_t number) {
    if (number < kept_.size()) return kept_[number];
    if (is_overfull_ && number < read_) {
      return Error(ErrorCode::too_large,
                   "these files are too large to be read twice, as a query inside a query needs; "
                   "ingest them, and ask the store");
    }
    DENDRO_TRY_ASSIGN(std::shared_ptr<const RecordBatch> batch, source_.next());
    if (batch == nullptr) return batch;
    ++read_;
    bytes_ += batch->encoded().size();
    is_overfull_ = is_overfull_ || bytes_ > kKeptInputBytesMax;
    if (keeps_ && !is_overfull_) kept_.push_back(batch);
    return batch;
  }

 private:
  RecordSource& source_;
  bool keeps_ = false;
  bool is_overfull_ = false;
  std::size_t read_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::shared_ptr<const RecordBatch>> kept_;
};

/// Batches of a RecordSource as blocks: in the order of the files, filtered, numbered as they are read.
class SourceBlocks final : public BlockSource {
 public:
  SourceBlocks(std::shared_ptr<BatchShelf> shelf, ScanRequest request)
      : shelf_(std::move(shelf)), request_(std::move(request)) {}

  /// A batch each, also where nothing matches: whoever pulls looks around in between.
  Result<std::optional<RecordBlock>> next() override {
    if (request_.cancel.cancelled()) return Error(ErrorCode::cancelled, "scan: cancelled");
    DENDRO_TRY_ASSIGN(std::shared_ptr<const RecordBatch> batch, shelf_->batch(next_));
    ++next_;
    if (batch == nullptr) {
      at_end_ = true;
      return std::optional<RecordBlock>();
    }
    RecordBlock block;
    block.first_sequence = SequenceNumber(scanned_records_ + 1);
    scanned_records_ += batch->size();
    scanned_bytes_ += batch->encoded().size();
    select(*batch, block.rows);
    block.batch = std::move(batch);
    return std::optional<RecordBlock>(std::move(block));
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

  const std::shared_ptr<BatchShelf> shelf_;
  std::size_t next_ = 0;
  const ScanRequest request_;
  bool at_end_ = false;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

class SourceInput final : public QueryInput {
 public:
  explicit SourceInput(RecordSource& source) : shelf_(std::make_shared<BatchShelf>(source)) {}
  explicit SourceInput(std::unique_ptr<RecordSource> source)
      : owned_(std::move(source)), shelf_(std::make_shared<BatchShelf>(*owned_)) {}
  Result<std::unique_ptr<BlockSource>> open(const ScanRequest& request) override {
    if (is_opened_ && !shelf_->keeps())
      return Error(ErrorCode::invalid_argument, "these files were read already; a second pass needs them opened again");
    is_opened_ = true;
    return std::unique_ptr<BlockSource>(std::make_unique<SourceBlocks>(shelf_, request));
  }
  void expect_passes() override { shelf_->keep(); }
  std::optional<SourceCounts> source_counts() const override { return shelf_->source_counts(); }
  bool is_ordered() const override { return false; }

 private:
  std::unique_ptr<RecordSource> owned_;
  const std::shared_ptr<BatchShelf> shelf_;
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
