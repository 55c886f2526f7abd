#include "apps/analyze_command.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "apps/analyze_progress.h"
#include "apps/aws_access.h"
#include "apps/cli.h"
#include "services/analyze/analyze_params.h"
#include "services/analyze/analyze_render.h"
#include "services/analyze/analyze_service.h"
#include "services/analyze/input_paths.h"

namespace dendro {
namespace {

constexpr std::string_view kAnalyzeName = "analyze";
constexpr std::string_view kAnalyzeSummary = "count the error lines of a log by service";
constexpr std::string_view kAnalyzeExamples =
    "  dendro analyze --file app.jsonl\n"
    "  dendro analyze --file 'logs/*.jsonl.gz' --threshold 10 --format table\n"
    "  journalctl -o json | dendro analyze --file - --group-by _SYSTEMD_UNIT\n"
    "  AWS_REGION=eu-central-1 dendro analyze --bucket my-logs --prefix app/\n"
    "  dendro analyze --bucket file:///var/log/app --prefix 2025-09- --latest 24\n"
    "  dendro analyze --file app.jsonl --level ERROR --level FATAL --since 2025-09-15T12:00:00Z --fail-on-alert\n"
    "\n"
    "Exit codes: 0 done (also when the alert fires), 1 no input, no object or S3 failure, 2 bad argument or unreadable "
    "file,\n"
    "3 alert (with --fail-on-alert)\n";

struct AnalyzeFlags {
  std::vector<std::string> files;
  std::optional<std::string> bucket;
  std::string prefix;
  std::string threshold = "3";
  bool stream = false;
  std::string since;
  std::string latest = "1";
  std::vector<std::string> levels;
  std::string group_by = "service";
  bool ignore_case = false;
  bool details = false;
  bool strict = false;
  bool fail_on_alert = false;
  std::string format = "json";
};

void define_analyze_flags(CLI::App& app, AnalyzeFlags& flags) {
  const auto one = [](CLI::Option* option) { return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast); };
  app.add_option("--file", flags.files, "file, folder or pattern to read, packed or not; - is stdin; may be repeated")
      ->type_name("PATH")
      ->expected(1)
      ->take_all();
  one(app.add_option("--bucket", flags.bucket, "bucket to read the newest object of; file:///dir is a folder"))
      ->type_name("B");
  one(app.add_option("--prefix", flags.prefix, "what the object's key begins with, or a whole key"))->type_name("P");
  one(app.add_option("--threshold", flags.threshold, "alert if the total reaches this (default 3)"))->type_name("N");
  app.add_flag("--stream", flags.stream, "accepted for compatibility: input is always streamed");
  one(app.add_option("--since", flags.since, "leave out records before this time, e.g. 2025-09-15T12:00:00Z"))
      ->type_name("T");
  one(app.add_option("--latest", flags.latest, "with --bucket: sum the N newest objects (default 1)"))->type_name("N");
  app.add_option("--level", flags.levels, "count this level instead of ERROR; may be repeated")
      ->type_name("L")
      ->expected(1)
      ->take_all();
  one(app.add_option("--group-by", flags.group_by, "count by this top-level field (default service)"))
      ->type_name("FIELD");
  app.add_flag("--ignore-case", flags.ignore_case, "compare levels without case");
  app.add_flag("--details", flags.details, "add what was read and what was skipped to the JSON result");
  app.add_flag("--strict", flags.strict, "exit 1 if any line was skipped");
  app.add_flag("--fail-on-alert", flags.fail_on_alert, "exit 3 if the alert fires");
  one(app.add_option("--format", flags.format, "json, table or csv (default json)"))->type_name("FORMAT");
}

std::shared_ptr<CLI::App> make_app_with(const std::shared_ptr<AnalyzeFlags>& flags) {
  std::shared_ptr<CLI::App> app = make_cli_app(kAnalyzeName, kAnalyzeSummary, kAnalyzeExamples);
  define_analyze_flags(*app, *flags);
  return keep_with(std::move(app), flags);
}

std::shared_ptr<CLI::App> make_analyze_app() {
  return make_app_with(std::make_shared<AnalyzeFlags>());
}

/// The checked flags.
struct AnalyzePlan {
  AnalyzeRequest request;
  AnalyzeFormat format = AnalyzeFormat::json;
};

Error bad_flag(const std::string& name, const std::string& value, const std::string& wanted) {
  return Error(ErrorCode::invalid_argument, "--" + name + ": '" + value + "' is not " + wanted);
}

Result<AnalyzePlan> make_plan(const AnalyzeFlags& flags) {
  AnalyzePlan plan;
  const auto threshold = parse_threshold(flags.threshold);
  if (!threshold) return bad_flag("threshold", flags.threshold, "an integer from 0 to 9223372036854775807");
  plan.request.threshold = *threshold;
  const auto latest = parse_threshold(flags.latest);
  if (!latest || *latest == 0 || *latest > kAnalyzeLatestMax) {
    return bad_flag("latest", flags.latest, "an integer from 1 to " + std::to_string(kAnalyzeLatestMax));
  }
  plan.request.latest = *latest;
  if (!flags.since.empty()) {
    plan.request.count.since = parse_since(flags.since);
    if (!plan.request.count.since) return bad_flag("since", flags.since, "a time like 2025-09-15T12:00:00Z");
  }
  if (!flags.levels.empty()) plan.request.count.levels = flags.levels;
  if (flags.group_by.empty()) return bad_flag("group-by", flags.group_by, "a field name");
  plan.request.count.group_field = flags.group_by;
  plan.request.count.ignore_case = flags.ignore_case;
  static const std::map<std::string_view, AnalyzeFormat> kFormats = {
      {"json", AnalyzeFormat::json}, {"table", AnalyzeFormat::table}, {"csv", AnalyzeFormat::csv}};
  const auto format = kFormats.find(flags.format);
  if (format == kFormats.end()) return bad_flag("format", flags.format, "json, table or csv");
  plan.format = format->second;
  return plan;
}

/// Size of the plain files among `paths`, for the progress bar; nothing if one has none (a pipe).
std::optional<std::uint64_t> total_size(const std::vector<std::string>& paths) {
  std::uint64_t bytes = 0;
  for (const std::string& path : paths) {
    struct stat info{};
    if (path == "-" || ::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    bytes += static_cast<std::uint64_t>(info.st_size);
  }
  return bytes;
}

AnalyzeOutcome run_on_files(const std::vector<std::string>& files, const AnalyzePlan& plan, CommandIo& io) {
  const Result<std::vector<std::string>> paths = expand_input_paths(files);
  if (!paths) return AnalyzeFailure{AnalyzeFault::unreadable_file, paths.error(), ""};
  AnalyzeProgress progress(io.err_is_terminal ? io.err : nullptr, total_size(*paths));
  CountRun run;
  run.progress = [&](std::uint64_t) { progress.show(); };
  const OpenInput open = [&](const std::string& path) -> Result<std::unique_ptr<ByteSource>> {
    if (path == "-") return progress.watch(make_fd_source(io.in_fd, "stdin", CloseFd::keep_open));
    DENDRO_TRY_ASSIGN(std::unique_ptr<ByteSource> source, open_file_source(path));
    return progress.watch(std::move(source));
  };
  return analyze_files(*paths, open, plan.request, run);
}

int print_report(const AnalyzeReport& report, const AnalyzeFlags& flags, AnalyzeFormat format, CommandIo& io) {
  const std::string text =
      render_report(report, format, flags.details ? AnalyzeDetails::shown : AnalyzeDetails::none,
                    io.out_is_terminal && format == AnalyzeFormat::table ? AnalyzeColours::ansi : AnalyzeColours::none);
  std::fwrite(text.data(), 1, text.size(), io.out);
  const std::string skipped = skipped_text(report.counted);
  if (!skipped.empty()) std::fprintf(io.err, "%s\n", skipped.c_str());
  if (std::fflush(io.out) != 0 || std::ferror(io.out) != 0) {
    std::fprintf(io.err, "An unexpected error occurred: the result could not be written\n");
    return 1;
  }
  if (flags.strict && !skipped.empty()) return 1;
  return flags.fail_on_alert && report.alert ? 3 : 0;
}

int run_analyze(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<AnalyzeFlags>();
  const std::shared_ptr<CLI::App> app = make_app_with(flags);
  const ParseOutcome parsed = parse_cli(*app, args, io);
  if (!parsed.go_on) return parsed.exit_code;
  const Result<AnalyzePlan> plan = make_plan(*flags);
  if (!plan) return report_failure(io, kAnalyzeName, plan.error().message(), 2);
  if (flags->files.empty() && !flags->bucket) {
    std::fputs(app->help().c_str(), io.out);
    return 1;
  }
  const auto from_bucket = [&] {
    SystemClock clock;
    SystemRandom random;
    const std::unique_ptr<FileSystem> file_system = make_posix_file_system();
    AwsAccess aws(process_aws_variables(), clock, random, *file_system);
    return analyze_objects(aws.objects(), *flags->bucket, flags->prefix, plan->request, {});
  };
  const AnalyzeOutcome outcome = flags->files.empty() ? from_bucket() : run_on_files(flags->files, *plan, io);
  if (const auto* failure = std::get_if<AnalyzeFailure>(&outcome)) {
    std::fprintf(io.err, "%s\n", failure_text(*failure).c_str());
    return failure_exit_code(*failure);
  }
  return print_report(std::get<AnalyzeReport>(outcome), *flags, plan->format, io);
}

}  // namespace

Command analyze_command() {
  return {kAnalyzeName, kAnalyzeSummary, &run_analyze, &make_analyze_app};
}

}  // namespace dendro
