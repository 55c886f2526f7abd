#include "storage/scan/row_group_turn.h"

#include <algorithm>
#include <utility>

namespace dendro {

RowGroupWork::RowGroupWork(ScanRequest request, std::shared_ptr<PieceCache> cache, bool reduces)
    : request_(std::move(request)), cache_(std::move(cache)), reduces_(reduces) {}

std::unique_ptr<RowGroupWork::Tools> RowGroupWork::borrow_tools() {
  {
    MutexLock lock(mutex_);
    if (!idle_tools_.empty()) {
      std::unique_ptr<Tools> tools = std::move(idle_tools_.back());
      idle_tools_.pop_back();
      return tools;
    }
  }
  auto tools = std::make_unique<Tools>();
  if (request_.filter != nullptr) tools->filter = make_segment_filter(*request_.filter);
  if (reduces_ && request_.reduction) tools->reducer.emplace(*request_.reduction);
  return tools;
}

void RowGroupWork::give_back(std::unique_ptr<Tools> tools) {
  MutexLock lock(mutex_);
  idle_tools_.push_back(std::move(tools));
}

RowGroupWork::Told RowGroupWork::ask_directory(const Segment& segment, const SegmentTables& tables) {
  Told told;
  auto tools = borrow_tools();
  ScanProfile* const profile = request_.profile.get();
  const SegmentId id = segment.info().id;
  DirectoryCounts counts(request_.reduction ? request_.reduction->time_step_ns : 0, *tables.dictionary);
  for (std::uint32_t i = 0; i < tables.row_groups.size(); ++i) {
    const RowGroupEntry& entry = tables.row_groups[i];
    const bool is_in_range = request_.range.overlaps(entry.min_timestamp, entry.max_timestamp) &&
                             request_.sequences.overlaps(entry.first_sequence, entry.last_sequence);
    if (profile != nullptr) profile->add_row_group(id, is_in_range);
    if (!is_in_range) continue;
    RowGroupReader reader(segment, tables, i, *cache_);
    const std::optional<ScanFate> fate = fate_by_directory(reader, *tools, counts);
    if (fate) {
      told.records += entry.record_count;
      told.raw_bytes += entry.raw_bytes;
      if (profile != nullptr) profile->note_fate(id, *fate, entry.record_count);
    } else {
      told.left.push_back(i);
    }
    if (profile != nullptr) profile->note_read(reader.tally());
  }
  give_back(std::move(tools));
  told.blocks = counts.finish();
  return told;
}

/// Nothing: it must be read.
std::optional<ScanFate> RowGroupWork::fate_by_directory(RowGroupReader& reader, Tools& tools,
                                                        DirectoryCounts& counts) const {
  const RowGroupEntry& entry = reader.entry();
  if (request_.filter != nullptr && tools.filter == nullptr) return std::nullopt;
  // To find out why takes longer than to find out that.
  const auto ruled_out = [&] {
    return request_.profile == nullptr ? ScanFate::by_statistics : fate_of_ruled_out(reader, tools.filter.get());
  };
  std::optional<std::vector<std::uint8_t>> streams(std::in_place, entry.stream_counts.size(), std::uint8_t{1});
  if (request_.filter != nullptr) streams = tools.filter->select_streams(reader);
  if (!streams) {
    // What cannot be read says so when its turn comes.
    const Result<bool> may_match = tools.filter->may_match(reader);
    if (!may_match || *may_match) return std::nullopt;
    return ruled_out();
  }
  if (std::find(streams->begin(), streams->end(), 1) == streams->end()) return ruled_out();
  if (!request_.range.contains(entry.min_timestamp) || !request_.range.contains(entry.max_timestamp)) {
    return std::nullopt;
  }
  if (!request_.sequences.covers(entry.first_sequence, entry.last_sequence)) return std::nullopt;
  const bool is_counted = tools.reducer && tools.reducer->count_from_directory(reader, *streams, counts);
  return is_counted ? std::optional(ScanFate::by_directory) : std::nullopt;
}

RowGroupTurn::RowGroupTurn(RowGroupWork& work, std::shared_ptr<const Segment> segment,
                           std::shared_ptr<const SegmentTables> tables, std::uint32_t row_group)
    : work_(work), segment_(std::move(segment)), tables_(std::move(tables)), row_group_(row_group) {}

bool RowGroupTurn::claim() {
  MutexLock lock(mutex_);
  if (state_ != State::idle) return false;
  state_ = State::running;
  return true;
}

RowGroupTurn::Outcome RowGroupTurn::make_step() {
  if (work_.request().cancel.cancelled()) return {Error(ErrorCode::cancelled, "the scan was cancelled"), std::nullopt};
  if (scan_ == nullptr) {
    auto tools = work_.borrow_tools();
    auto opened = RowGroupScan::open(*segment_, *tables_, row_group_, work_.cache(), work_.request(),
                                     {tools->filter.get(), tools->reducer ? &*tools->reducer : nullptr});
    work_.give_back(std::move(tools));
    if (!opened) {
      if (ScanProfile* const profile = work_.request().profile.get())
        profile->note_fate(segment_->info().id, ScanFate::damaged, 0);
      return {opened.error(), std::nullopt};
    }
    scan_ = std::move(opened).value();
    // Its first record may be further on than the row group's bounds promised: others may come before it.
    return {std::optional<RecordBlock>(), scan_->next_time()};
  }
  Result<std::optional<RecordBlock>> block = scan_->next();
  std::optional<Timestamp> next_time;
  if (block) {
    next_time = scan_->next_time();
  } else if (ScanProfile* const profile = work_.request().profile.get()) {
    profile->note_damage(segment_->info().id);
  }
  return {std::move(block), next_time};
}

void RowGroupTurn::run_ahead() {
  if (!claim()) return;
  Outcome outcome = make_step();
  MutexLock lock(mutex_);
  outcome_.emplace(std::move(outcome));
  state_ = State::done;
  done_.notify_all();
}

RowGroupTurn::Outcome RowGroupTurn::take() {
  was_taken_ = true;
  if (claim()) {
    Outcome outcome = make_step();
    MutexLock lock(mutex_);
    state_ = State::idle;
    return outcome;
  }
  MutexLock lock(mutex_);
  while (state_ != State::done) done_.wait(mutex_);
  Outcome outcome = *std::exchange(outcome_, std::nullopt);
  state_ = State::idle;
  return outcome;
}

void RowGroupTurn::close() {
  MutexLock lock(mutex_);
  while (state_ == State::running) done_.wait(mutex_);
  state_ = State::closed;
  // A task that still waits in the pool holds this, and must not keep the segment's file alive.
  scan_.reset();
  tables_.reset();
  segment_.reset();
}

}  // namespace dendro
