#include "apps/completion_command.h"

#include <CLI/CLI.hpp>

#include "apps/cli.h"
#include "apps/command_table.h"

namespace dendro {
namespace {

std::span<const Command> subcommands_of(const Command& command) {
  return command.subcommands != nullptr ? command.subcommands() : std::span<const Command>();
}

std::string command_names(std::span<const Command> commands) {
  std::string names;
  for (const Command& command : commands) names += (names.empty() ? "" : " ") + std::string(command.name);
  return names;
}

std::string option_words(const Command& command) {
  std::string words;
  for (const OptionRow& row : option_rows(command)) {
    if (!row.long_name.empty()) words += (words.empty() ? "--" : " --") + row.long_name;
  }
  return words;
}

/// What stands behind a command's name: its options, or the names and options of those below it.
std::string bash_case(const Command& command) {
  const std::string name(command.name);
  const std::span<const Command> below = subcommands_of(command);
  if (below.empty()) return "    " + name + ") options=\"" + option_words(command) + "\" ;;\n";
  std::string out = "    " + name + ")\n      if [ \"$COMP_CWORD\" = 2 ]; then\n        COMPREPLY=($(compgen -W \"" +
                    command_names(below) +
                    "\" -- \"$word\"))\n        return\n      fi\n      case \"${COMP_WORDS[2]}\" in\n";
  for (const Command& sub : below) {
    out += "        " + std::string(sub.name) + ") options=\"" + option_words(sub) + "\" ;;\n";
  }
  return out + "      esac ;;\n";
}

std::string bash_completion() {
  std::string out =
      "# bash completion for dendro\n_dendro() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" options=\"\"\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n    COMPREPLY=($(compgen -W \"" +
      command_names(command_table()) +
      "\" -- \"$word\"))\n    return\n  fi\n"
      "  case \"${COMP_WORDS[1]}\" in\n";
  for (const Command& command : command_table()) out += bash_case(command);
  out +=
      "  esac\n  case \"$word\" in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n  esac\n}\ncomplete -o filenames -F _dendro dendro\n";
  return out;
}

/// Text inside single quotes of zsh and fish.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out.push_back(c == '\n' ? ' ' : c);
    }
  }
  return out + "'";
}

std::string zsh_case(const Command& command) {
  const std::string name(command.name);
  const std::span<const Command> below = subcommands_of(command);
  if (below.empty()) return "    " + name + ") options=(" + option_words(command) + ") ;;\n";
  std::string out = "    " + name + ")\n      if (( CURRENT == 3 )); then\n        compadd -- " + command_names(below) +
                    "\n        return\n      fi\n      case ${words[3]} in\n";
  for (const Command& sub : below)
    out += "        " + std::string(sub.name) + ") options=(" + option_words(sub) + ") ;;\n";
  return out + "      esac ;;\n";
}

std::string zsh_completion() {
  std::string out = "#compdef dendro\n_dendro() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const Command& command : command_table()) {
    out += "      " + shell_quoted(std::string(command.name) + ":" + std::string(command.summary)) + "\n";
  }
  out += "    )\n    _describe command commands\n    return\n  fi\n  local -a options\n  case ${words[2]} in\n";
  for (const Command& command : command_table()) out += zsh_case(command);
  out +=
      "  esac\n  if [[ ${words[CURRENT]} == -* ]]; then\n    compadd -- $options\n  else\n    _files\n  fi\n}\ncompdef "
      "_dendro dendro\n";
  return out;
}

void append_fish_options(std::string& out, const Command& command, const std::string& condition) {
  for (const OptionRow& row : option_rows(command)) {
    if (row.long_name.empty()) continue;
    out += "complete -c dendro -n '" + condition + "' -l " + row.long_name;
    if (!row.value_name.empty()) out += " -r";
    out += " -d " + shell_quoted(row.description) + "\n";
  }
}

std::string fish_completion() {
  std::string out = "# fish completion for dendro\n";
  for (const Command& command : command_table()) {
    const std::string name(command.name);
    const std::string seen = "__fish_seen_subcommand_from " + name;
    out += "complete -c dendro -n __fish_use_subcommand -f -a " + name + " -d " + shell_quoted(command.summary) + "\n";
    const std::span<const Command> below = subcommands_of(command);
    if (below.empty()) append_fish_options(out, command, seen);
    for (const Command& sub : below) {
      const std::string sub_name(sub.name);
      out += "complete -c dendro -n '" + seen + "; and not __fish_seen_subcommand_from " + command_names(below) +
             "' -f -a " + sub_name + " -d " + shell_quoted(sub.summary) + "\n";
      append_fish_options(out, sub, seen + "; and __fish_seen_subcommand_from " + sub_name);
    }
  }
  return out;
}

std::shared_ptr<CLI::App> make_completion_app() {
  auto app = make_cli_app(
      "completion", "print shell completion",
      "  source <(dendro completion bash)\n  dendro completion fish > ~/.config/fish/completions/dendro.fish\n");
  app->add_option("SHELL", "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return app;
}

int run_completion(std::span<const std::string> args, CommandIo& io) {
  const auto app = make_completion_app();
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::string shell = app->get_option("SHELL")->as<std::string>();
  std::fputs((shell == "bash"  ? bash_completion()
              : shell == "zsh" ? zsh_completion()
                               : fish_completion())
                 .c_str(),
             io.out);
  return 0;
}

}  // namespace

Command completion_command() {
  return {"completion", "print shell completion", &run_completion, &make_completion_app};
}

}  // namespace dendro
