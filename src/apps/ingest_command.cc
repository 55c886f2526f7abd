#include "apps/ingest_command.h"

#include <CLI/CLI.hpp>

#include "adapters/http/curl_http_client.h"
#include "apps/cli.h"
#include "apps/command_token.h"
#include "apps/ingest_chunks.h"
#include "apps/ingest_target.h"
#include "apps/url_text.h"
#include "base/hex.h"
#include "base/random.h"
#include "io/decompress.h"

namespace dendro {
namespace {

constexpr std::string_view kIngestSummary = "send log files to a server, or load them into a data folder";
constexpr std::size_t kBodyTargetBytes = std::size_t{4} << 20;
constexpr std::size_t kBodyBytesMax = std::size_t{60} << 20;  // below the server's 64 MiB

struct IngestFlags {
  std::vector<std::string> files;
  std::string server, data, token, key;
  IngestReading reading;
  std::vector<std::string> resource;
  int patience_s = 60;
  bool strict = false;
  bool quiet = false;
};

std::shared_ptr<CLI::App> make_ingest_app_with(const std::shared_ptr<IngestFlags>& flags) {
  auto app = make_cli_app("ingest", kIngestSummary,
                          "  dendro ingest app.log other.ndjson.zst\n"
                          "  kubectl logs pod | dendro ingest -\n"
                          "  dendro ingest --server http://logs:8080 --time-field ts zeek.ndjson.gz\n"
                          "  dendro ingest --data ./dendro-data app.log     (no server running)\n"
                          "Files may be gzip, zstd or plain, NDJSON, pretty-printed JSON or text. Exit codes: 0 every "
                          "record is on disk (refused ones\n"
                          "in the dead-letter stream), 1 something could not be sent, or --strict and a record was "
                          "refused, 2 usage, unreadable file.\n");
  app->add_option("FILE", flags->files, "files to read; - is standard input")->required();
  app->add_option("--server", flags->server, "address of the server; default " + std::string(kDefaultServerUrl))
      ->type_name("URL");
  app->add_option("--data", flags->data, "data folder to load into, while no server uses it")->type_name("DIR");
  add_token_option(*app, flags->token);
  app->add_option("--idempotency-key", flags->key,
                  "begin the retry keys with this: a repeated run stores nothing twice")
      ->type_name("KEY");
  app->add_option("--format", flags->reading.format,
                  "auto, json, text, logfmt, syslog, access, klog, log4j ..; default auto")
      ->type_name("NAME");
  app->add_option("--time-field", flags->reading.time_field, "field that holds the time")->type_name("FIELD");
  app->add_option("--body-field", flags->reading.body_field, "field that holds the text")->type_name("FIELD");
  app->add_option("--severity-field", flags->reading.severity_field, "field that holds the severity")
      ->type_name("FIELD");
  app->add_option("--stream-fields", flags->reading.stream_fields,
                  "fields that make up the stream, with commas between")
      ->type_name("FIELDS");
  app->add_option("--resource", flags->resource, "label of every record, repeatable")->type_name("NAME=VALUE");
  app->add_option("--patience", flags->patience_s, "seconds to go on trying a busy server; default 60")
      ->type_name("S")
      ->check(CLI::Range(0, 86'400));
  app->add_flag("--strict", flags->strict, "exit 1 if a record was refused");
  app->add_flag("-q,--quiet", flags->quiet, "print nothing on success");
  return app;
}

std::shared_ptr<CLI::App> make_ingest_app() {
  const auto flags = std::make_shared<IngestFlags>();
  return keep_with(make_ingest_app_with(flags), flags);
}

Status read_resource_labels(IngestFlags& flags) {
  for (const std::string& label : flags.resource) {
    const std::size_t equals = label.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Error(ErrorCode::invalid_argument, "--resource '" + label + "': expected NAME=VALUE");
    flags.reading.resource.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return {};
}

struct Totals {
  std::uint64_t accepted = 0, rejected = 0, requests = 0, bytes = 0;
};

void show_progress(CommandIo& io, const std::string& file, const Totals& totals) {
  if (!io.err_is_terminal) return;
  std::fprintf(io.err, "\r\033[K%s: %llu records, %.1f MB", file.c_str(),
               static_cast<unsigned long long>(totals.accepted + totals.rejected),
               static_cast<double>(totals.bytes) / 1e6);
  std::fflush(io.err);
}

/// What went wrong with a file: its reading (exit 2) or its sending (exit 1).
struct FileFailure {
  Error error;
  int exit_code;
};

std::optional<FileFailure> send_file(const std::string& file, std::size_t number, const std::string& key,
                                     IngestTarget& target, CommandIo& io, Totals& totals) {
  Result<std::unique_ptr<ByteSource>> opened = open_file_source(file);
  if (opened) opened = unpack_by_content(std::move(opened).value());
  if (!opened) return FileFailure{opened.error(), 2};
  IngestChunker chunker(std::move(opened).value(), kBodyTargetBytes, kBodyBytesMax);
  for (std::size_t part = 0;; ++part) {
    const Result<std::optional<std::string>> body = chunker.next();
    if (!body) return FileFailure{body.error(), body.error().code() == ErrorCode::corruption ? 1 : 2};
    if (!body->has_value()) return std::nullopt;
    const std::string part_key = key + "-" + std::to_string(number) + "-" + std::to_string(part);
    const Result<IngestOutcome> outcome = target.send(**body, chunker.content_type(), part_key);
    if (!outcome) return FileFailure{outcome.error(), 1};
    totals.accepted += outcome->accepted;
    totals.rejected += outcome->rejected;
    totals.requests += 1;
    totals.bytes += (*body)->size();
    for (const std::string& error : outcome->errors)
      std::fprintf(io.err, "%s%s: refused %s\n", io.err_is_terminal ? "\r\033[K" : "", file.c_str(), error.c_str());
    show_progress(io, file, totals);
  }
}

int run_ingest(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<IngestFlags>();
  const auto app = make_ingest_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  if (const Status labels = read_resource_labels(*flags); !labels)
    return report_failure(io, "ingest", labels.error().message(), 2);
  if (!flags->server.empty() && !flags->data.empty())
    return report_failure(io, "ingest", "--server and --data exclude each other", 2);
  Result<std::string> token = command_token(flags->token, io);
  if (!token) return report_failure(io, "ingest", token.error().message(), 2);
  flags->token = std::move(*token);

  const std::unique_ptr<HttpClient> client = make_curl_http_client();
  std::unique_ptr<IngestTarget> target;
  if (!flags->data.empty()) {
    auto opened = open_folder_target(flags->data, flags->reading);
    if (!opened) return report_failure(io, "ingest", opened.error().message(), exit_code_of(opened.error().code()));
    target = std::move(opened).value();
  } else {
    const auto url = normalised_server_url(flags->server.empty() ? kDefaultServerUrl : std::string_view(flags->server));
    if (!url) return report_failure(io, "ingest", url.error().message(), 2);
    target = make_server_target(*client, *url, flags->token, flags->reading, std::chrono::seconds(flags->patience_s));
  }

  SystemRandom random;
  const std::string key = flags->key.empty() ? to_hex(random.bytes16()) : flags->key;
  Totals totals;
  int exit_code = 0;
  for (std::size_t i = 0; i < flags->files.size(); ++i) {
    const auto failure = send_file(flags->files[i], i, key, *target, io, totals);
    if (io.err_is_terminal) std::fputs("\r\033[K", io.err);
    if (failure)
      exit_code = std::max(exit_code, report_failure(io, "ingest", flags->files[i] + ": " + failure->error.message(),
                                                     failure->exit_code));
  }
  if (!flags->quiet || exit_code != 0) {
    std::fprintf(io.out, "%llu accepted, %llu refused, %llu requests\n",
                 static_cast<unsigned long long>(totals.accepted), static_cast<unsigned long long>(totals.rejected),
                 static_cast<unsigned long long>(totals.requests));
  }
  if (flags->strict && totals.rejected > 0) exit_code = std::max(exit_code, 1);
  return exit_code;
}

}  // namespace

Command ingest_command() {
  return {"ingest", kIngestSummary, &run_ingest, &make_ingest_app};
}

}  // namespace dendro
