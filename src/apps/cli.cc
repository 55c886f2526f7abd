#include "apps/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

namespace dendro {

std::shared_ptr<CLI::App> make_cli_app(std::string_view command, std::string_view summary, std::string_view examples) {
  auto app = std::make_shared<CLI::App>(std::string(summary), "dendro " + std::string(command));
  app->set_help_flag("-h,--help", "show this text");
  app->footer("Examples:\n" + std::string(examples));
  app->get_formatter()->column_width(34);
  return app;
}

std::shared_ptr<CLI::App> keep_with(std::shared_ptr<CLI::App> app, std::shared_ptr<void> flags) {
  CLI::App* const raw = app.get();
  return {raw, [app = std::move(app), flags = std::move(flags)](CLI::App*) {}};
}

ParseOutcome parse_cli(CLI::App& app, std::span<const std::string> args, CommandIo& io) {
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());  // the order CLI11 wants
    app.parse(std::move(reversed));
    return {};
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), io.out);
    return {false, 0};
  } catch (const CLI::ParseError& fault) {
    std::fprintf(io.err, "%s: %s; `%s --help` shows the options\n", app.get_name().c_str(), fault.what(),
                 app.get_name().c_str());
    return {false, 2};
  }
}

int report_failure(CommandIo& io, std::string_view command, std::string_view text, int exit_code) {
  std::fprintf(io.err, "dendro %.*s: %.*s\n", static_cast<int>(command.size()), command.data(),
               static_cast<int>(text.size()), text.data());
  return exit_code;
}

std::vector<OptionRow> option_rows(const Command& command) {
  const std::shared_ptr<CLI::App> app = command.make_app();
  std::vector<OptionRow> rows;
  for (const CLI::Option* option : app->get_options()) {
    OptionRow row;
    if (!option->get_lnames().empty()) row.long_name = option->get_lnames().front();
    if (!option->get_snames().empty()) row.short_name = option->get_snames().front();
    if (option->get_items_expected_max() > 0) row.value_name = option->get_type_name();
    row.description = option->get_description();
    const std::string name = option->get_positional() ? option->get_name(true) : std::string();
    if (option->get_positional()) row.value_name = name;
    row.takes_file = row.value_name.find("FILE") != std::string::npos ||
                     row.value_name.find("PATH") != std::string::npos ||
                     row.value_name.find("DIR") != std::string::npos;
    rows.push_back(std::move(row));
  }
  const auto is_positional = [](const OptionRow& row) { return row.long_name.empty() && row.short_name.empty(); };
  std::vector<OptionRow> ordered;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(ordered), is_positional);
  std::remove_copy_if(rows.begin(), rows.end(), std::back_inserter(ordered), is_positional);
  return ordered;
}

}  // namespace dendro
