#include "apps/query_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "io/decompress.h"
#include "io/read_ahead.h"
#include "parse/file_record_source.h"
#include "parse/joined_sources.h"

namespace dendro {
namespace {

/// What its folder knows of a file.
struct FileFacts {
  bool is_pipe = false;  ///< it may go on for ever
  std::optional<Timestamp> written;
  std::uint64_t bytes = 0;
};

FileFacts file_facts(const std::string& path) {
  FileFacts facts;
  struct stat status{};
  if ((path == "-" ? fstat(STDIN_FILENO, &status) : stat(path.c_str(), &status)) != 0) return facts;
  facts.is_pipe = !S_ISREG(status.st_mode);
  if (facts.is_pipe) return facts;
  facts.written =
      Timestamp(std::int64_t{status.st_mtim.tv_sec} * kNanosPerSecond + std::int64_t{status.st_mtim.tv_nsec});
  facts.bytes = static_cast<std::uint64_t>(status.st_size);
  return facts;
}

/// Counts the bytes that pass.
class CountedBytes final : public ByteSource {
 public:
  CountedBytes(std::unique_ptr<ByteSource> source, std::atomic<std::uint64_t>& count)
      : source_(std::move(source)), count_(count) {}
  Result<std::size_t> read(std::span<char> out) override {
    Result<std::size_t> count = source_->read(out);
    if (count) count_.fetch_add(*count, std::memory_order_relaxed);
    return count;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  std::atomic<std::uint64_t>& count_;
};

/// Reads inputs one after the other on the reader's own thread.
class SequentialInputs final : public RecordSource {
 public:
  explicit SequentialInputs(std::vector<JoinedInput> inputs) : inputs_(std::move(inputs)) {}
  Result<std::shared_ptr<const RecordBatch>> next() override {
    while (true) {
      if (current_ == nullptr) {
        if (next_ == inputs_.size()) return std::shared_ptr<const RecordBatch>();
        DENDRO_TRY_ASSIGN(current_, inputs_[next_++].open());
      }
      DENDRO_TRY_ASSIGN(std::shared_ptr<const RecordBatch> batch, current_->next());
      if (batch != nullptr) return batch;
      inputs_[next_ - 1].on_end(current_->findings());
      current_.reset();
    }
  }

 private:
  const std::vector<JoinedInput> inputs_;
  std::size_t next_ = 0;
  std::unique_ptr<FileRecordSource> current_;
};

/// What all files of a query have given so far, whichever thread reads them.
struct ReadTotals {
  std::atomic<std::uint64_t> files{0}, bytes{0}, plain_bytes{0}, lines{0};
};

/// One file's records, its errors with its name, what was read of it in the totals.
class NamedFileSource final : public FileRecordSource {
 public:
  NamedFileSource(std::unique_ptr<FileRecordSource> source, std::string path, ReadTotals& totals)
      : source_(std::move(source)), path_(std::move(path)), totals_(totals) {}
  Result<std::shared_ptr<const RecordBatch>> next() override {
    Result<std::shared_ptr<const RecordBatch>> batch = source_->next();
    add_counts();
    if (!batch) return batch.error().with_context(path_);
    return batch;
  }
  FileFindings findings() const override { return source_->findings(); }

 private:
  void add_counts() {
    const std::optional<SourceCounts> counts = source_->source_counts();
    if (!counts) return;
    totals_.plain_bytes.fetch_add(counts->plain_bytes - told_.plain_bytes, std::memory_order_relaxed);
    totals_.lines.fetch_add(counts->lines - told_.lines, std::memory_order_relaxed);
    told_ = *counts;
  }

  const std::unique_ptr<FileRecordSource> source_;
  const std::string path_;
  ReadTotals& totals_;
  SourceCounts told_;
};

class AllFilesSource final : public QueryFileSource {
 public:
  AllFilesSource(std::vector<std::string> paths, QueryFileOptions options)
      : options_(std::move(options)), refusals_(paths.size()) {
    std::vector<JoinedInput> inputs;
    bool has_pipe = false;
    bool has_unknown_size = false;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      const FileFacts facts = file_facts(paths[i]);
      has_pipe = has_pipe || facts.is_pipe;
      has_unknown_size = has_unknown_size || facts.is_pipe || ObjectInputs::is_object_name(paths[i]);
      bytes_total_ += facts.bytes;
      inputs.push_back(
          {[this, path = paths[i], facts, i] { return open(path, facts, refusals_[i]); },
           [this, path = paths[i], i](const FileFindings& findings) { note(path, findings, refusals_[i]); }});
    }
    const std::size_t cores = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
    if (has_unknown_size) bytes_total_ = 0;
    if (has_pipe) {
      source_ = std::make_unique<SequentialInputs>(std::move(inputs));
    } else {
      source_ = make_joined_source(std::move(inputs), options_.any_order ? JoinedOrder::any : JoinedOrder::as_given,
                                   options_.threads != 0 ? options_.threads : cores);
    }
  }

  Result<std::shared_ptr<const RecordBatch>> next() override { return source_->next(); }
  const QueryFileCounts& counts() const override { return counts_; }
  QueryFileProgress progress() const override { return {totals_.bytes.load(std::memory_order_relaxed), bytes_total_}; }
  std::optional<SourceCounts> source_counts() const override {
    return SourceCounts{.files = totals_.files.load(std::memory_order_relaxed),
                        .bytes = totals_.bytes.load(std::memory_order_relaxed),
                        .plain_bytes = totals_.plain_bytes.load(std::memory_order_relaxed),
                        .lines = totals_.lines.load(std::memory_order_relaxed)};
  }

 private:
  /// Of one file; its own thread's until the file is at its end.
  struct Refusals {
    std::uint64_t count = 0;
    std::string first;
  };

  Result<std::unique_ptr<FileRecordSource>> open(const std::string& path, const FileFacts& facts, Refusals& refusals) {
    const bool is_object = ObjectInputs::is_object_name(path);
    Result<std::unique_ptr<ByteSource>> opened = is_object ? options_.objects->open(path) : open_file_source(path);
    if (!opened) return opened.error();
    totals_.files.fetch_add(1, std::memory_order_relaxed);
    std::unique_ptr<ByteSource> bytes = std::make_unique<CountedBytes>(std::move(opened).value(), totals_.bytes);
    DENDRO_TRY_ASSIGN(std::string front, read_front(*bytes, kPackingMagicBytes));
    const Packing packing = detect_packing(front);
    bytes = make_decompressor(packing, make_prefixed_source(std::move(front), std::move(bytes)));
    if (packing != Packing::plain && !facts.is_pipe) bytes = make_read_ahead_source(std::move(bytes));
    FileSourceOptions options;
    options.format = options_.format;
    options.receive_time = options_.receive_time;
    options.wish = options_.wish;
    if (!options_.time_field.empty()) options.mapping.time_fields = {options_.time_field};
    if (!options_.body_field.empty()) options.mapping.body_fields = {options_.body_field};
    if (!options_.severity_field.empty()) options.mapping.severity_fields = {options_.severity_field};
    options.broken_lines = BrokenLines::keep_as_text;
    options.joins_traces = true;
    options.is_pipe = facts.is_pipe;
    options.reference_time = is_object ? options_.objects->modified(path) : facts.written;
    options.mapping.lead_max = std::chrono::hours(24) * 365 * 200;  // a file may say what it likes
    options.on_reject = [&refusals, path](const RejectedRecord& rejected) {
      if (refusals.count++ == 0) refusals.first = path + ": " + rejected.cause.detail;
    };
    auto source = make_record_source(std::move(bytes), std::move(options));
    return std::unique_ptr<FileRecordSource>(std::make_unique<NamedFileSource>(std::move(source), path, totals_));
  }

  /// In the order of the files.
  void note(const std::string& path, const FileFindings& findings, Refusals& refusals) {
    if (counts_.refused == 0) counts_.first_refusal = std::move(refusals.first);
    counts_.refused += refusals.count;
    if (findings.kept_as_text == 0) return;
    counts_.kept_as_text += findings.kept_as_text;
    if (counts_.files_with_text++ > 0) return;
    counts_.first_text = (path == "-" ? "standard input" : path) + " is " +
                         (findings.is_mixed ? "of several formats" : std::string(parse_format_name(findings.format)));
  }

  const QueryFileOptions options_;
  std::uint64_t bytes_total_ = 0;
  ReadTotals totals_;
  std::vector<Refusals> refusals_;
  QueryFileCounts counts_;
  std::unique_ptr<RecordSource> source_;  // last: its threads use the rest
};

}  // namespace

std::unique_ptr<QueryFileSource> make_query_file_source(std::vector<std::string> paths, QueryFileOptions options) {
  return std::make_unique<AllFilesSource>(std::move(paths), std::move(options));
}

Status check_readable(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (path != "-" && !ObjectInputs::is_object_name(path)) DENDRO_TRY(open_file_source(path));
  }
  return {};
}

}  // namespace dendro
