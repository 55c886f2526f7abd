#include "apps/serve_command.h"

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <csignal>

#include "apps/cli.h"
#include "apps/log_sink.h"
#include "apps/serve_app.h"
#include "apps/setting_files.h"

namespace dendro {
namespace {

constexpr std::string_view kServeSummary = "run the server";

struct ServeFlags {
  std::map<std::string, std::vector<std::string>> values;  ///< by flag of settings_table()
  SettingFiles files;
};

std::shared_ptr<CLI::App> make_serve_app_with(const std::shared_ptr<ServeFlags>& flags) {
  auto app =
      make_cli_app("serve", kServeSummary,
                   "  dendro serve\n"
                   "  dendro serve --data /var/lib/dendro --listen 127.0.0.1:8080 --listen 127.0.0.1:9000=ingest\n"
                   "  dendro serve --listen '[::1]:8080=analytics'\n"
                   "Every setting also has a variable and a place in --config; docs/configuration.md lists them. "
                   "SIGTERM and SIGINT stop it in order.\n"
                   "Exit codes: 0 stopped, 1 could not start (port in use, data folder locked or damaged), 2 usage or "
                   "configuration.\n");
  for (const SettingRow& row : settings_table()) {
    if (row.flag.empty()) continue;
    std::vector<std::string>& values = flags->values[std::string(row.flag)];
    if (row.is_switch) {
      app->add_flag_callback(std::string(row.flag), [&values] { values = {"true"}; }, std::string(row.description));
    } else {
      CLI::Option* option = app->add_option(std::string(row.flag), values, std::string(row.description))
                                ->type_name(std::string(row.value_name));
      option->expected(1)->multi_option_policy(row.is_list ? CLI::MultiOptionPolicy::TakeAll
                                                           : CLI::MultiOptionPolicy::TakeLast);
    }
  }
  add_setting_file_options(*app, flags->files);
  return app;
}

std::shared_ptr<CLI::App> make_serve_app() {
  const auto flags = std::make_shared<ServeFlags>();
  return keep_with(make_serve_app_with(flags), flags);
}

int exit_code_of_start(const Error& error) {
  return error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::unimplemented ? 2 : 1;
}

int run_serve(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<ServeFlags>();
  const auto app = make_serve_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const Result<LoadedSettings> loaded = load_settings_from(flags->files, flags->values);
  if (!loaded) return report_failure(io, "serve", loaded.error().message(), exit_code_of_start(loaded.error()));

  const Settings& settings = loaded->settings;
  const bool json = settings.log_format == "json" || (settings.log_format == "auto" && !io.err_is_terminal);
  const std::unique_ptr<LogSink> log_sink = make_stderr_log_sink(parse_log_level(settings.log_level), json);
  set_log_sink(log_sink.get());
  for (const std::string& name : loaded->compat_names_in_use)
    log(LogLevel::info, "apps", "variable in use", {{"name", name}});
  for (const std::string& warning : loaded->warnings) log(LogLevel::warning, "apps", warning);

  // Threads started from here on inherit the mask, so only sigwait below sees the two.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

  int exit_code = 0;
  {
    Result<std::unique_ptr<ServeApp>> server = ServeApp::start(settings);
    if (!server) {
      exit_code = report_failure(io, "serve", server.error().message(), exit_code_of_start(server.error()));
    } else {
      for (const std::string& line : (*server)->listening_lines()) std::fprintf(io.out, "%s\n", line.c_str());
      std::fputs("ready\n", io.out);
      std::fflush(io.out);
      int signal_number = 0;
      sigwait(&stop_signals, &signal_number);
      log(LogLevel::info, "apps", "stopping", {{"signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM"}});
      (*server)->stop();
    }
  }
  set_log_sink(nullptr);
  return exit_code;  // the signals stay blocked: a second SIGTERM must not turn an orderly stop into a killed one
}

}  // namespace

Command serve_command() {
  return {"serve", kServeSummary, &run_serve, &make_serve_app};
}

}  // namespace dendro
