#include "apps/query_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "io/decompress.h"
#include "parse/file_record_source.h"

namespace dendro {
namespace {

/// When it was written last, and whether it may go on for ever.
void describe_file(const std::string& path, FileSourceOptions& options) {
  struct stat status{};
  if ((path == "-" ? fstat(STDIN_FILENO, &status) : stat(path.c_str(), &status)) != 0) return;
  options.is_pipe = !S_ISREG(status.st_mode);
  if (options.is_pipe) return;
  options.reference_time =
      Timestamp(std::int64_t{status.st_mtim.tv_sec} * kNanosPerSecond + std::int64_t{status.st_mtim.tv_nsec});
}

/// Counts what comes, as it lies in the file. `counted` outlives it.
class CountedBytes final : public ByteSource {
 public:
  CountedBytes(std::unique_ptr<ByteSource> bytes, std::uint64_t& counted)
      : bytes_(std::move(bytes)), counted_(counted) {}
  Result<std::size_t> read(std::span<char> out) override {
    Result<std::size_t> count = bytes_->read(out);
    if (count) counted_ += *count;
    return count;
  }

 private:
  const std::unique_ptr<ByteSource> bytes_;
  std::uint64_t& counted_;
};

class SequentialFileSource final : public QueryFileSource {
 public:
  SequentialFileSource(std::vector<std::string> paths, QueryFileOptions options)
      : paths_(std::move(paths)), options_(std::move(options)) {}

  Result<std::shared_ptr<const RecordBatch>> next() override {
    while (true) {
      if (current_ == nullptr) {
        if (next_path_ == paths_.size()) return std::shared_ptr<const RecordBatch>();
        DENDRO_TRY(open(paths_[next_path_++]));
      }
      Result<std::shared_ptr<const RecordBatch>> batch = current_->next();
      if (!batch) return batch.error().with_context(paths_[next_path_ - 1]);
      if (*batch != nullptr) return batch;
      note_findings();
      add_unpacked(*current_, read_);
      current_.reset();
    }
  }

  const QueryFileCounts& counts() const override { return counts_; }
  std::optional<SourceCounts> source_counts() const override {
    SourceCounts counts = read_;
    if (current_ != nullptr) add_unpacked(*current_, counts);
    return counts;
  }

 private:
  Status open(const std::string& path) {
    const bool is_object = ObjectInputs::is_object_name(path);
    Result<std::unique_ptr<ByteSource>> bytes = is_object ? options_.objects->open(path) : open_file_source(path);
    if (bytes) bytes = unpack_by_content(std::make_unique<CountedBytes>(std::move(bytes).value(), read_.bytes));
    if (!bytes) return bytes.error();
    FileSourceOptions options;
    options.format = options_.format;
    options.receive_time = options_.receive_time;
    options.wish = options_.wish;
    if (!options_.time_field.empty()) options.mapping.time_fields = {options_.time_field};
    if (!options_.body_field.empty()) options.mapping.body_fields = {options_.body_field};
    if (!options_.severity_field.empty()) options.mapping.severity_fields = {options_.severity_field};
    options.broken_lines = BrokenLines::keep_as_text;
    options.joins_traces = true;
    if (is_object) {
      options.reference_time = options_.objects->modified(path);
    } else {
      describe_file(path, options);
    }
    options.mapping.lead_max = std::chrono::hours(24) * 365 * 200;  // a file may say what it likes
    options.on_reject = [this, path](const RejectedRecord& rejected) {
      if (counts_.refused++ == 0) counts_.first_refusal = path + ": " + rejected.cause.detail;
    };
    current_ = make_record_source(std::move(bytes).value(), std::move(options));
    ++read_.files;
    return {};
  }
  static void add_unpacked(const FileRecordSource& file, SourceCounts& counts) {
    const std::optional<SourceCounts> own = file.source_counts();
    if (!own) return;
    counts.plain_bytes += own->plain_bytes;
    counts.lines += own->lines;
  }

  void note_findings() {
    const FileFindings findings = current_->findings();
    if (findings.kept_as_text == 0) return;
    counts_.kept_as_text += findings.kept_as_text;
    if (counts_.files_with_text++ > 0) return;
    const std::string& path = paths_[next_path_ - 1];
    counts_.first_text = (path == "-" ? "standard input" : path) + " is " +
                         (findings.is_mixed ? "of several formats" : std::string(parse_format_name(findings.format)));
  }

  const std::vector<std::string> paths_;
  const QueryFileOptions options_;
  std::size_t next_path_ = 0;
  std::unique_ptr<FileRecordSource> current_;
  QueryFileCounts counts_;
  SourceCounts read_;  ///< of the current file only what is counted as it comes
};

}  // namespace

std::unique_ptr<QueryFileSource> make_query_file_source(std::vector<std::string> paths, QueryFileOptions options) {
  return std::make_unique<SequentialFileSource>(std::move(paths), std::move(options));
}

Status check_readable(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (path != "-" && !ObjectInputs::is_object_name(path)) DENDRO_TRY(open_file_source(path));
  }
  return {};
}

}  // namespace dendro
