// RowPipeline pulls, a tail is pushed: the leaf of the pipeline gives what was pushed, then an empty block, and says
// that it was asked in vain. Operators pull only when they hold nothing back, so all rows have come out by then.
#include "services/tail/tail_pipeline.h"

#include <utility>

#include "services/tail/limits.h"

namespace dendro {
namespace {

/// Long enough that a tail never meets it; the sum with a monotonic clock fits.
constexpr std::chrono::hours kNoDeadline{24 * 36'525};

QueryRunOptions options_of_tail(std::shared_ptr<ByteBudget> memory) {
  QueryRunOptions options;
  options.limits.memory_bytes_max = kTailPipeBytes;
  options.limits.shared_memory = std::move(memory);
  return options;
}

}  // namespace

class TailPipeline::PushedBlocks final : public BlockSource {
 public:
  void push(RecordBlock block) {
    newest_batch_ = block.batch;
    blocks_.push_back(std::move(block));
    was_starved_ = false;
  }
  bool was_starved() const { return was_starved_; }

  Result<std::optional<RecordBlock>> next() override {
    RecordBlock block;
    if (blocks_.empty()) {
      was_starved_ = true;
      block.batch = std::exchange(newest_batch_, nullptr);
    } else {
      block = std::move(blocks_.front());
      blocks_.pop_front();
    }
    return std::optional<RecordBlock>(std::move(block));
  }
  Timestamp bound() const override { return kTimestampMin; }
  std::uint64_t scanned_records() const override { return 0; }
  std::uint64_t scanned_bytes() const override { return 0; }

 private:
  std::deque<RecordBlock> blocks_;
  std::shared_ptr<const RecordBatch> newest_batch_;
  bool was_starved_ = false;
};

class TailPipeline::PushedInput final : public QueryInput {
 public:
  Result<std::unique_ptr<BlockSource>> open(const ScanRequest&) override {
    auto blocks = std::make_unique<PushedBlocks>();
    blocks_ = blocks.get();
    return std::unique_ptr<BlockSource>(std::move(blocks));
  }
  bool is_ordered() const override { return false; }
  PushedBlocks& blocks() { return *blocks_; }

 private:
  PushedBlocks* blocks_ = nullptr;  // inside the pipeline
};

TailPipeline::TailPipeline(std::shared_ptr<const TailQuery> query, const Clock& clock,
                           std::shared_ptr<ByteBudget> memory)
    : query_(std::move(query)),
      clock_(clock),
      input_(std::make_shared<PushedInput>()),
      context_(options_of_tail(std::move(memory)), clock, kNoDeadline),
      writer_(query_->plan()->output, {query_->plan()->request.clip_bytes, true}) {}
TailPipeline::~TailPipeline() = default;

Status TailPipeline::push(const RecordBlock& block, std::size_t count, SequenceNumber floor) {
  if (is_over_) return {};
  if (pipeline_ == nullptr) {
    const RunParts parts{*input_, context_, clock_, CancelToken(), std::make_shared<FieldCensus>(), tables_};
    DENDRO_TRY_ASSIGN(pipeline_, RowPipeline::open(query_->plan(), parts));
  }
  RecordBlock wanted{block.batch, block.sequences, block.first_sequence, {}, block.receive_times, {}};
  for (std::size_t i = 0; i < count; ++i) {
    if (block.sequence(block.rows[i]) > floor) wanted.rows.push_back(block.rows[i]);
  }
  if (wanted.rows.empty()) return {};
  input_->blocks().push(std::move(wanted));
  return drain();
}

Status TailPipeline::drain() {
  while (!input_->blocks().was_starved()) {
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, pipeline_->next());
    if (!rows || context_.is_stopped()) is_over_ = true;
    if (rows && !rows->records.empty()) made_.push_back(std::move(*rows));
    if (is_over_) return {};
  }
  return {};
}

void TailPipeline::take_row(std::string& json) {
  writer_.append(json, made_.front(), next_);
  if (++next_ < made_.front().records.size()) return;
  made_.pop_front();
  next_ = 0;
}

}  // namespace dendro
