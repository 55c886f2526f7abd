#include "storage/store_block_stats.h"

#include <algorithm>
#include <array>

#include "storage/scan/segment_filter.h"
#include "storage/segment/row_group_reader.h"

namespace dendro {
namespace {

std::string_view layout_name(ColumnLayout layout) {
  constexpr std::array<std::string_view, 6> kNames = {"strings", "templates", "integers",
                                                      "floats",  "times",     "time_texts"};
  return kNames[static_cast<std::size_t>(layout)];
}

std::string_view column_type_name(ValueType type) {
  switch (type) {
    case ValueType::text:
      return "text";
    case ValueType::bytes:
      return "bytes";
    case ValueType::int64:
      return "int64";
    case ValueType::uint64:
      return "uint64";
    case ValueType::float64:
      return "double";
    case ValueType::number_text:
      return "number_text";
    case ValueType::boolean:
      return "bool";
    case ValueType::list:
      return "list";
    default:
      return "time";
  }
}

/// The columns of one row group.
class ColumnSizes {
 public:
  explicit ColumnSizes(RowGroupReader& reader) : reader_(reader), entry_(reader.entry()) {}

  Result<std::vector<BlockStats>> collect() {
    add_part("(times)", "time", "integers", entry_.timestamps);
    add_part("(sequences)", "uint64", "integers", entry_.sequences);
    add_part("(severities)", "int64", "integers", entry_.severities);
    add_part("(streams)", "text", "codes", entry_.streams);
    add_part("(shapes)", "", "codes", entry_.shapes);
    if (!entry_.filter.is_empty()) add_part("(words)", "", "fuse_filter", entry_.filter);
    for (const ColumnEntry& column : entry_.columns) DENDRO_TRY(add_column(column));
    return std::move(all_);
  }

 private:
  BlockStats& begin(std::string field, std::string_view type, std::string_view layout, std::uint64_t values) {
    BlockStats stats;
    stats.segment = reader_.segment().info().id;
    stats.row_group = reader_.index();
    stats.first = entry_.min_timestamp;
    stats.last = entry_.max_timestamp;
    stats.records = entry_.record_count;
    stats.field = std::move(field);
    stats.type = type;
    stats.layout = layout;
    stats.values = values;
    return all_.emplace_back(std::move(stats));
  }
  void add_part(std::string field, std::string_view type, std::string_view layout, const ChunkPlace& place) {
    add(place, begin(std::move(field), type, layout, entry_.record_count));
  }
  Status add_column(const ColumnEntry& column) {
    const ColumnName& name = reader_.dictionary().columns()[column.column];
    BlockStats& stats =
        begin(std::string(name.path), column_type_name(name.type), layout_name(column.layout), column.value_count);
    add(column.place, stats);
    if (column.layout != ColumnLayout::templates) return {};
    DENDRO_TRY_ASSIGN(const auto head, reader_.templates(column));
    add(head->codes_place, stats);
    add(head->whole, stats);
    for (const TemplateColumn::PoolBlock& block : head->pool) add(block.place, stats);
    for (const TemplateColumn::Slot& slot : head->slots) {
      if (slot.mode == SlotMode::chunk) add(slot.chunk, stats);
    }
    return {};
  }
  void add(const ChunkPlace& place, BlockStats& stats) const {
    if (place.is_empty()) return;
    const BlockPlace& block = entry_.blocks[place.block];
    stats.plain_bytes += place.bytes;
    const double share = static_cast<double>(place.bytes) / static_cast<double>(block.plain_bytes);
    stats.stored_bytes += static_cast<std::uint64_t>(static_cast<double>(block.stored_bytes) * share + 0.5);
  }

  RowGroupReader& reader_;
  const RowGroupEntry& entry_;
  std::vector<BlockStats> all_;
};

class StoreBlockStats final : public BlockStatsSource {
 public:
  StoreBlockStats(TenantView view, std::shared_ptr<PieceCache> cache, ScanRequest request)
      : view_(std::move(view)), cache_(std::move(cache)), request_(std::move(request)) {
    if (request_.filter != nullptr) filter_ = make_segment_filter(*request_.filter);
    for (const auto& segment : *view_.segments) {
      if (is_in_range(segment->info())) segments_.push_back(segment);
    }
    // The next one at the end.
    std::sort(segments_.begin(), segments_.end(), [](const auto& a, const auto& b) {
      return std::pair(a->info().max_timestamp, a->info().id) < std::pair(b->info().max_timestamp, b->info().id);
    });
  }

  Result<std::optional<std::vector<BlockStats>>> next() override {
    for (;;) {
      if (request_.filter != nullptr && !request_.filter->wants_more()) request_.cancel.cancel();
      if (request_.cancel.cancelled()) return Error(ErrorCode::cancelled, "block_stats: cancelled");
      if (row_groups_left_ == 0) {
        if (segments_.empty()) return std::optional<std::vector<BlockStats>>();
        segment_ = std::move(segments_.back());
        segments_.pop_back();
        DENDRO_TRY_ASSIGN(tables_, cached_tables(*cache_, *segment_));
        row_groups_left_ = static_cast<std::uint32_t>(tables_->row_groups.size());
        continue;
      }
      --row_groups_left_;
      if (!is_in_range(tables_->row_groups[row_groups_left_])) continue;
      RowGroupReader reader(*segment_, *tables_, row_groups_left_, *cache_);
      if (filter_ != nullptr) {
        DENDRO_TRY_ASSIGN(const RowVerdict verdict, filter_->select(reader));
        if (verdict.possible.none()) continue;
      }
      DENDRO_TRY_ASSIGN(std::vector<BlockStats> stats, ColumnSizes(reader).collect());
      return std::optional(std::move(stats));
    }
  }

 private:
  template <typename Part>
  bool is_in_range(const Part& part) const {
    return request_.range.first < request_.range.last &&
           request_.range.overlaps(part.min_timestamp, part.max_timestamp) &&
           request_.sequences.overlaps(part.first_sequence, part.last_sequence);
  }

  const TenantView view_;
  const std::shared_ptr<PieceCache> cache_;
  ScanRequest request_;
  std::unique_ptr<SegmentFilter> filter_;  ///< null: what matches is not known without reading
  std::vector<std::shared_ptr<const Segment>> segments_;
  std::shared_ptr<const Segment> segment_;
  std::shared_ptr<const SegmentTables> tables_;
  std::uint32_t row_groups_left_ = 0;
};

}  // namespace

std::unique_ptr<BlockStatsSource> make_store_block_stats(TenantView view, std::shared_ptr<PieceCache> cache,
                                                         ScanRequest request) {
  return std::make_unique<StoreBlockStats>(std::move(view), std::move(cache), std::move(request));
}

}  // namespace dendro
