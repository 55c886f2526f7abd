#include "io/read_ahead.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace dendro {
namespace {

class ReadAheadSource final : public ByteSource {
 public:
  explicit ReadAheadSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {
    thread_ = std::jthread([this] { read_all(); });
  }
  ~ReadAheadSource() override {
    {
      const MutexLock lock(mutex_);
      is_abandoned_ = true;
    }
    changed_.notify_all();
  }
  ReadAheadSource(const ReadAheadSource&) = delete;
  ReadAheadSource& operator=(const ReadAheadSource&) = delete;

  Result<std::size_t> read(std::span<char> out) override {
    if (offset_ == piece_.size()) DENDRO_TRY(take_piece());
    const std::size_t count = std::min(out.size(), piece_.size() - offset_);
    std::copy_n(piece_.data() + offset_, count, out.data());
    offset_ += count;
    return count;
  }

 private:
  using Piece = std::vector<char>;

  /// The next piece; an empty one at the end.
  Status take_piece() {
    const MutexLock lock(mutex_);
    if (piece_.capacity() > 0) spare_.push_back(std::move(piece_));
    piece_.clear();
    offset_ = 0;
    while (pieces_.empty() && !is_at_end_) changed_.wait(mutex_);
    if (!pieces_.empty()) {
      piece_ = std::move(pieces_.front());
      pieces_.pop_front();
      changed_.notify_all();
    } else if (failure_) {
      return *failure_;
    }
    return {};
  }

  void read_all() {
    for (bool goes_on = true; goes_on;) {
      Piece piece = room();
      const Result<std::size_t> count = source_->read(piece);
      piece.resize(count ? *count : 0);
      goes_on = !piece.empty() && hand_over(std::move(piece));
      if (!count) {
        const MutexLock lock(mutex_);
        failure_ = count.error();
      }
    }
    const MutexLock lock(mutex_);
    is_at_end_ = true;
    changed_.notify_all();
  }
  Piece room() {
    Piece piece;
    {
      const MutexLock lock(mutex_);
      if (!spare_.empty()) {
        piece = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    piece.resize(kReadAheadPieceBytes);
    return piece;
  }
  /// False: nobody wants it any more.
  bool hand_over(Piece piece) {
    const MutexLock lock(mutex_);
    while (pieces_.size() >= kReadAheadPiecesMax && !is_abandoned_) changed_.wait(mutex_);
    if (is_abandoned_) return false;
    pieces_.push_back(std::move(piece));
    changed_.notify_all();
    return true;
  }

  const std::unique_ptr<ByteSource> source_;  // the thread's
  Mutex mutex_;
  CondVar changed_;
  std::deque<Piece> pieces_ DENDRO_GUARDED_BY(mutex_);
  std::vector<Piece> spare_ DENDRO_GUARDED_BY(mutex_);
  std::optional<Error> failure_ DENDRO_GUARDED_BY(mutex_);
  bool is_at_end_ DENDRO_GUARDED_BY(mutex_) = false;
  bool is_abandoned_ DENDRO_GUARDED_BY(mutex_) = false;
  // The reader's.
  Piece piece_;
  std::size_t offset_ = 0;
  std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace

std::unique_ptr<ByteSource> make_read_ahead_source(std::unique_ptr<ByteSource> source) {
  return std::make_unique<ReadAheadSource>(std::move(source));
}

}  // namespace dendro
