#include "query/run/record_context.h"

#include <algorithm>
#include <chrono>

#include "filter/compiled_filter.h"
#include "query/output/record_writer.h"
#include "record/record_id.h"

namespace dendro {
namespace {

/// The nearest records of one side of a place. A block holds rows in no order that could be relied on, and blocks
/// overlap: so the nearest `wanted` + 1 are kept, and the scan ends once none can come that is nearer.
class SideSearch {
 public:
  SideSearch(RecordPosition place, ScanOrder order, std::size_t wanted)
      : place_(place), order_(order), kept_max_(wanted + 1) {}

  void take(const RecordBlock& block, const std::string& stream) {
    if (block.batch->serial() != batch_serial_) {
      batch_serial_ = block.batch->serial();
      is_same_stream_.clear();
      for (const Stream& other : block.batch->streams()) is_same_stream_.push_back(to_stream_text(other) == stream);
    }
    for (const std::uint32_t row : block.rows) {
      if (!is_same_stream_[block.batch->stream_index(row)]) continue;
      const RecordPosition position = block.position(row);
      if (is_nearer(place_, position)) keep({position, block.batch, row, block.receive_time(row)});
    }
  }
  bool is_settled(Timestamp bound) const {
    if (found_.size() < kept_max_) return false;
    const Timestamp farthest = found_.back().position.timestamp;
    return order_ == ScanOrder::newest_first ? bound < farthest : farthest < bound;
  }
  bool has_more() const { return found_.size() == kept_max_; }

  /// Rows from the oldest to the newest.
  RowBatch rows() const {
    std::vector<const Found*> order;
    for (std::size_t i = 0; i < found_.size() && i + 1 < kept_max_; ++i) order.push_back(&found_[i]);
    if (order_ == ScanOrder::newest_first) std::reverse(order.begin(), order.end());
    RowBatch rows;
    for (const Found* found : order) {
      rows.hold(found->batch);
      rows.records.push_back({found->batch.get(), found->row, found->position.sequence, found->receive_time});
    }
    return rows;
  }

 private:
  struct Found {
    RecordPosition position;
    std::shared_ptr<const RecordBatch> batch;
    std::uint32_t row = 0;
    Timestamp receive_time;
  };
  /// True if `a` comes before `b` on the way out.
  bool is_nearer(RecordPosition a, RecordPosition b) const { return order_ == ScanOrder::newest_first ? b < a : a < b; }
  void keep(Found found) {
    const auto place = std::upper_bound(found_.begin(), found_.end(), found.position,
                                        [this](RecordPosition a, const Found& b) { return is_nearer(a, b.position); });
    if (place == found_.end() && found_.size() == kept_max_) return;
    found_.insert(place, std::move(found));
    if (found_.size() > kept_max_) found_.pop_back();
  }

  const RecordPosition place_;
  const ScanOrder order_;
  const std::size_t kept_max_;
  std::vector<Found> found_;  ///< nearest first
  std::uint64_t batch_serial_ = 0;
  std::vector<bool> is_same_stream_;  ///< of that batch
};

/// Every label of the stream; streams with further labels match as well and are told apart behind the scan.
std::shared_ptr<const RecordFilter> filter_of(const Stream& stream) {
  std::vector<Predicate> parts;
  std::string scratch;
  for (const StreamLabel& label : stream.labels)
    parts.push_back({LabelTest{std::string(label.path), std::string(value_text(label.value, scratch))}});
  return compile_filter(all_of(std::move(parts)));
}

Result<RowBatch> search_side(const Snapshot& snapshot, RecordPosition place, ScanRequest request, std::size_t wanted,
                             const std::string& stream, const Clock& clock, std::chrono::nanoseconds deadline,
                             bool& has_more) {
  SideSearch search(place, request.order, wanted);
  const CancelToken cancel = request.cancel;
  const auto source = snapshot.scan(std::move(request));
  while (!search.is_settled(source->bound())) {
    if (cancel.cancelled()) return Error(ErrorCode::cancelled, "context: the caller left");
    if (clock.monotonic() >= deadline) return Error(ErrorCode::deadline_exceeded, "context: time is up");
    DENDRO_TRY_ASSIGN(const auto block, source->next());
    if (!block) break;
    search.take(*block, stream);
  }
  has_more = search.has_more();
  return search.rows();
}

void append_rows(std::string& json, const RowBatch& rows, const RecordContextOptions& options) {
  RecordWriter writer(RowShape(), {options.clip_bytes, true});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) json.push_back(',');
    writer.append(json, rows, i);
  }
}

}  // namespace

Result<std::optional<std::string>> find_record_context_json(const Snapshot& snapshot, std::string_view id,
                                                            const RecordContextOptions& options, const Clock& clock) {
  const auto deadline = clock.monotonic() + options.timeout;
  const auto position = parse_record_id(id);
  if (!position) return std::optional<std::string>();
  DENDRO_TRY_ASSIGN(const std::optional<RecordBlock> block, snapshot.find(*position));
  if (!block || block->rows.empty()) return std::optional<std::string>();
  const std::uint32_t row = block->rows.front();
  const Stream& labels = block->record(row).stream();
  const std::string stream = to_stream_text(labels);

  ScanRequest request;
  request.filter = filter_of(labels);
  request.cancel = options.cancel;
  const Timestamp at = position->timestamp;
  request.range = {kTimestampMin, at == kTimestampMax ? at : at.next()};
  bool more_before = false, more_after = false;
  DENDRO_TRY_ASSIGN(const RowBatch before,
                    search_side(snapshot, *position, request, options.before, stream, clock, deadline, more_before));
  request.range = {at, kTimestampMax};
  request.order = ScanOrder::oldest_first;
  DENDRO_TRY_ASSIGN(const RowBatch after,
                    search_side(snapshot, *position, request, options.after, stream, clock, deadline, more_after));
  RowBatch self;
  self.hold(block->batch);
  self.records.push_back({block->batch.get(), row, block->sequence(row), block->receive_time(row)});

  std::string json = "{\"before\":[";
  append_rows(json, before, options);
  json += "],\"record\":";
  append_rows(json, self, options);
  json += ",\"after\":[";
  append_rows(json, after, options);
  json += "],\"more\":{\"before\":" + std::string(more_before ? "true" : "false") +
          ",\"after\":" + (more_after ? "true" : "false") + "}}";
  return std::optional<std::string>(std::move(json));
}

}  // namespace dendro
