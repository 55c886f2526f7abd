#include "apps/tail_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "adapters/http/curl_http_client.h"
#include "apps/cli.h"
#include "apps/command_token.h"
#include "apps/interrupt_signals.h"
#include "apps/tail_printer.h"
#include "apps/tail_reader.h"
#include "apps/url_text.h"

namespace dendro {
namespace {

constexpr std::string_view kTailSummary = "follow records of a server as they arrive";

struct TailFlags {
  std::string query = "*";
  std::string output, server, since, token;
};

std::shared_ptr<CLI::App> make_tail_app_with(const std::shared_ptr<TailFlags>& flags) {
  auto app = make_cli_app("tail", kTailSummary,
                          "  dendro tail 'severity:error'\n"
                          "  dendro tail --server http://logs:8080 -o ndjson 'service:payments | fields _time, body'\n"
                          "Ctrl-C ends it. Records that were left out are named on stderr; a server that restarts is "
                          "found again without a gap.\n"
                          "Exit codes: 0 ended by you or by a limit, 1 no server or refused, 2 query or usage.\n");
  app->add_option("QUERY", flags->query, "what to follow; default everything; docs/query-language.md");
  app->add_option("-o,--output", flags->output, "text or ndjson; default text on a terminal, else ndjson")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "ndjson"}));
  app->add_option("--server", flags->server, "address of the server; default http://127.0.0.1:8080")->type_name("URL");
  app->add_option("--since", flags->since, "cursor to go on behind; default from now on")->type_name("CURSOR");
  add_token_option(*app, flags->token);
  return app;
}

std::shared_ptr<CLI::App> make_tail_app() {
  const auto flags = std::make_shared<TailFlags>();
  return keep_with(make_tail_app_with(flags), flags);
}

/// Sleeps in steps, so that a signal ends it at once.
bool wait_unless_cancelled(const CancelToken& cancel, std::chrono::milliseconds span) {
  constexpr std::chrono::milliseconds kStep{50};
  for (std::chrono::milliseconds slept{0}; slept < span && !cancel.cancelled(); slept += kStep) {
    std::this_thread::sleep_for(kStep);
  }
  return !cancel.cancelled();
}

int run_tail(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<TailFlags>();
  const auto app = make_tail_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const auto url = normalised_server_url(flags->server.empty() ? kDefaultServerUrl : std::string_view(flags->server));
  if (!url) return report_failure(io, "tail", url.error().message(), 2);
  Result<std::string> token = command_token(flags->token, io);
  if (!token) return report_failure(io, "tail", token.error().message(), 2);
  flags->token = std::move(*token);
  const bool is_text = flags->output.empty() ? io.out_is_terminal : flags->output == "text";

  CancelToken cancel;
  const InterruptSignals signals(cancel);
  const std::unique_ptr<HttpClient> client = make_curl_http_client();
  TailPrinter printer(is_text ? TailOutput::text : TailOutput::ndjson, io.out, io.err,
                      is_text && io.out_is_terminal ? TailTables::in_place : TailTables::one_below_the_other);
  const auto wait = [&cancel](std::chrono::milliseconds span) { return wait_unless_cancelled(cancel, span); };
  const TailOutcome outcome =
      follow_tail(*client, {*url, flags->token, flags->query, flags->since, cancel}, printer, io.err, wait);
  return outcome.failure.empty() ? outcome.exit_code : report_failure(io, "tail", outcome.failure, outcome.exit_code);
}

}  // namespace

Command tail_command() {
  return {"tail", kTailSummary, &run_tail, &make_tail_app};
}

}  // namespace dendro
