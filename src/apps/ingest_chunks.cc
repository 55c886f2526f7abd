#include "apps/ingest_chunks.h"

#include <algorithm>
#include <cstring>

#include "parse/lines/format_detector.h"

namespace dendro {

IngestChunker::IngestChunker(std::unique_ptr<ByteSource> source, std::size_t target_bytes, std::size_t bytes_max)
    : source_(std::move(source)), target_bytes_(target_bytes), bytes_max_(bytes_max) {}

Status IngestChunker::fill(std::size_t bytes) {
  constexpr std::size_t kReadBytes = std::size_t{256} << 10;
  while (!at_end_ && buffer_.size() < bytes) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kReadBytes);
    DENDRO_TRY_ASSIGN(const std::size_t count, source_->read({buffer_.data() + before, kReadBytes}));
    buffer_.resize(before + count);
    at_end_ = count == 0;
  }
  return {};
}

std::optional<std::size_t> IngestChunker::find_cut() const {
  std::size_t from = std::min(target_bytes_, buffer_.size());
  while (from < buffer_.size()) {
    const void* found = std::memchr(buffer_.data() + from, '\n', buffer_.size() - from);
    if (found == nullptr) return std::nullopt;
    const auto line_feed = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    if (line_feed + 1 == buffer_.size()) return std::nullopt;  // what follows is not known yet
    const std::size_t last = buffer_.find_last_not_of(" \t\r", line_feed == 0 ? 0 : line_feed - 1);
    if (!is_json_ || (last != std::string::npos && buffer_[last] == '}' && buffer_[line_feed + 1] == '{'))
      return line_feed + 1;
    from = line_feed + 1;
  }
  return std::nullopt;
}

Result<std::optional<std::string>> IngestChunker::next() {
  std::size_t wanted = target_bytes_ + 1;
  while (true) {
    DENDRO_TRY(fill(wanted));
    if (!started_) {
      started_ = detect_format(buffer_).has_value() || at_end_;
      is_json_ =
          detect_log_format(buffer_, at_end_ ? SampleEnd::whole : SampleEnd::cut, {}).format == ParseFormat::json;
    }
    if (const std::optional<std::size_t> cut = find_cut()) {
      std::string body = buffer_.substr(0, *cut);
      buffer_.erase(0, *cut);
      return std::optional<std::string>(std::move(body));
    }
    if (at_end_) {
      if (buffer_.empty()) return std::optional<std::string>();
      return std::optional<std::string>(std::exchange(buffer_, {}));
    }
    if (buffer_.size() >= bytes_max_) {
      return Error(ErrorCode::too_large, "no end of a record within " + std::to_string(bytes_max_) +
                                             " bytes; write one JSON object a line (jq -c) and try again");
    }
    wanted = buffer_.size() + target_bytes_;
  }
}

}  // namespace dendro
