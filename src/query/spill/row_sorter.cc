#include "query/spill/row_sorter.h"

#include <algorithm>
#include <utility>

#include "query/edit/record_rewriter.h"

namespace dendro {
namespace {

/// Sorted in about a millisecond.
constexpr std::size_t kChunkRows = 8'192;
/// A chunk that brings in batches of so many bytes is closed: its records are copied out if they are few of them.
constexpr std::uint64_t kChunkBatchBytes = std::uint64_t{32} << 20;
constexpr std::uint64_t kCopiedFromBytes = std::uint64_t{64} << 10;
/// 128 KiB of each, unpacked, are in memory at a time.
constexpr std::size_t kMergedRuns = 48;
constexpr std::size_t kSorterLookRows = 256;

std::uint64_t share_of_batch(const RecordRow& record) {
  return record.batch->encoded().size() / record.batch->size();
}

}  // namespace

/// Rows of chunks and runs, the first of all on top.
class RowSorter::Merge {
  struct Source {
    Chunk* chunk = nullptr;
    std::unique_ptr<RowRunReader> run;
  };
  static SortedRow& row_of(const Source& source) {
    return source.chunk != nullptr ? source.chunk->rows[source.chunk->next] : source.run->row();
  }
  auto comes_later() const {
    return [&order = sorter_.order_](const Source& a, const Source& b) {
      return order.comes_before(row_of(b), row_of(a));
    };
  }

 public:
  explicit Merge(RowSorter& sorter) : sorter_(sorter) {}
  void add(Chunk& chunk) {
    if (chunk.next < chunk.rows.size()) push({&chunk, nullptr});
  }
  Status add(std::unique_ptr<RowRunReader> run) {
    DENDRO_TRY_ASSIGN(const bool has_row, run->prepare());
    if (has_row) push({nullptr, std::move(run)});
    return {};
  }
  bool empty() const { return sources_.empty(); }
  SortedRow& top() { return row_of(sources_.front()); }
  /// Of top(); null of a table.
  std::shared_ptr<const RecordBatch> top_batch() const {
    const Source& source = sources_.front();
    return source.chunk == nullptr ? source.run->batch()
                                   : sorter_.batch_of(source.chunk->rows[source.chunk->next].record);
  }
  /// top() may have been moved from: its keys are not looked at any more.
  Status drop_top() {
    std::pop_heap(sources_.begin(), sources_.end(), comes_later());
    Source& source = sources_.back();
    bool has_more = false;
    if (source.chunk != nullptr) {
      has_more = ++source.chunk->next < source.chunk->rows.size();
      if (!has_more) sorter_.let_go(*source.chunk);
    } else {
      source.run->drop_row();
      DENDRO_TRY_ASSIGN(has_more, source.run->prepare());
    }
    if (has_more) {
      std::push_heap(sources_.begin(), sources_.end(), comes_later());
    } else {
      sources_.pop_back();
    }
    return {};
  }

 private:
  void push(Source source) {
    sources_.push_back(std::move(source));
    std::push_heap(sources_.begin(), sources_.end(), comes_later());
  }

  RowSorter& sorter_;
  std::vector<Source> sources_;
};

RowSorter::RowSorter(RowOrder order, const RowShape& shape, FieldNeed need, WhenFull when_full, QueryContext& context)
    : order_(std::move(order)), shape_(shape), need_(std::move(need)), when_full_(when_full), context_(context) {}

RowSorter::~RowSorter() {
  context_.release(charged_bytes_);
}

Result<bool> RowSorter::add(SortedRow row, const std::shared_ptr<const RecordBatch>& batch) {
  if (batch != nullptr) hold(batch);
  const std::uint64_t bytes = row.bytes();
  open_.rows.push_back(std::move(row));
  open_.bytes += bytes;
  charged_bytes_ += bytes;
  ++size_;
  bool has_room = context_.take(bytes);
  if (open_.rows.size() >= kChunkRows || open_.batch_bytes >= kChunkBatchBytes ||
      (open_.batch_bytes > kCopiedFromBytes && context_.should_spill(charged_bytes_))) {
    close_chunk();
    has_room = context_.take(0);
  }
  if (!context_.should_spill(charged_bytes_) && (has_room || !context_.may_spill(charged_bytes_))) {
    if (has_room || when_full_ == WhenFull::go_on) return true;
    context_.stop(StopReason::memory);
    return false;
  }
  const Status spilled = spill();
  if (!spilled) return go_on_without_files(spilled.error(), has_room);
  return !context_.is_stopped() || when_full_ == WhenFull::go_on;
}

/// Full files are like full memory; what is known stays known.
Result<bool> RowSorter::go_on_without_files(const Error& failure, bool has_room) {
  if (failure.code() != ErrorCode::resource_exhausted) return failure;
  if (when_full_ == WhenFull::go_on && (has_room || context_.is_stopped())) return true;
  context_.warn_once({"spill_limit", failure.message(), 0, 0});
  context_.stop(StopReason::memory);
  return false;
}

void RowSorter::hold(const std::shared_ptr<const RecordBatch>& batch) {
  if (!open_.batches.empty() && open_.batches.back() == batch.get()) return;
  HeldBatch& held = held_[batch.get()];
  if (held.batch == nullptr) {
    held.batch = batch;
    const std::uint64_t bytes = batch->encoded().size();
    open_.batch_bytes += bytes;
    charged_bytes_ += bytes;
    (void)context_.take(bytes);  // add() looks at the sum
  } else if (held.last_chunk == open_number_) {
    return;
  }
  held.last_chunk = open_number_;
  ++held.chunks;
  open_.batches.push_back(batch.get());
}

void RowSorter::let_go(Chunk& chunk) {
  std::uint64_t bytes = std::exchange(chunk.bytes, 0);
  for (const RecordBatch* batch : std::exchange(chunk.batches, {})) {
    const auto held = held_.find(batch);
    if (--held->second.chunks > 0) continue;
    bytes += batch->encoded().size();
    held_.erase(held);
  }
  charged_bytes_ -= bytes;
  context_.release(bytes);
  chunk.rows = {};
  chunk.next = 0;
}

std::shared_ptr<const RecordBatch> RowSorter::batch_of(const RecordRow& record) const {
  return record.batch == nullptr ? nullptr : held_.find(record.batch)->second.batch;
}

void RowSorter::close_chunk() {
  if (open_.rows.empty()) return;
  std::uint64_t share_bytes = 0;
  if (!shape_.is_table) {
    for (const SortedRow& row : open_.rows) share_bytes += share_of_batch(row.record);
    const bool is_sparse = open_.batch_bytes > 2 * share_bytes + kCopiedFromBytes;
    const bool may_spill =
        context_.spill.is_there() &&
        (context_.memory_bytes() > context_.limits.memory_bytes_max / 4 || context_.should_spill(charged_bytes_));
    if (is_sparse || (may_spill && !need_.is_all)) copy_records(open_);
  }
  std::sort(open_.rows.begin(), open_.rows.end(),
            [this](const SortedRow& a, const SortedRow& b) { return order_.comes_before(a, b); });
  chunks_.push_back(std::make_unique<Chunk>(std::move(open_)));
  open_ = Chunk();
  ++open_number_;
}

void RowSorter::copy_records(Chunk& chunk) {
  RowBatch copies;
  if (need_.is_all) {
    RecordBatchBuilder builder{Timestamp()};
    for (const SortedRow& row : chunk.rows) builder.append_copy(row.record.record());
    copies.held.push_back(builder.finish());
    for (std::uint32_t i = 0; i < chunk.rows.size(); ++i) {
      copies.records.push_back(chunk.rows[i].record);
      copies.records.back().batch = copies.held.back().get();
      copies.records.back().row = i;
    }
  } else {
    RecordRewriter rewriter(shape_, need_);
    const RowEdits none;
    for (const SortedRow& row : chunk.rows) rewriter.add(row.record, none);
    rewriter.take(copies);
  }
  std::vector<SortedRow> rows = std::move(chunk.rows);
  const std::uint64_t row_bytes = std::exchange(chunk.bytes, 0);
  let_go(chunk);
  ++open_number_;
  chunk.bytes = row_bytes;
  chunk.batch_bytes = 0;
  chunk.rows = std::move(rows);
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) chunk.rows[i].record = copies.records[i];
  for (const auto& batch : copies.held) hold(batch);
}

Status RowSorter::spill() {
  close_chunk();
  DENDRO_TRY(context_.spill.check_room(charged_bytes_));  // before a row moves: those in memory stay known
  if (file_ == nullptr) {
    DENDRO_TRY_ASSIGN(file_, context_.spill.open_file());
  }
  Merge merge(*this);
  for (const auto& chunk : chunks_) merge.add(*chunk);
  DENDRO_TRY_ASSIGN(RowRun run, write_run(merge, *file_));
  chunks_.clear();
  runs_.push_back(std::move(run));
  return {};
}

/// Ends early when the caller has left.
Result<RowRun> RowSorter::write_run(Merge& merge, SpillFile& file) {
  RowRunWriter writer(file, shape_.is_table);
  for (std::size_t count = 0; !merge.empty(); ++count) {
    if (count % kSorterLookRows == 0 && context_.is_cancelled()) return RowRun();
    DENDRO_TRY(writer.add(merge.top()));
    DENDRO_TRY(merge.drop_top());
  }
  return writer.finish();
}

Result<bool> RowSorter::merge_some_runs() {
  const std::size_t count = std::min(runs_.size(), kMergedRuns);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += runs_[i].bytes();
  if (!context_.spill.check_room(bytes + bytes / 8)) return false;
  if (next_file_ == nullptr) {
    DENDRO_TRY_ASSIGN(next_file_, context_.spill.open_file());
  }
  {
    Merge merge(*this);
    for (std::size_t i = 0; i < count; ++i) DENDRO_TRY(add_run(merge, *file_, std::move(runs_[i])));
    DENDRO_TRY_ASSIGN(RowRun merged, write_run(merge, *next_file_));
    next_runs_.push_back(std::move(merged));
  }
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(count));
  if (!runs_.empty()) return true;
  runs_ = std::exchange(next_runs_, {});
  file_ = std::move(next_file_);
  return true;
}

Status RowSorter::add_run(Merge& merge, SpillFile& file, RowRun run) const {
  return merge.add(std::make_unique<RowRunReader>(file, std::move(run), order_.descending.size(), shape_.is_table));
}

Result<bool> RowSorter::prepare() {
  if (merge_ != nullptr || context_.is_cancelled()) return true;
  close_chunk();
  if (runs_.size() > kMergedRuns || !next_runs_.empty()) {
    DENDRO_TRY_ASSIGN(const bool is_merged, merge_some_runs());
    if (is_merged) return false;
    // No room for another round: all at once then, at the price of a block of each in memory.
  }
  merge_ = std::make_unique<Merge>(*this);
  for (const auto& chunk : chunks_) merge_->add(*chunk);
  for (RowRun& run : runs_) DENDRO_TRY(add_run(*merge_, *file_, std::move(run)));
  for (RowRun& run : next_runs_) DENDRO_TRY(add_run(*merge_, *next_file_, std::move(run)));
  return true;
}

Result<RowBatch> RowSorter::next(std::size_t rows_max) {
  RowBatch out;
  while (merge_ != nullptr && !merge_->empty() && out.size() < rows_max) {
    if (out.size() % kSorterLookRows == 0 && context_.is_cancelled()) return RowBatch();
    SortedRow& row = merge_->top();
    if (shape_.is_table) {
      out.table.push_back(std::move(row.row));
    } else {
      out.hold(merge_->top_batch());
      out.records.push_back(row.record);
    }
    DENDRO_TRY(merge_->drop_top());
  }
  return out;
}

}  // namespace dendro
