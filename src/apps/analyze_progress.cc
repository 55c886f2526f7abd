#include "apps/analyze_progress.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dendro {
namespace {

constexpr std::chrono::milliseconds kDrawInterval{100};
constexpr std::size_t kBarWidth = 30;
constexpr double kMegabyte = 1e6;

class CountedSource final : public ByteSource {
 public:
  CountedSource(std::unique_ptr<ByteSource> source, std::atomic<std::uint64_t>& bytes)
      : source_(std::move(source)), bytes_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    Result<std::size_t> count = source_->read(out);
    if (count) bytes_.fetch_add(*count, std::memory_order_relaxed);
    return count;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  std::atomic<std::uint64_t>& bytes_;
};

std::string bar_text(double fraction) {
  const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(kBarWidth));
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
}

}  // namespace

AnalyzeProgress::~AnalyzeProgress() {
  if (!drawn_) return;
  std::fputs("\r\033[K", terminal_);
  std::fflush(terminal_);
}

std::unique_ptr<ByteSource> AnalyzeProgress::watch(std::unique_ptr<ByteSource> source) {
  if (terminal_ == nullptr) return source;
  return std::make_unique<CountedSource>(std::move(source), read_bytes_);
}

void AnalyzeProgress::show() {
  if (terminal_ == nullptr) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < kDrawInterval) return;
  shown_ = now;
  drawn_ = true;
  const auto read = static_cast<double>(read_bytes_.load(std::memory_order_relaxed));
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const std::string bar =
      total_bytes_ && *total_bytes_ > 0 ? bar_text(read / static_cast<double>(*total_bytes_)) : std::string();
  std::fprintf(terminal_, "\r\033[K%s%.0f MB, %.0f MB/s", bar.c_str(), read / kMegabyte, read / kMegabyte / seconds);
  std::fflush(terminal_);
}

}  // namespace dendro
