#include "parse/file_record_source.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace dendro {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

class FileRecordSource final : public RecordSource {
 public:
  FileRecordSource(std::unique_ptr<ByteSource> bytes, FileSourceOptions options)
      : bytes_(std::move(bytes)), options_(std::move(options)), filler_(options_.receive_time) {}

  Result<std::shared_ptr<const RecordBatch>> next() override {
    while (!filler_.has_batch() && !is_at_end_) DENDRO_TRY(decode_more());
    if (!filler_.has_batch()) filler_.flush();
    return filler_.take_batch();
  }

 private:
  Status decode_more() {
    DENDRO_TRY(read_more());
    const std::string_view text(window_.data() + first_, last_ - first_);
    if (decoder_ == nullptr) {
      DENDRO_TRY_ASSIGN(const bool is_ready, make_decoder(text));
      if (!is_ready) return {};
    }
    first_ += decoder_->decode(text, is_at_end_ ? InputEnd::last : InputEnd::more_follows);
    return {};
  }

  /// One read behind what is left of the window.
  Status read_more() {
    if (first_ == last_) first_ = last_ = 0;
    if (window_.size() - last_ < kReadBytes / 2 && first_ > 0) {
      std::memmove(window_.data(), window_.data() + first_, last_ - first_);
      last_ -= std::exchange(first_, 0);
    }
    if (window_.size() - last_ < kReadBytes / 2) window_.resize(window_.size() + kReadBytes);
    DENDRO_TRY_ASSIGN(const std::size_t count, bytes_->read({window_.data() + last_, window_.size() - last_}));
    last_ += count;
    is_at_end_ = count == 0;
    return {};
  }

  Result<bool> make_decoder(std::string_view front) {
    ParseFormat format = options_.format;
    if (format == ParseFormat::auto_detect) {
      const std::optional<ParseFormat> detected = detect_format(front);
      if (!detected && !is_at_end_ && front.size() < kMaxDecoderWindowBytes) return false;
      format = detected.value_or(ParseFormat::text);
    }
    DecoderOptions options;
    options.format = format;
    options.mapping = options_.mapping;
    DENDRO_TRY_ASSIGN(decoder_, make_record_decoder(std::move(options), filler_, options_.on_reject));
    return true;
  }

  std::unique_ptr<ByteSource> bytes_;
  FileSourceOptions options_;
  BatchFiller filler_;
  std::unique_ptr<RecordDecoder> decoder_;
  std::vector<char> window_;
  std::size_t first_ = 0, last_ = 0;  ///< of window_, the bytes not decoded yet
  bool is_at_end_ = false;
};

}  // namespace

std::unique_ptr<RecordSource> make_record_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options) {
  return std::make_unique<FileRecordSource>(std::move(bytes), std::move(options));
}

std::unique_ptr<RecordSource> make_ndjson_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options) {
  options.format = ParseFormat::json;
  return make_record_source(std::move(bytes), std::move(options));
}

}  // namespace dendro
