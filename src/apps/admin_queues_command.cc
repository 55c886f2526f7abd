#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/admin_queue_access.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::string_view kQueuesSummary = "list the queues of messages on their way";

struct QueuesFlags {
  AdminPlace place;
  std::string format = "table";
};

std::shared_ptr<CLI::App> make_queues_app_with(const std::shared_ptr<QueuesFlags>& flags) {
  auto app = make_cli_app("admin queues", kQueuesSummary,
                          "  dendro admin queues\n"
                          "  dendro admin queues --data dendro-data -o json\n"
                          "Without --data and --server: the server at http://127.0.0.1:8080. The age is that of the\n"
                          "oldest message that is not a dead letter. `dendro admin dead-letters` has those.\n"
                          "Exit codes: 0 listed; 1 failed, or a server uses the folder; 2 usage, no such folder.\n");
  add_place_options(*app, flags->place);
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  return app;
}

std::shared_ptr<CLI::App> make_queues_app() {
  const auto flags = std::make_shared<QueuesFlags>();
  return keep_with(make_queues_app_with(flags), flags);
}

std::string queues_table(const JsonValue& queues) {
  TextTable table({"queue", "waiting", "leased", "dead letters", "bytes", "age s"});
  for (const JsonValue& queue : queues.elements()) {
    table.add({text_of(queue, "name"), grouped_digits(count_of(queue, "waiting")),
               grouped_digits(count_of(queue, "leased")), grouped_digits(count_of(queue, "dead_letters")),
               grouped_digits(count_of(queue, "bytes")),
               queue.find("oldest_age_s") == nullptr ? "-" : grouped_digits(count_of(queue, "oldest_age_s"))});
  }
  return table.text(0);
}

int run_queues(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<QueuesFlags>();
  const auto app = make_queues_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const auto access = open_queue_access(flags->place, io);
  if (!access) return report_queue_error(io, "admin queues", flags->place, access.error());
  const Result<JsonValue> listed = (*access)->list();
  if (!listed) return report_queue_error(io, "admin queues", flags->place, listed.error());
  const JsonValue* const queues = listed->find("items");
  if (queues == nullptr) return report_failure(io, "admin queues", "the answer has no list of queues", 1);
  if (flags->format == "json") {
    std::string json;
    append_json(json, *queues);
    std::fprintf(io.out, "%s\n", json.c_str());
  } else if (queues->elements().empty()) {
    std::fprintf(io.out, "no queue is there\n");
  } else {
    std::fprintf(io.out, "%s", queues_table(*queues).c_str());
  }
  return 0;
}

}  // namespace

Command admin_queues_command() {
  return {"queues", kQueuesSummary, &run_queues, &make_queues_app};
}

}  // namespace dendro
