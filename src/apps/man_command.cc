#include "apps/man_command.h"

#include <CLI/CLI.hpp>

#include "apps/build_info.h"
#include "apps/cli.h"
#include "apps/command_table.h"

namespace dendro {
namespace {

/// Text for roff: backslashes, and dots or quotes at the start of a line, lose their meaning.
std::string roff_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line_start = i == 0 || text[i - 1] == '\n';
    if (line_start && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

/// @param front  what stands before the command's name: "dendro ".
void append_command(std::string& out, const Command& command, const std::string& front) {
  out += ".SS " + roff_text(front + std::string(command.name)) + "\n" + roff_text(command.summary) + "\n";
  for (const OptionRow& row : option_rows(command)) {
    out += ".TP\n";
    if (!row.short_name.empty()) out += "\\fB\\-" + row.short_name + "\\fR" + (row.long_name.empty() ? "" : ", ");
    if (!row.long_name.empty()) out += "\\fB\\-\\-" + roff_text(row.long_name) + "\\fR";
    if (!row.value_name.empty()) out += (row.long_name.empty() ? "\\fI" : " \\fI") + roff_text(row.value_name) + "\\fR";
    out += "\n" + roff_text(row.description) + "\n";
  }
  const std::shared_ptr<CLI::App> app = command.make_app();
  out += ".PP\n.nf\n" + roff_text(app->get_footer()) + "\n.fi\n";
  if (command.subcommands == nullptr) return;
  for (const Command& sub : command.subcommands()) append_command(out, sub, front + std::string(command.name) + " ");
}

std::shared_ptr<CLI::App> make_man_app() {
  return make_cli_app("man", "print the manual page (roff)", "  dendro man | man -l -\n  dendro man > dendro.1\n");
}

int run_man(std::span<const std::string> args, CommandIo& io) {
  const auto app = make_man_app();
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  std::string out = ".TH DENDRO 1 \"\" \"dendro " + std::string(version_text()) + "\" \"User Commands\"\n";
  out +=
      ".SH NAME\ndendro \\- store, search and count logs\n.SH SYNOPSIS\n.B dendro\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH "
      "COMMANDS\n";
  for (const Command& command : command_table()) append_command(out, command, "dendro ");
  out +=
      ".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nthe run failed\n.TP\n.B 2\nusage or configuration\n.TP\n.B "
      "3\nalert (analyze \\-\\-fail\\-on\\-alert)\n";
  std::fputs(out.c_str(), io.out);
  return 0;
}

}  // namespace

Command man_command() {
  return {"man", "print the manual page (roff)", &run_man, &make_man_app};
}

}  // namespace dendro
