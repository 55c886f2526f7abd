#include "services/tail/tail_session.h"

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "services/tail/sequence_input.h"
#include "services/tail/tail_table.h"

namespace dendro {
namespace {

constexpr double kNanosInSecond = 1e9;

std::string problem_of(const Error& error) {
  const bool is_private = error.code() == ErrorCode::internal || error.code() == ErrorCode::io_error ||
                          error.code() == ErrorCode::corruption;
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.member("type", "about:blank");
  writer.member("status", http_status_of(error.code()));
  writer.member("code", error_code_name(error.code()));
  writer.member("detail", is_private ? std::string_view("Internal server error") : std::string_view(error.message()));
  writer.end_object();
  return json;
}

}  // namespace

std::size_t TailSession::Item::bytes() const {
  return sizeof(Item) +
         (block == nullptr ? 0 : block->batch->encoded().size() + block->rows.size() * sizeof(block->rows[0]));
}

TailSession::TailSession(const TailParts& parts, const TailOptions& options, const TailRequest& request,
                         std::shared_ptr<const TailQuery> query, std::shared_ptr<TailFeed> feed,
                         std::shared_ptr<const TailMemory> memory)
    : parts_(parts),
      options_(options),
      tenant_(request.tenant),
      epoch_(request.epoch),
      rows_per_s_max_(request.rows_per_s_max == 0 ? kTailRowsPerSecond : request.rows_per_s_max),
      query_(std::move(query)),
      feed_(std::move(feed)),
      memory_(std::move(memory)),
      pipeline_(query_->is_table() ? nullptr
                                   : std::make_unique<TailPipeline>(query_, parts_.clock, memory_->budget())) {
  memory_->add_reader();
}

TailSession::~TailSession() {
  feed_->remove(*this);
  memory_->remove_reader();
}

Result<std::shared_ptr<const Snapshot>> TailSession::snapshot() const {
  DENDRO_TRY_ASSIGN(auto base, parts_.snapshot_of(tenant_));
  return query_->seen(std::move(base));
}

std::uint64_t TailSession::queue_bytes_max() const {
  return std::min<std::uint64_t>(options_.queue_bytes_max, memory_->reader_bytes_max());
}

// ---- the reader ----

void TailSession::next(FrameDone done) {
  MutexLock lock(mutex_);
  if (is_closed_) return;
  done_ = std::move(done);
  if (is_due_locked()) start_work_locked();
}

void TailSession::close() {
  FrameDone dropped;  // destroyed outside the lock: it may hold the reader
  std::deque<Item> items;
  {
    MutexLock lock(mutex_);
    is_closed_ = true;
    dropped = std::exchange(done_, nullptr);
    items.swap(queue_);
    queue_bytes_ = queue_rows_ = 0;
  }
  cancel_.cancel();
  feed_->remove(*this);
}

// ---- the hub and the feed ----

Status TailSession::start(std::optional<SequenceNumber> since) {
  // The lock is held over the snapshot, which waits for no disk: what the feed offers meanwhile waits with its worker.
  MutexLock lock(mutex_);
  if (!feed_->add(query_, shared_from_this(), options_.tails_per_tenant_max)) {
    return Error(ErrorCode::resource_exhausted,
                 "too many live tails: at most " + std::to_string(options_.tails_per_tenant_max) + " at a time");
  }
  DENDRO_TRY_ASSIGN(const auto snapshot, this->snapshot());
  floor_ = snapshot->last_sequence();
  through_ = floor_;
  start_ = cursor_ = item_to_ = since ? std::min(*since, floor_) : floor_;
  if (start_ < floor_ && !query_->is_table()) {
    Item item;
    item.kind = Item::Kind::missed;
    item.from = start_;
    item.to = floor_;
    push_locked(std::move(item));
  }
  window_start_ = last_frame_ = parts_.clock.monotonic();
  return {};
}

void TailSession::offer(const std::shared_ptr<const RecordBlock>& block, SequenceNumber last) {
  MutexLock lock(mutex_);
  if (is_closed_ || last <= through_) return;  // of the snapshot
  if (block != nullptr) offer_rows_locked(block, last);
  through_ = last;
  is_table_stale_ = true;
  if (is_due_locked()) start_work_locked();
}

void TailSession::offer_rows_locked(const std::shared_ptr<const RecordBlock>& block, SequenceNumber last) {
  const std::size_t matched = block->rows.size();
  turn_rate_windows_locked(parts_.clock.monotonic());
  window_matched_ += matched;
  Item item;
  item.block = block;
  item.from = through_;
  item.to = last;
  if (queue_bytes_ + item.bytes() > queue_bytes_max() && !queue_.empty()) {
    return push_gap_locked(matched, through_, last, TailGapReason::slow_reader);
  }
  item.count = allowed_rows_locked(matched);
  if (item.count == matched) return push_locked(std::move(item));
  const SequenceNumber kept_to = item.count == 0 ? through_ : block->sequence(block->rows[item.count - 1]);
  const std::uint64_t left_out = matched - item.count;
  item.to = kept_to;
  if (item.count > 0) push_locked(std::move(item));
  push_gap_locked(left_out, kept_to, last, TailGapReason::rate);
}

std::size_t TailSession::allowed_rows_locked(std::size_t wanted) {
  const std::uint64_t room = rows_per_s_max_ - std::min(window_sent_, rows_per_s_max_);
  const std::size_t allowed = std::min<std::uint64_t>(wanted, room);
  window_sent_ += allowed;
  return allowed;
}

void TailSession::turn_rate_windows_locked(std::chrono::nanoseconds now) {
  const auto age = now - window_start_;
  if (age < std::chrono::seconds(1)) return;
  last_rate_ = static_cast<double>(window_matched_) * kNanosInSecond / static_cast<double>(age.count());
  window_start_ = now;
  window_matched_ = window_sent_ = 0;
}

double TailSession::rate_locked() const {
  // One decimal: it is read by people.
  return static_cast<double>(static_cast<std::int64_t>(last_rate_ * 10 + 0.5)) / 10;
}

void TailSession::miss(SequenceNumber first, SequenceNumber last) {
  MutexLock lock(mutex_);
  if (is_closed_ || last <= through_) return;
  is_table_stale_ = true;
  if (queue_bytes_ > queue_bytes_max()) give_up_rows_locked();
  if (!query_->is_table()) {
    Item item;
    item.kind = Item::Kind::missed;
    item.from = std::max(through_, SequenceNumber(first.number() - 1));
    item.to = last;
    if (!queue_.empty() && queue_.back().kind == Item::Kind::missed) {
      queue_.back().to = last;
    } else {
      push_locked(std::move(item));
    }
  }
  through_ = last;
  if (is_due_locked()) start_work_locked();
}

/// Rows that wait become one gap, as of a reader that is too slow; between them stay what is missed.
void TailSession::give_up_rows_locked() {
  std::deque<Item> items;
  items.swap(queue_);
  queue_bytes_ = queue_rows_ = 0;
  for (Item& item : items) {
    if (item.kind == Item::Kind::missed) {
      push_locked(std::move(item));
    } else {
      const std::uint64_t count = item.kind == Item::Kind::rows ? item.count : item.gap_count;
      push_gap_locked(count, item.from, item.to, TailGapReason::slow_reader);
    }
  }
}

/// Everything that waits is in the store: its range is enough to know.
void TailSession::read_all_again_locked() {
  Item all;
  all.kind = Item::Kind::missed;
  all.from = queue_.front().from;
  all.to = queue_.back().to;
  queue_.clear();
  queue_bytes_ = queue_rows_ = 0;
  push_locked(std::move(all));
}

void TailSession::push_locked(Item item) {
  queue_bytes_ += item.bytes();
  queue_rows_ += item.count;
  queue_.push_back(std::move(item));
  if (queue_.size() > kTailQueueItems) read_all_again_locked();
}

void TailSession::push_gap_locked(std::uint64_t count, SequenceNumber from, SequenceNumber to, TailGapReason reason) {
  const bool is_full = reason == TailGapReason::slow_reader;
  if (!queue_.empty() && queue_.back().kind == Item::Kind::gap && (is_full || queue_.back().reason == reason)) {
    queue_.back().gap_count += count;
    queue_.back().to = to;
    return;
  }
  Item item;
  item.kind = Item::Kind::gap;
  item.gap_count = count;
  item.from = from;
  item.to = to;
  item.reason = reason;
  push_locked(std::move(item));
}

void TailSession::tick() {
  MutexLock lock(mutex_);
  turn_rate_windows_locked(parts_.clock.monotonic());
  if (is_due_locked()) start_work_locked();
}

void TailSession::end(TailEnd reason) {
  MutexLock lock(mutex_);
  if (!end_) end_ = reason;
  if (is_due_locked()) start_work_locked();
}

bool TailSession::is_due_locked() {
  if (is_closed_ || is_working_ || done_ == nullptr) return false;
  if (end_ || has_more_) return true;
  const auto age = parts_.clock.monotonic() - last_frame_;
  if (age >= kTailQuietTime) return true;
  if (queue_.empty()) return false;
  return age >= kTailFrameTime || queue_rows_ >= kTailFrameRows || queue_.front().kind != Item::Kind::rows;
}

void TailSession::start_work_locked() {
  is_working_ = true;
  // A full pool: the next tick tries again.
  if (!parts_.workers.submit([self = shared_from_this()] { self->work(); })) is_working_ = false;
}

// ---- the worker ----

void TailSession::work() {
  for (;;) {
    std::optional<TailFrame> frame = make_frame();
    FrameDone done;
    {
      MutexLock lock(mutex_);
      has_more_ = !backlog_.empty() || (pipeline_ != nullptr && pipeline_->has_rows()) || is_over_;
      if (frame) {
        last_frame_ = parts_.clock.monotonic();
        done = std::exchange(done_, nullptr);
      }
      is_working_ = false;
      if (!frame && is_due_locked()) {
        is_working_ = true;
        continue;
      }
    }
    if (done) done(std::move(*frame));
    return;
  }
}

TailFrame TailSession::stamped(TailFrame frame) const {
  frame.epoch = epoch_;
  frame.cursor = cursor_;
  return frame;
}

TailFrame TailSession::fail(const Error& error) {
  backlog_.clear();
  return make_tail_end(TailEnd::error, epoch_, problem_of(error));
}

std::optional<TailFrame> TailSession::make_frame() {
  {
    MutexLock lock(mutex_);
    if (end_) return make_tail_end(*end_, epoch_);
  }
  if (!hello_sent_) {
    hello_sent_ = true;
    return stamped({});
  }
  std::optional<TailFrame> frame = query_->is_table() ? make_table() : make_rows();
  return frame ? frame : make_quiet();
}

std::optional<TailFrame> TailSession::make_quiet() {
  MutexLock lock(mutex_);
  if (parts_.clock.monotonic() - last_frame_ < kTailQuietTime) return std::nullopt;
  TailFrame frame;
  frame.kind = TailFrame::Kind::rate;
  frame.rate_per_s = rate_locked();
  return stamped(std::move(frame));
}

std::optional<TailFrame> TailSession::make_table() {
  {
    MutexLock lock(mutex_);
    if (!is_table_stale_ || parts_.clock.monotonic() - last_frame_ < kTailQuietTime) return std::nullopt;
    is_table_stale_ = false;
  }
  auto snapshot = this->snapshot();
  if (!snapshot) return fail(snapshot.error());
  const SequenceNumber last = std::max((*snapshot)->last_sequence(), start_);
  auto frame =
      make_tail_table(std::move(*snapshot), *query_, range_of_gap(start_, last), parts_.limits, cancel_, parts_.clock);
  if (!frame) return fail(frame.error());
  // The cursor of a table stays where its records begin: who resumes wants the same sums.
  return stamped(std::move(*frame));
}

std::optional<TailFrame> TailSession::make_rows() {
  TailFrame frame;
  frame.kind = TailFrame::Kind::rows;
  Step step = Step::go_on;
  while (step == Step::go_on) step = pipeline_->has_rows() ? add_rows(frame) : take_item(frame);
  if (frame.kind == TailFrame::Kind::end) return frame;
  if (frame.rows == 0 && frame.kind == TailFrame::Kind::rows) {
    if (is_over_) return make_tail_end(TailEnd::limit, epoch_);
    return std::nullopt;
  }
  MutexLock lock(mutex_);
  frame.rate_per_s =
      window_matched_ > 0 ? std::max(rate_locked(), static_cast<double>(window_matched_)) : rate_locked();
  return stamped(std::move(frame));
}

/// Moves rows of the pipeline into the frame. Rows of one record stay together while the frame has room, since a cursor
/// cannot point between them.
TailSession::Step TailSession::add_rows(TailFrame& frame) {
  while (pipeline_->has_rows()) {
    const SequenceNumber sequence = pipeline_->next_sequence();
    if (frame.rows > 0) frame.rows_json.push_back(',');
    pipeline_->take_row(frame.rows_json);
    ++frame.rows;
    const bool is_whole = !pipeline_->has_rows() || pipeline_->next_sequence() != sequence;
    if (is_whole) cursor_ = pipeline_->has_rows() ? sequence : item_to_;
    const bool is_full = frame.rows >= kTailFrameRows || frame.rows_json.size() >= kTailFrameBytes / 2;
    if ((is_full && is_whole) || frame.rows_json.size() >= kTailFrameBytes) return Step::frame_is_full;
  }
  return Step::go_on;
}

TailSession::Step TailSession::take_item(TailFrame& frame) {
  if (is_over_) return Step::nothing_left;
  std::optional<Item> item = pop_item(frame.rows == 0);
  if (!item) return Step::nothing_left;
  item_to_ = item->to;
  if (item->kind == Item::Kind::gap) {
    frame.kind = TailFrame::Kind::gap;
    frame.gap_count = item->gap_count;
    frame.gap_from = item->from;
    frame.gap_to = item->to;
    frame.gap_reason = item->reason;
    cursor_ = item->to;
    return Step::frame_is_full;
  }
  const Status taken = item->kind == Item::Kind::rows ? take_rows(*item) : replay(*item);
  if (!taken) {
    frame = fail(taken.error());
    return Step::frame_is_full;
  }
  if (item->kind == Item::Kind::rows && !pipeline_->has_rows()) cursor_ = item->to;
  return Step::go_on;
}

/// The next thing to do; nothing if there is none, or if it is a gap and the frame has rows already. A replay's end is
/// the cursor only once its rows are out.
std::optional<TailSession::Item> TailSession::pop_item(bool may_be_gap) {
  if (!backlog_.empty()) {
    if (backlog_.front().kind == Item::Kind::gap && !may_be_gap) return std::nullopt;
    Item item = std::move(backlog_.front());
    backlog_.pop_front();
    return item;
  }
  MutexLock lock(mutex_);
  if (queue_.empty()) {
    cursor_ = std::max(cursor_, through_);
    return std::nullopt;
  }
  if (queue_.front().kind == Item::Kind::gap && !may_be_gap) return std::nullopt;
  Item item = std::move(queue_.front());
  queue_.pop_front();
  queue_bytes_ -= item.bytes();
  queue_rows_ -= item.count;
  return item;
}

Status TailSession::take_rows(const Item& item) {
  DENDRO_TRY(pipeline_->push(*item.block, item.count, item.from));
  is_over_ = pipeline_->is_over();
  return {};
}

Status TailSession::replay(const Item& item) {
  DENDRO_TRY_ASSIGN(const auto snapshot, this->snapshot());
  ReplayLimits limits = options_.replay;
  const auto lease = std::make_shared<ByteLease>(memory_->lease_up_to(limits.bytes_max));
  limits.bytes_max = std::min<std::size_t>(limits.bytes_max, lease->bytes());
  DENDRO_TRY_ASSIGN(TailReplay found, replay_records(*snapshot, *query_, range_of_gap(item.from, item.to), limits,
                                                     cancel_, parts_.clock));
  std::uint64_t bytes = 0;
  for (const RecordBlock& block : found.blocks) bytes += TailMemory::bytes_of(*block.batch);
  lease->shrink_to(bytes);
  SequenceNumber from = item.from;
  if (found.left_out > 0) {
    Item gap;
    gap.kind = Item::Kind::gap;
    gap.gap_count = found.left_out;
    gap.from = from;
    gap.to = from = found.left_out_last;
    gap.reason = TailGapReason::replay_limit;
    backlog_.push_back(std::move(gap));
  }
  for (RecordBlock& block : found.blocks) {
    block.batch = TailMemory::hold_by(lease, block.batch);
    Item rows;
    rows.count = block.rows.size();
    rows.from = from;
    rows.to = from = block.sequence(block.rows.back());
    rows.block = std::make_shared<const RecordBlock>(std::move(block));
    backlog_.push_back(std::move(rows));
  }
  return {};
}

}  // namespace dendro
