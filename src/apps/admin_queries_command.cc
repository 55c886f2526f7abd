#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_remote.h"
#include "apps/cli.h"
#include "apps/command_token.h"
#include "apps/text_table.h"
#include "apps/url_text.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::string_view kQueriesSummary = "list the queries that run on a server, or end one";
constexpr std::string_view kQueriesPath = "/api/v1/admin/queries";
/// Of a query's text in the table.
constexpr std::size_t kShownQueryBytes = 80;

struct QueriesFlags {
  AdminPlace place;
  std::string cancel;
  std::string format = "table";
  bool slow = false;
};

std::shared_ptr<CLI::App> make_queries_app_with(const std::shared_ptr<QueriesFlags>& flags) {
  auto app =
      make_cli_app("admin queries", kQueriesSummary,
                   "  dendro admin queries --server http://127.0.0.1:8080\n"
                   "  dendro admin queries --slow -o json\n"
                   "  dendro admin queries --cancel 1f3a9c0d2b7e4455\n"
                   "Those of all tenants, the oldest first; --slow: the last 100 that took long (query.slow_after).\n"
                   "Exit codes: 0 listed or ended; 1 failed; 2 usage, no such query.\n");
  flags->place.server = std::string(kDefaultServerUrl);
  app->add_option("--server", flags->place.server, "address of the server; default " + std::string(kDefaultServerUrl))
      ->type_name("URL");
  add_token_option(*app, flags->place.token);
  app->add_flag("--slow", flags->slow, "the last slow ones, the newest first, instead of those that run");
  app->add_option("--cancel", flags->cancel, "end the query with this id")->type_name("ID");
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  return app;
}

std::shared_ptr<CLI::App> make_queries_app() {
  const auto flags = std::make_shared<QueriesFlags>();
  return keep_with(make_queries_app_with(flags), flags);
}

/// In one line, and cut where no character is cut through.
std::string shown_query(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (text.size() <= kShownQueryBytes) return text;
  std::size_t end = kShownQueryBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string queries_table(const JsonValue& queries) {
  TextTable table({"id", "tenant", "what", "ms", "query"}, TextTable::Align::words);
  for (const JsonValue& query : queries.elements()) {
    table.add({text_of(query, "id"), text_of(query, "tenant"), text_of(query, "operation"),
               grouped_digits(count_of(query, "elapsed_ms")), shown_query(text_of(query, "query"))});
  }
  return table.text(0);
}

int list_queries(AdminRemote& remote, const QueriesFlags& flags, CommandIo& io) {
  const Result<JsonValue> listed = remote.call("GET", std::string(kQueriesPath));
  if (!listed) return report_remote_error(io, "admin queries", listed.error());
  const JsonValue* const queries = listed->find(flags.slow ? "slow" : "items");
  if (queries == nullptr) return report_failure(io, "admin queries", "the answer has no list of queries", 1);
  if (flags.format == "json") {
    std::string json;
    append_json(json, *queries);
    std::fprintf(io.out, "%s\n", json.c_str());
  } else if (queries->elements().empty()) {
    std::fprintf(io.out, "%s\n", flags.slow ? "no query was slow" : "no query runs");
  } else {
    std::fprintf(io.out, "%s", queries_table(*queries).c_str());
  }
  return 0;
}

int run_queries(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<QueriesFlags>();
  const auto app = make_queries_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  Result<AdminRemote> remote = AdminRemote::open(flags->place, io);
  if (!remote) return report_remote_error(io, "admin queries", remote.error());
  if (flags->cancel.empty()) return list_queries(*remote, *flags, io);
  const Result<JsonValue> ended =
      remote->call("DELETE", std::string(kQueriesPath) + "/" + percent_encoded(flags->cancel));
  if (!ended) return report_remote_error(io, "admin queries", ended.error());
  std::fprintf(io.out, "ended\n");
  return 0;
}

}  // namespace

Command admin_queries_command() {
  return {"queries", kQueriesSummary, &run_queries, &make_queries_app};
}

}  // namespace dendro
