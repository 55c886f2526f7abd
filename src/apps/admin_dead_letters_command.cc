#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/admin_queue_access.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::string_view kDeadLettersSummary = "messages that could not be delivered: list, show, retry or drop them";
constexpr std::string_view kDeadLetters = "admin dead-letters";

struct DeadLettersFlags {
  AdminPlace place;
  std::string action, queue, id;
  std::string format = "table";
  bool all = false;
  bool yes = false;
};

std::shared_ptr<CLI::App> make_dead_letters_app_with(const std::shared_ptr<DeadLettersFlags>& flags) {
  auto app =
      make_cli_app("admin dead-letters", kDeadLettersSummary,
                   "  dendro admin dead-letters list alerts\n"
                   "  dendro admin dead-letters show alerts 17\n"
                   "  dendro admin dead-letters retry alerts 17 --server http://127.0.0.1:8080\n"
                   "  dendro admin dead-letters drop alerts --all --yes --data dendro-data\n"
                   "A message is a dead letter after five tries. One that is retried is delivered as if it were\n"
                   "new; with --data, once a server uses the folder again. Why it failed is in the log.\n"
                   "Exit codes: 0 done; 1 failed, not agreed to, or a server uses the folder; 2 usage, no such\n"
                   "queue, dead letter or folder.\n");
  app->add_option("ACTION", flags->action, "list, show, retry or drop")
      ->required()
      ->check(CLI::IsMember({"list", "show", "retry", "drop"}));
  app->add_option("QUEUE", flags->queue, "as `dendro admin queues` names it")->required();
  app->add_option("ID", flags->id, "of the dead letter; not for list");
  add_place_options(*app, flags->place);
  app->add_flag("--all", flags->all, "retry or drop all there are, instead of ID");
  app->add_flag("-y,--yes", flags->yes, "drop without asking");
  app->add_option("-o,--output", flags->format, "of list and show: table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  return app;
}

std::shared_ptr<CLI::App> make_dead_letters_app() {
  const auto flags = std::make_shared<DeadLettersFlags>();
  return keep_with(make_dead_letters_app_with(flags), flags);
}

/// Empty: what is named fits the action.
std::string_view usage_fault(const DeadLettersFlags& flags) {
  if (flags.action == "list") return flags.id.empty() && !flags.all ? "" : "list takes neither ID nor --all";
  if (flags.action == "show") return !flags.id.empty() && !flags.all ? "" : "name the ID of one dead letter";
  return flags.id.empty() == flags.all ? "" : "name the ID of one dead letter, or --all";
}

std::string attributes_text(const JsonValue& letter) {
  std::string text;
  const JsonValue* const attributes = letter.find("attributes");
  if (attributes == nullptr) return text;
  for (const auto& [name, value] : attributes->members()) {
    text += (text.empty() ? "" : " ") + name + "=" + std::string(value.as_string().value_or(""));
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

/// All pages.
Result<std::vector<JsonValue>> read_letters(QueueAccess& access, const std::string& queue) {
  std::vector<JsonValue> letters;
  for (std::string after;;) {
    DENDRO_TRY_ASSIGN(const JsonValue page, access.dead_letters(queue, after));
    const JsonValue* const items = page.find("items");
    if (items == nullptr) return Error(ErrorCode::unavailable, "the answer has no list of dead letters");
    letters.insert(letters.end(), items->elements().begin(), items->elements().end());
    after = text_of(page, "next_after");
    if (after.empty()) return letters;
  }
}

Status list_letters(QueueAccess& access, const DeadLettersFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const std::vector<JsonValue> letters, read_letters(access, flags.queue));
  if (flags.format == "json") {
    std::string json = "[";
    for (const JsonValue& letter : letters) {
      if (json.size() > 1) json.push_back(',');
      append_json(json, letter);
    }
    std::fprintf(io.out, "%s]\n", json.c_str());
    return {};
  }
  if (letters.empty()) {
    std::fprintf(io.out, "no message of %s is a dead letter\n", flags.queue.c_str());
    return {};
  }
  TextTable table({"id", "sent", "tries", "bytes", "attributes"}, TextTable::Align::words);
  for (const JsonValue& letter : letters) {
    table.add({text_of(letter, "id"), text_of(letter, "sent_at"), grouped_digits(count_of(letter, "receives")),
               grouped_digits(count_of(letter, "bytes")), attributes_text(letter)});
  }
  std::fprintf(io.out, "%s", table.text(0).c_str());
  return {};
}

Status show_letter(QueueAccess& access, const DeadLettersFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const JsonValue letter, access.dead_letter(flags.queue, flags.id));
  if (flags.format == "json") {
    std::string json;
    append_json(json, letter);
    std::fprintf(io.out, "%s\n", json.c_str());
    return {};
  }
  std::fprintf(io.out, "id: %s\nsent: %s\ntries: %s\n", text_of(letter, "id").c_str(),
               text_of(letter, "sent_at").c_str(), grouped_digits(count_of(letter, "receives")).c_str());
  if (const JsonValue* const attributes = letter.find("attributes"); attributes != nullptr) {
    for (const auto& [name, value] : attributes->members()) {
      std::fprintf(io.out, "%s: %s\n", name.c_str(), std::string(value.as_string().value_or("")).c_str());
    }
  }
  std::fprintf(io.out, "\n%s\n", text_of(letter, "body").c_str());
  return {};
}

Status change_letters(QueueAccess& access, const DeadLettersFlags& flags, CommandIo& io) {
  const bool is_drop = flags.action == "drop";
  if (is_drop && !flags.yes) {
    if (!can_ask(io)) return Error(ErrorCode::cancelled, "nothing was dropped; --yes drops without being asked");
    const std::string what = flags.all ? "all dead letters of " + flags.queue : "dead letter " + flags.id;
    if (!is_agreed(io, "drop " + what + " for good?")) return Error(ErrorCode::cancelled, "nothing was dropped");
  }
  const auto id = flags.all ? std::nullopt : std::optional(flags.id);
  DENDRO_TRY_ASSIGN(const std::uint64_t count,
                    access.change(is_drop ? QueueAccess::Change::drop : QueueAccess::Change::retry, flags.queue, id));
  std::fprintf(io.out, "%s: %s\n", is_drop ? "dropped" : "to be delivered again", grouped_digits(count).c_str());
  return {};
}

int run_dead_letters(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<DeadLettersFlags>();
  const auto app = make_dead_letters_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  if (const std::string_view fault = usage_fault(*flags); !fault.empty()) {
    return report_failure(io, kDeadLetters, fault, 2);
  }
  const auto access = open_queue_access(flags->place, io);
  if (!access) return report_queue_error(io, kDeadLetters, flags->place, access.error());
  const Status done = flags->action == "list"   ? list_letters(**access, *flags, io)
                      : flags->action == "show" ? show_letter(**access, *flags, io)
                                                : change_letters(**access, *flags, io);
  return done ? 0 : report_queue_error(io, kDeadLetters, flags->place, done.error());
}

}  // namespace

Command admin_dead_letters_command() {
  return {"dead-letters", kDeadLettersSummary, &run_dead_letters, &make_dead_letters_app};
}

}  // namespace dendro
