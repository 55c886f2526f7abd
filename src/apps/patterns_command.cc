#include "apps/patterns_command.h"

#include <CLI/CLI.hpp>

#include "apps/cli.h"
#include "apps/command_token.h"
#include "apps/query_command.h"
#include "filter/predicate_text.h"

namespace dendro {
namespace {

constexpr std::string_view kPatternsSummary = "the statements that logs come from, counted";

struct PatternsFlags {
  std::vector<std::string> files;
  std::string where = "*";
  std::uint64_t count = 20;
  std::string by;
  bool rarest = false;
  std::string output, server, data, token, start, end;
};

std::shared_ptr<CLI::App> make_patterns_app_with(const std::shared_ptr<PatternsFlags>& flags) {
  auto app = make_cli_app(
      "patterns", kPatternsSummary,
      "  dendro patterns app.log other.log.gz\n"
      "  dendro patterns --where severity:error -n 5 --server http://logs:8080 --start now-1h\n"
      "  dendro patterns --rare /var/log/app\n"
      "A pattern is a body without what varies in it: every record is counted under its own. The same as\n"
      "`dendro query 'FILTER | pattern N'`, whose other options it has; -o json shows ids, times and samples, too.\n"
      "Exit codes: 0 complete; 1 incomplete or failed; 2 filter, usage, unreadable file.\n");
  app->add_option("FILE", flags->files, "files or folders to read instead of a server; - is standard input");
  app->add_option("-w,--where", flags->where, "which records; a filter of docs/query-language.md; default all")
      ->type_name("FILTER");
  app->add_option("-n,--count", flags->count, "patterns at most; default 20")->type_name("N");
  app->add_option("--by", flags->by, "each pattern once for each value of this field")->type_name("FIELD");
  app->add_flag("--rare", flags->rarest, "the least frequent instead of the most frequent");
  app->add_option("-o,--output", flags->output,
                  "table, ndjson, json, csv or text; default table on a terminal, else ndjson")
      ->type_name("FORMAT");
  app->add_option("--server", flags->server, "address of the server")->type_name("URL");
  app->add_option("--data", flags->data, "data folder, while no server uses it")->type_name("DIR");
  add_token_option(*app, flags->token);
  app->add_option("--start", flags->start, "first instant: 2026-01-31T10:00:00Z, now-1h, epoch")->type_name("TIME");
  app->add_option("--end", flags->end, "instant to stop before")->type_name("TIME");
  return app;
}

std::shared_ptr<CLI::App> make_patterns_app() {
  const auto flags = std::make_shared<PatternsFlags>();
  return keep_with(make_patterns_app_with(flags), flags);
}

std::string patterns_query(const PatternsFlags& flags) {
  const std::string count = std::to_string(flags.count);
  std::string field;
  if (!flags.by.empty()) append_query_name(field, flags.by);
  const std::string by = field.empty() ? "" : " by (" + field + ")";
  std::string query = flags.where;
  query += flags.rarest ? " | pattern 1000000" + by + " | sort by (hits) limit " + count : " | pattern " + count + by;
  const bool shows_all = flags.output == "json" || flags.output == "ndjson";
  return shows_all ? query : query + " | fields hits, severity, " + (field.empty() ? "" : field + ", ") + "template";
}

int run_patterns(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<PatternsFlags>();
  const auto app = make_patterns_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  std::vector<std::string> query = {patterns_query(*flags)};
  const auto pass_on = [&query](std::string_view name, const std::string& value) {
    if (!value.empty()) query.push_back(std::string(name) + "=" + value);
  };
  pass_on("--output", flags->output);
  pass_on("--server", flags->server);
  pass_on("--data", flags->data);
  pass_on("--token", flags->token);
  pass_on("--start", flags->start);
  pass_on("--end", flags->end);
  query.insert(query.end(), flags->files.begin(), flags->files.end());
  return query_command().run(query, io);
}

}  // namespace

Command patterns_command() {
  return {"patterns", kPatternsSummary, &run_patterns, &make_patterns_app};
}

}  // namespace dendro
