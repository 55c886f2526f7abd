#include "apps/query_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "adapters/http/curl_http_client.h"
#include "apps/aws_access.h"
#include "apps/cli.h"
#include "apps/command_token.h"
#include "apps/interrupt_signals.h"
#include "apps/live_table.h"
#include "apps/query_files.h"
#include "apps/query_remote.h"
#include "apps/url_text.h"
#include "base/clock.h"
#include "base/random.h"
#include "query/language/language_words.h"
#include "query/plan/lookup_tables.h"
#include "query/plan/query_engine.h"
#include "query/plan/query_plan.h"
#include "query/plan/source_wish.h"
#include "services/analyze/input_paths.h"
#include "storage/store.h"

namespace dendro {
namespace {

constexpr std::string_view kQuerySummary = "search a server, a data folder, or files";
constexpr const char* kDefaultDataFolder = "dendro-data";

struct QueryFlags {
  std::string query;
  std::vector<std::string> files;
  std::string output, server, data, token;
  std::string start, end, tz, cursor, fields, default_field;
  std::string format, time_field, body_field, severity_field;
  std::optional<std::uint64_t> limit;
  std::int64_t timeout_ms = 0;
  bool oldest_first = false;
  std::string explain;  ///< "plan", "analyze"; empty: rows are wanted
  bool is_live = true;
};

std::shared_ptr<CLI::App> make_query_app_with(const std::shared_ptr<QueryFlags>& flags) {
  auto app = make_cli_app(
      "query", kQuerySummary,
      "  dendro query 'timeout service:payments _time:1h'\n"
      "  dendro query 'severity:error | stats by (service) count() as n | sort by (n desc)'\n"
      "  dendro query -o csv 'status:>=500 | fields _time, status, body' app.log.gz other.ndjson\n"
      "  dendro query 'level:error | stats count() as n' s3://my-logs/app/2025-09-\n"
      "  tail -n 1000 app.log | dendro query 'level:>=warn' -\n"
      "  dendro query --server http://logs:8080 --start now-1h --limit 20 '*'\n"
      "Without files, --data or --server: the server at 127.0.0.1:8080, else the folder ./dendro-data.\n"
      "Ctrl-C ends a query of files or a folder with what is known so far.\n"
      "Exit codes: 0 complete, or stopped by a limit; 1 incomplete or failed; 2 query, usage, unreadable file; 130 "
      "ended by Ctrl-C.\n");
  app->add_option("QUERY", flags->query, "what to find; docs/query-language.md")->required();
  app->add_option("FILE", flags->files,
                  "files, folders or s3://bucket/prefix to read instead of a server; - is standard input");
  app->add_option("-o,--output", flags->output,
                  "table, ndjson, json, csv or text; default table on a terminal, else ndjson")
      ->type_name("FORMAT");
  app->add_option("--server", flags->server, "address of the server")->type_name("URL");
  app->add_option("--data", flags->data, "data folder, while no server uses it")->type_name("DIR");
  add_token_option(*app, flags->token);
  app->add_option("-n,--limit", flags->limit, "rows at most, 0 = all; default 1000 on a terminal, else all")
      ->type_name("N");
  app->add_option("--start", flags->start, "first instant: 2026-01-31T10:00:00Z, now-1h, epoch")->type_name("TIME");
  app->add_option("--end", flags->end, "instant to stop before")->type_name("TIME");
  app->add_option("--tz", flags->tz, "offset for times without one and for day buckets; default UTC")
      ->type_name("OFFSET");
  app->add_option("--cursor", flags->cursor, "next_cursor of the page before")->type_name("CURSOR");
  app->add_option("--fields", flags->fields, "only these, with commas between")->type_name("NAMES");
  app->add_option("--default-field", flags->default_field, "field of words that name none; default every value")
      ->type_name("NAME");
  app->add_option("--timeout-ms", flags->timeout_ms,
                  "milliseconds; default 30000 for a server, none for files and folders")
      ->type_name("MS")
      ->check(CLI::NonNegativeNumber);
  app->add_option("--format", flags->format,
                  "of the files: auto, json, text, logfmt, syslog, access, nginx_error, apache_error, klog, log4j; "
                  "default auto")
      ->type_name("NAME");
  app->add_option("--time-field", flags->time_field, "field of the files that holds the time")->type_name("FIELD");
  app->add_option("--body-field", flags->body_field, "field of the files that holds the text")->type_name("FIELD");
  app->add_option("--severity-field", flags->severity_field, "field of the files that holds the severity")
      ->type_name("FIELD");
  app->add_flag("--asc", flags->oldest_first, "oldest first");
  app->add_flag("--explain{analyze}", flags->explain,
                "run the query and print its plan and what was read instead of rows, as text, or JSON with -o json; "
                "--explain=plan: the plan alone, without running it")
      ->type_name("MODE")
      ->check(CLI::IsMember({"plan", "analyze"}));
  app->add_flag("--live,!--no-live", flags->is_live,
                "show a table while it is being made, where output is a terminal; the default");
  return app;
}

std::shared_ptr<CLI::App> make_query_app() {
  const auto flags = std::make_shared<QueryFlags>();
  return keep_with(make_query_app_with(flags), flags);
}

std::vector<std::string> split_field_names(const std::string& commas) {
  std::vector<std::string> names;
  std::stringstream stream(commas);
  for (std::string name; std::getline(stream, name, ',');) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

QueryRequest request_of(const QueryFlags& flags, bool on_terminal, const Clock& clock) {
  QueryRequest request;
  request.query = flags.query;
  request.start = flags.start;
  request.end = flags.end;
  request.tz = flags.tz;
  request.limit = flags.limit.value_or(on_terminal ? 1'000 : 0);
  request.cursor = flags.cursor;
  request.order = flags.oldest_first ? ScanOrder::oldest_first : ScanOrder::newest_first;
  request.fields = split_field_names(flags.fields);
  request.default_field = flags.default_field;
  request.clip_bytes = on_terminal ? 4'096 : 0;
  request.exact = false;  // numbers as they were sent: programs that read our output choose their own precision
  request.progress = false;
  if (!flags.explain.empty()) request.explain = flags.explain == "plan" ? ExplainMode::plan : ExplainMode::analyze;
  request.now = clock.now();
  return request;
}

constexpr int kInterruptedExitCode = 130;  // as of a program that SIGINT ends: 128 + 2

/// Words on stderr about an answer that is not the whole answer; the exit code.
int report_outcome(const QueryOutcome& outcome, CommandIo& io) {
  for (const QueryWarning& warning : outcome.warnings) std::fprintf(io.err, "warning: %s\n", warning.message.c_str());
  if (outcome.reason == "limit" && io.err_is_terminal) {
    std::fprintf(io.err, "-- the first %llu rows; more: --limit 0, or --cursor %s\n",
                 static_cast<unsigned long long>(outcome.returned), outcome.next_cursor.c_str());
  }
  if (outcome.complete || outcome.reason == "limit") return 0;
  if (outcome.reason == "interrupted") {
    std::fprintf(io.err, "dendro query: the answer is partial: interrupted after %llu records\n",
                 static_cast<unsigned long long>(outcome.scanned_records));
    return kInterruptedExitCode;
  }
  std::fprintf(io.err, "dendro query: the answer is incomplete (%s)%s%s\n", outcome.reason.c_str(),
               outcome.error ? ": " : "", outcome.error ? outcome.error->message().c_str() : "");
  return 1;
}

/// How a query over records at hand is run and shown.
struct LocalRun {
  OutputFormat format = OutputFormat::ndjson;
  bool is_live = false;  ///< output is a terminal: the table is shown while it is being made
  std::function<QueryFileProgress()> progress = {};  ///< may be empty
};

void draw_preview(LiveTable& table, const QueryPreview& preview, const LocalRun& local,
                  std::chrono::steady_clock::time_point started) {
  const QueryFileProgress progress = local.progress ? local.progress() : QueryFileProgress();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  table.draw(preview.rows.value_or(""),
             progress_text(progress.bytes_read, progress.bytes_total, preview.scanned_records, seconds));
}

int run_local(const PreparedQuery& prepared, std::shared_ptr<QueryInput> input, const LocalRun& local,
              const Clock& clock, CommandIo& io) {
  QueryRunOptions options;
  options.format = local.format;
  options.envelope = false;
  options.table_width = io.out_is_terminal ? terminal_size(fileno(io.out)).columns : 0;
  auto place = std::make_shared<SpillPlace>();
  place->files = make_posix_file_system();
  const char* folder = std::getenv("TMPDIR");
  place->directory = folder != nullptr && *folder != '\0' ? folder : "/tmp";
  options.limits.spill = std::move(place);
  const InterruptSignals signals(options.interrupt);
  LiveTable table(io.out);
  const auto started = std::chrono::steady_clock::now();
  if (local.is_live && io.out_is_terminal)
    options.on_preview = [&](const QueryPreview& preview) { draw_preview(table, preview, local, started); };
  const std::unique_ptr<QueryRun> run = start_query(prepared, std::move(input), options, clock);
  while (true) {
    const Result<std::optional<std::string>> piece = run->next_piece();
    table.wipe();
    if (!piece)
      return report_failure(io, "query", piece.error().message(), piece.error().code() == ErrorCode::not_found ? 2 : 1);
    if (!piece->has_value()) break;
    if (std::fwrite((*piece)->data(), 1, (*piece)->size(), io.out) != (*piece)->size())
      return 1;  // the reader is gone: `| head`
    std::fflush(io.out);
  }
  return report_outcome(run->outcome(), io);
}

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// Once for all files.
void report_counts(const QueryFileCounts& counts, CommandIo& io) {
  if (counts.refused > 0) {
    std::fprintf(io.err, "%s could not be read: %s\n", counted(counts.refused, "record").c_str(),
                 counts.first_refusal.c_str());
  }
  if (counts.kept_as_text == 0) return;
  const std::string others =
      counts.files_with_text > 1 ? ", and so in " + counted(counts.files_with_text - 1, "other file") : std::string();
  std::fprintf(io.err, "%s %s kept as text: %s%s\n", counted(counts.kept_as_text, "line").c_str(),
               counts.kept_as_text == 1 ? "was" : "were", counts.first_text.c_str(), others.c_str());
}

/// Folders and patterns become files, s3://bucket/prefix objects, each where it stood.
Result<std::vector<std::string>> expand_query_inputs(const std::vector<std::string>& given, ObjectInputs& objects) {
  std::vector<std::string> all;
  for (const std::string& name : given) {
    const bool is_object = ObjectInputs::is_object_name(name);
    DENDRO_TRY_ASSIGN(const std::vector<std::string> found,
                      is_object ? objects.expand({name}) : expand_input_paths(std::span(&name, 1)));
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

int run_on_files(const QueryFlags& flags, const PreparedQuery& prepared, OutputFormat format, const Clock& clock,
                 CommandIo& io) {
  SystemRandom random;
  const std::unique_ptr<FileSystem> file_system = make_posix_file_system();
  AwsAccess aws(process_aws_variables(), clock, random, *file_system);
  ObjectInputs objects(aws.objects());
  const Result<std::vector<std::string>> paths = expand_query_inputs(flags.files, objects);
  if (!paths) return report_failure(io, "query", paths.error().message(), 2);
  QueryFileOptions options;
  options.objects = &objects;
  options.receive_time = clock.now();
  options.time_field = flags.time_field;
  options.body_field = flags.body_field;
  options.severity_field = flags.severity_field;
  // A reduction says that only values matter, neither the order of records nor their numbers (but for samples).
  const std::optional<Reduction>& reduction = prepared.plan().reduction;
  options.any_order = reduction.has_value() && !reduction->keeps_extremes && prepared.plan().subplans.empty();
  options.wish = std::make_shared<const RecordWish>(source_wish(prepared.plan()));
  if (!flags.format.empty()) {
    const std::optional<ParseFormat> parsed = parse_format_of_name(flags.format);
    if (!parsed)
      return report_failure(
          io, "query", "unknown format '" + flags.format + "'; one of " + std::string(parse_format_names_text()), 2);
    options.format = *parsed;
  }
  if (const Status readable = check_readable(*paths); !readable)
    return report_failure(io, "query", readable.error().message(), 2);
  auto source = make_query_file_source(*paths, options);
  const auto input = make_source_input(*source);
  const LocalRun local{format, flags.is_live && flags.explain.empty(), [&source] { return source->progress(); }};
  const int exit_code = run_local(prepared, input, local, clock, io);
  report_counts(source->counts(), io);
  return exit_code;
}

int run_on_folder(const std::string& directory, const PreparedQuery& prepared, const LocalRun& local,
                  SystemClock& clock, CommandIo& io) {
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemRandom random;
  if (!files->exists(directory + "/CURRENT"))
    return report_failure(io, "query", "'" + directory + "' is not a data folder of dendro", 2);
  StoreOptions options;
  options.directory = directory;
  const auto store = Store::open(std::move(options), *files, clock, random);
  if (!store) return report_failure(io, "query", store.error().message(), 1);
  auto snapshot = (*store)->snapshot(TenantId::default_tenant());
  if (!snapshot) return report_failure(io, "query", snapshot.error().message(), 1);
  return run_local(prepared, make_snapshot_input(std::move(snapshot).value()), local, clock, io);
}

/// The line with a caret, or the message where there is no place: a bad --start or --cursor has none.
int report_query_fault(const Error& error, const QueryFault& fault, const std::string& query, CommandIo& io) {
  if (fault.message.empty()) return report_failure(io, "query", error.message(), 2);
  std::fprintf(io.err, "dendro query: %s", fault_text(fault, query).c_str());
  return 2;
}

/// Tables, databases and saved filters are the server's own: only it can tell whether they are there.
bool names_what_servers_have(const std::string& query) {
  const std::string folded = fold_keyword(query);
  return folded.find("lookup") != std::string::npos || folded.find("geoip") != std::string::npos ||
         folded.find('$') != std::string::npos;
}

int run_query(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<QueryFlags>();
  const auto app = make_query_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const int sources = (flags->files.empty() ? 0 : 1) + (flags->data.empty() ? 0 : 1) + (flags->server.empty() ? 0 : 1);
  if (sources > 1) return report_failure(io, "query", "files, --data and --server exclude each other", 2);
  std::string format_name = flags->output.empty() ? (io.out_is_terminal ? "table" : "ndjson") : flags->output;
  // One object, not rows between lines of an envelope.
  if (!flags->explain.empty())
    format_name = flags->output.empty() ? "table" : format_name == "ndjson" ? "json" : format_name;
  const std::optional<OutputFormat> format = parse_output_format(format_name);
  if (!format)
    return report_failure(io, "query",
                          "unknown output format '" + format_name + "'; one of table, ndjson, json, csv, text", 2);
  Result<std::string> token = command_token(flags->token, io);
  if (!token) return report_failure(io, "query", token.error().message(), 2);
  flags->token = std::move(*token);

  SystemClock clock;
  QueryRequest request = request_of(*flags, io.out_is_terminal, clock);
  request.timeout =
      std::chrono::milliseconds(flags->timeout_ms > 0 ? flags->timeout_ms : std::int64_t{1'000} * 86'400 * 365);
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  request.lookup_tables = make_path_lookup_tables(*files);
  const char* const geoip_path = std::getenv("DENDRO_QUERY_GEOIP_DATABASE");
  if (geoip_path != nullptr && *geoip_path != '\0' && fold_keyword(request.query).find("geoip") != std::string::npos) {
    auto database = open_maxmind_database(geoip_path);
    if (!database) return report_failure(io, "query", database.error().message(), 2);
    request.geo_database = std::move(database).value();
  }
  QueryFault fault;
  // Also before a server is asked: it speaks the same language, and the caret needs no round trip.
  const Result<PreparedQuery> prepared = prepare_query(request, fault);
  const bool asks_server = flags->files.empty() && flags->data.empty();
  if (!prepared && !(asks_server && names_what_servers_have(request.query)))
    return report_query_fault(prepared.error(), fault, request.query, io);
  if (!flags->files.empty()) return run_on_files(*flags, *prepared, *format, clock, io);
  const LocalRun local{*format, flags->is_live && flags->explain.empty()};
  if (!flags->data.empty()) return run_on_folder(flags->data, *prepared, local, clock, io);

  const auto url = normalised_server_url(flags->server.empty() ? kDefaultServerUrl : std::string_view(flags->server));
  if (!url) return report_failure(io, "query", url.error().message(), 2);
  const std::unique_ptr<HttpClient> client = make_curl_http_client();
  request.timeout = std::chrono::milliseconds(flags->timeout_ms > 0 ? flags->timeout_ms : 30'000);
  const RemoteQuery remote{*client, *url, flags->token, format_name};
  const RemoteOutcome outcome = run_remote_query(remote, request, io);
  if (!outcome.reached_server && flags->server.empty()) {
    if (!prepared) return report_query_fault(prepared.error(), fault, request.query, io);
    if (files->exists(std::string(kDefaultDataFolder) + "/CURRENT"))
      return run_on_folder(kDefaultDataFolder, *prepared, local, clock, io);
    return report_failure(
        io, "query", "no server at 127.0.0.1:8080 and no folder ./dendro-data; name files, --data DIR or --server URL",
        1);
  }
  return outcome.reached_server ? outcome.exit_code : report_failure(io, "query", outcome.why_not_reached, 1);
}

}  // namespace

Command query_command() {
  return {"query", kQuerySummary, &run_query, &make_query_app};
}

}  // namespace dendro
