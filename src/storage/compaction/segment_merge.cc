#include "storage/compaction/segment_merge.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "record/record_batch_builder.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/segment_recompress.h"

namespace dendro {
namespace {

constexpr std::size_t kMergeSliceRows = 4'096;
/// Too small to keep a piece: a merge reads each once, and decoders hold what they use.
constexpr std::size_t kMergeCacheBytes = 0;

/// Walks the records of one input in order, slice by slice. What lies ahead is not read before it is its turn.
class MergeCursor {
 public:
  explicit MergeCursor(const Segment& segment) : segment_(segment) {}

  /// Errors: those of Segment::tables.
  Status open() {
    DENDRO_TRY_ASSIGN(tables_, segment_.tables());
    return {};
  }
  bool at_end() const {
    return row_ == block_.rows.size() && !has_more_slices() && group_ == tables_->row_groups.size();
  }
  /// Of the next record; where it is not read yet, a place at or before it.
  RecordPosition position() const {
    if (row_ < block_.rows.size()) return block_.position(block_.rows[row_]);
    if (has_more_slices()) return {last_.timestamp, last_.sequence.next()};
    return {tables_->row_groups[group_].min_timestamp, SequenceNumber()};
  }
  bool is_read() const { return row_ < block_.rows.size(); }
  const Segment& segment() const { return segment_; }
  const RecordBlock& block() const { return block_; }

  /// Reads the next slice. Only if the one before is used up and at_end() is false. Errors: those of RecordDecoder.
  Status read_slice() {
    if (!has_more_slices()) DENDRO_TRY(open_row_group());
    const RowGroupEntry& entry = reader_->entry();
    const std::uint32_t count = std::min<std::uint32_t>(kMergeSliceRows, entry.record_count - next_row_);
    std::vector<std::uint32_t> rows(count);
    std::iota(rows.begin(), rows.end(), next_row_);
    DENDRO_TRY_ASSIGN(block_, decoder_->decode(rows));
    next_row_ += count;
    row_ = 0;
    last_ = block_.position(block_.rows.back());
    if (next_row_ == entry.record_count) close_row_group();
    return {};
  }
  /// The record at hand; its batch must outlive the row.
  SegmentRow take() {
    const std::uint32_t row = block_.rows[row_++];
    return {block_.batch.get(), row, block_.sequence(row), block_.receive_time(row)};
  }
  RecordBlock& mutable_block() { return block_; }

 private:
  bool has_more_slices() const { return decoder_ != nullptr; }
  Status open_row_group() {
    reader_ = std::make_unique<RowGroupReader>(segment_, *tables_, group_++, cache_);
    decoder_ = std::make_unique<RecordDecoder>(*reader_);
    next_row_ = 0;
    if (reader_->entry().record_count > 0) return {};
    return Error(ErrorCode::corruption, "segment " + segment_.path() + ": an empty row group");
  }
  void close_row_group() {
    decoder_.reset();
    reader_.reset();
  }

  const Segment& segment_;
  std::shared_ptr<const SegmentTables> tables_;
  PieceCache cache_{kMergeCacheBytes};
  std::uint32_t group_ = 0;  ///< the next one to open
  std::unique_ptr<RowGroupReader> reader_;
  std::unique_ptr<RecordDecoder> decoder_;
  std::uint32_t next_row_ = 0;  ///< of the open row group
  RecordBlock block_;
  std::size_t row_ = 0;  ///< of block_.rows
  RecordPosition last_;
};

bool is_behind(const MergeCursor* a, const MergeCursor* b) {
  return b->position() < a->position();
}

/// Retry keys of the inputs that are still in their window, each once: a request's records may lie in several inputs.
std::vector<KeyedReply> keys_to_keep(const MergeRequest& request) {
  std::vector<KeyedReply> kept;
  std::set<SequenceNumber> seen;
  for (const auto& input : request.inputs) {
    for (const KeyedReply& keyed : input->keys()) {
      std::int64_t age_ns = 0;
      const bool is_ancient = __builtin_sub_overflow(request.now.number(), keyed.reply.receive_time.number(), &age_ns);
      if (is_ancient || age_ns >= request.batch_key_window.count()) continue;
      if (seen.insert(keyed.reply.first_sequence).second) kept.push_back(keyed);
    }
  }
  return kept;
}

/// True if every record stays, in one segment: then its blocks need not be looked into.
bool is_recompression(const MergeRequest& request) {
  if (request.inputs.size() != 1 || request.place.tamper_for_test) return false;
  const SegmentInfo& info = request.inputs.front()->info();
  return request.tombstones == nullptr ||
         std::none_of(request.tombstones->begin(), request.tombstones->end(), [&info](const auto& tombstone) {
           return tombstone->may_take(info.min_timestamp, info.max_timestamp, info.first_sequence);
         });
}

Result<MergedSegment> recompress_lone(const StorePaths& paths, FileSystem& files, const MergeRequest& request,
                                      std::optional<SegmentId>& unreadable) {
  const Segment& input = *request.inputs.front();
  DENDRO_TRY_ASSIGN(const auto out, SegmentFileWriter::create(paths, files, request.place));
  out->add_replaced(input.info().id);
  for (const KeyedReply& keyed : keys_to_keep(request)) out->add_key(keyed);
  bool is_input_bad = false;
  Result<SegmentInfo> info = recompress_segment(input, request.place.zstd_level, *out, request.pause, is_input_bad);
  if (is_input_bad) unreadable = input.info().id;
  if (!info) return info.error();
  MergedSegment merged;
  merged.info = std::move(info).value();
  return merged;
}

class SegmentMerge {
 public:
  SegmentMerge(const MergeRequest& request, SegmentWriter& writer, std::optional<SegmentId>& unreadable)
      : request_(request), writer_(writer), unreadable_(unreadable) {}

  Status run() {
    DENDRO_TRY(open_cursors());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), is_behind);
      MergeCursor& cursor = *heap_.back();
      heap_.pop_back();
      DENDRO_TRY(cursor.is_read() ? write_run(cursor) : read_slice(cursor));
      put_back(cursor);
    }
    for (const KeyedReply& keyed : keys_to_keep(request_)) writer_.add_key(keyed);
    return {};
  }
  std::uint64_t read_records() const { return read_records_; }
  std::uint64_t deleted_records() const { return deleted_records_; }

 private:
  Status open_cursors() {
    for (const auto& input : request_.inputs) {
      auto cursor = std::make_unique<MergeCursor>(*input);
      const Status opened = cursor->open();
      if (!opened) return blame(*input, opened.error());
      put_back(*cursor);
      cursors_.push_back(std::move(cursor));
      writer_.add_replaced(input->info().id);
    }
    return {};
  }

  void put_back(MergeCursor& cursor) {
    if (cursor.at_end()) {
      leave_block(cursor);
      return;
    }
    heap_.push_back(&cursor);
    std::push_heap(heap_.begin(), heap_.end(), is_behind);
  }

  Error blame(const Segment& segment, const Error& error) {
    unreadable_ = segment.info().id;
    return error;
  }

  /// Rows of it may still wait in the writer.
  void leave_block(MergeCursor& cursor) {
    if (!cursor.block().rows.empty()) writer_.hold(cursor.block().batch);
  }

  Status read_slice(MergeCursor& cursor) {
    if (request_.pause) DENDRO_TRY(request_.pause());
    leave_block(cursor);
    const Status read = cursor.read_slice();
    if (!read) return blame(cursor.segment(), read.error());
    RecordBlock& block = cursor.mutable_block();
    const std::size_t count = block.rows.size();
    read_records_ += count;
    subtract_deleted(request_.tombstones.get(), block);
    deleted_records_ += count - block.rows.size();
    if (block.rows.size() < count / 2) copy_what_is_left(block);
    return {};
  }

  /// The few records left must not keep a whole slice in memory until their row group is full.
  static void copy_what_is_left(RecordBlock& block) {
    RecordBlock copy;
    if (!block.rows.empty()) {
      RecordBatchBuilder builder(block.batch->receive_time());
      auto sequences = std::make_shared<std::vector<SequenceNumber>>();
      auto receive_times = std::make_shared<std::vector<Timestamp>>();
      for (const std::uint32_t row : block.rows) {
        builder.append_copy(block.record(row));
        sequences->push_back(block.sequence(row));
        receive_times->push_back(block.receive_time(row));
      }
      copy.batch = builder.finish();
      copy.sequences = std::move(sequences);
      copy.receive_times = std::move(receive_times);
      copy.rows.resize(block.rows.size());
      std::iota(copy.rows.begin(), copy.rows.end(), 0u);
    }
    block = std::move(copy);
  }

  /// Records of one input up to the first that another one precedes.
  Status write_run(MergeCursor& cursor) {
    do {
      DENDRO_TRY(writer_.add(cursor.take()));
    } while (cursor.is_read() && (heap_.empty() || !is_behind(&cursor, heap_.front())));
    return {};
  }

  const MergeRequest& request_;
  SegmentWriter& writer_;
  std::optional<SegmentId>& unreadable_;
  std::vector<std::unique_ptr<MergeCursor>> cursors_;
  std::vector<MergeCursor*> heap_;  ///< on top: the record that comes first
  std::uint64_t read_records_ = 0;
  std::uint64_t deleted_records_ = 0;
};

}  // namespace

Result<MergedSegment> merge_segments(const StorePaths& paths, FileSystem& files, const MergeRequest& request,
                                     std::optional<SegmentId>& unreadable) {
  unreadable.reset();
  if (is_recompression(request)) return recompress_lone(paths, files, request, unreadable);
  std::uint64_t expected_records = 0;
  for (const auto& input : request.inputs) expected_records += input->info().record_count;
  DENDRO_TRY_ASSIGN(const std::unique_ptr<SegmentWriter> writer, SegmentWriter::create(paths, files, request.place));
  SegmentMerge merge(request, *writer, unreadable);
  DENDRO_TRY(merge.run());
  if (merge.read_records() != expected_records) {
    return Error(ErrorCode::internal, "merge of segment " + std::to_string(request.place.id.number()) + " read " +
                                          std::to_string(merge.read_records()) + " records, not " +
                                          std::to_string(expected_records));
  }
  MergedSegment merged;
  merged.deleted_records = merge.deleted_records();
  if (writer->record_count() == 0) return merged;
  DENDRO_TRY_ASSIGN(merged.info, writer->finish());
  return merged;
}

}  // namespace dendro
