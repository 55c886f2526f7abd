#include "parse/file_record_source.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "parse/lines/format_detector.h"

namespace dendro {
namespace {

/// Small enough to stay in a core's cache until it is decoded.
constexpr std::size_t kReadBytes = std::size_t{256} << 10;
/// A pipe whose reads give less than this is waited for: what has come is handed on.
constexpr std::size_t kBusyPipeBytes = std::size_t{16} << 10;
/// Records of a busy pipe that are handed on at once.
constexpr std::size_t kPipeRecords = 4'096;

class SequentialFileSource final : public FileRecordSource {
 public:
  SequentialFileSource(std::unique_ptr<ByteSource> bytes, FileSourceOptions options)
      : bytes_(std::move(bytes)), options_(std::move(options)), filler_(options_.receive_time) {}

  Result<std::shared_ptr<const RecordBatch>> next() override {
    while (!filler_.has_batch() && !is_at_end_) {
      DENDRO_TRY(decode_more());
      if (options_.is_pipe && (last_read_bytes_ < kBusyPipeBytes || filler_.records() >= kPipeRecords)) filler_.flush();
    }
    if (!filler_.has_batch()) filler_.flush();
    return filler_.take_batch();
  }

  std::optional<SourceCounts> source_counts() const override {
    return SourceCounts{1, read_bytes_, read_bytes_, decoder_ != nullptr ? decoder_->lines() : 0};
  }
  FileFindings findings() const override {
    FileFindings findings = findings_;
    if (decoder_ != nullptr) findings.kept_as_text = decoder_->kept_as_text();
    return findings;
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
    read_bytes_ += count;
    last_read_bytes_ = count;
    is_at_end_ = count == 0;
    return {};
  }

  /// False: too little has come to tell the format.
  Result<bool> make_decoder(std::string_view front) {
    DecoderOptions options;
    options.format = options_.format;
    options.mapping = options_.mapping;
    options.broken_lines = options_.broken_lines;
    options.joins_traces = options_.joins_traces;
    options.reference_time = options_.reference_time;
    options.wish = options_.wish;
    if (options.format == ParseFormat::auto_detect) {
      if (!is_at_end_ && !is_sample_enough(front)) return false;
      DetectedFormat detected = detect_log_format(front, sample_end(), {reference_time(), 0});
      options.format = detected.format;
      options.others = std::move(detected.others);
    }
    findings_.format = options.format;
    findings_.is_mixed = !options.others.empty();
    DENDRO_TRY_ASSIGN(decoder_, make_record_decoder(std::move(options), filler_, options_.on_reject));
    return true;
  }

  bool is_sample_enough(std::string_view front) const {
    if (front.find_first_not_of(std::string_view(" \t\r\n\0", 5)) == std::string_view::npos)
      return front.size() >= kMaxDecoderWindowBytes;
    return front.size() >= kDetectionBytes || (options_.is_pipe && front.find('\n') != std::string_view::npos);
  }
  SampleEnd sample_end() const {
    if (is_at_end_) return SampleEnd::whole;
    return options_.is_pipe ? SampleEnd::still_open : SampleEnd::cut;
  }
  Timestamp reference_time() const { return options_.reference_time.value_or(options_.receive_time); }

  std::unique_ptr<ByteSource> bytes_;
  FileSourceOptions options_;
  BatchFiller filler_;
  std::unique_ptr<RecordDecoder> decoder_;
  FileFindings findings_;
  std::vector<char> window_;
  std::size_t first_ = 0, last_ = 0;  ///< of window_, the bytes not decoded yet
  std::size_t last_read_bytes_ = 0;
  bool is_at_end_ = false;
  std::uint64_t read_bytes_ = 0;
};

}  // namespace

std::unique_ptr<FileRecordSource> make_record_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options) {
  return std::make_unique<SequentialFileSource>(std::move(bytes), std::move(options));
}

std::unique_ptr<FileRecordSource> make_ndjson_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options) {
  options.format = ParseFormat::json;
  return make_record_source(std::move(bytes), std::move(options));
}

}  // namespace dendro
