#include "services/analyze/analyze_service.h"

#include <optional>
#include <utility>
#include <vector>

#include "io/decompress.h"
#include "services/analyze/newest_objects.h"

namespace dendro {
namespace {

/// A window of 2^31 bytes is what `zstd --long=31` asks for: only for files the user named himself.
constexpr int kFileWindowLogMax = 31;

/// Remembers the error of the source it wraps, so that it can be told from an error in what it gave.
class WatchedSource final : public ByteSource {
 public:
  WatchedSource(std::unique_ptr<ByteSource> source, std::optional<Error>& error)
      : source_(std::move(source)), error_(error) {}
  Result<std::size_t> read(std::span<char> out) override {
    Result<std::size_t> count = source_->read(out);
    if (!count) error_ = count.error();
    return count;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  std::optional<Error>& error_;
};

Result<CountResult> count_unpacked(std::unique_ptr<ByteSource> packed, const DecompressLimits& limits,
                                   const CountOptions& options, const CountRun& run) {
  DENDRO_TRY_ASSIGN(std::unique_ptr<ByteSource> source, unpack_by_content(std::move(packed), limits));
  return count_lines(std::move(source), options, run);
}

AnalyzeReport make_report(const AnalyzeRequest& request) {
  AnalyzeReport report;
  report.threshold = request.threshold;
  return report;
}

AnalyzeOutcome finish_report(AnalyzeReport report) {
  report.alert = report.counted.total >= report.threshold;
  return report;
}

/// One go over the objects; nothing if one of them is not what was listed any more.
std::optional<AnalyzeOutcome> count_objects(ObjectStore& store, const std::string& bucket,
                                            const std::vector<ObjectInfo>& objects, const AnalyzeRequest& request,
                                            const CountRun& run) {
  AnalyzeReport report = make_report(request);
  for (const ObjectInfo& object : objects) {
    Result<std::unique_ptr<ByteSource>> source = store.get(bucket, object.key, object.etag);
    if (!source) {
      const ErrorCode code = source.error().code();
      if (code == ErrorCode::already_exists || code == ErrorCode::not_found) return std::nullopt;
      return AnalyzeFailure{AnalyzeFault::store, std::move(source).error(), bucket};
    }
    std::optional<Error> store_error;
    const Result<CountResult> counted =
        count_unpacked(std::make_unique<WatchedSource>(*std::move(source), store_error), {}, request.count, run);
    if (store_error) return AnalyzeFailure{AnalyzeFault::store, *store_error, bucket};
    if (!counted) {
      const bool late = counted.error().code() == ErrorCode::deadline_exceeded;
      return AnalyzeFailure{late ? AnalyzeFault::store : AnalyzeFault::input, counted.error(), bucket};
    }
    report.counted.append(*counted);
    report.objects.push_back(object.key);
  }
  return finish_report(std::move(report));
}

}  // namespace

AnalyzeOutcome analyze_files(std::span<const std::string> paths, const OpenInput& open, const AnalyzeRequest& request,
                             const CountRun& run) {
  AnalyzeReport report = make_report(request);
  for (const std::string& path : paths) {
    Result<std::unique_ptr<ByteSource>> source = open(path);
    if (!source) return AnalyzeFailure{AnalyzeFault::unreadable_file, std::move(source).error(), ""};
    std::optional<Error> read_error;
    const Result<CountResult> counted = count_unpacked(std::make_unique<WatchedSource>(*std::move(source), read_error),
                                                       {.zstd_window_log_max = kFileWindowLogMax}, request.count, run);
    if (read_error) return AnalyzeFailure{AnalyzeFault::unreadable_file, *read_error, ""};
    if (!counted) return AnalyzeFailure{AnalyzeFault::input, counted.error(), ""};
    report.counted.append(*counted);
    report.objects.push_back(path);
  }
  return finish_report(std::move(report));
}

AnalyzeOutcome analyze_objects(ObjectStore& store, const std::string& bucket, const std::string& prefix,
                               const AnalyzeRequest& request, const CountRun& run) {
  constexpr int kTriesMax = 2;
  for (int tried = 0; tried < kTriesMax; ++tried) {
    const Result<std::vector<ObjectInfo>> newest =
        newest_objects(store, bucket, prefix, request.latest, {run.cancel, run.deadline});
    if (!newest) {
      const bool missing = newest.error().code() == ErrorCode::not_found;
      return AnalyzeFailure{missing ? AnalyzeFault::no_bucket : AnalyzeFault::store, newest.error(), bucket};
    }
    if (newest->empty()) {
      return AnalyzeFailure{AnalyzeFault::no_objects, Error(ErrorCode::not_found, "no object at '" + prefix + "'"),
                            bucket};
    }
    std::optional<AnalyzeOutcome> outcome = count_objects(store, bucket, *newest, request, run);
    if (outcome) return *std::move(outcome);
  }
  return AnalyzeFailure{AnalyzeFault::store,
                        Error(ErrorCode::already_exists, "the newest object changed each time it was to be read"),
                        bucket};
}

}  // namespace dendro
