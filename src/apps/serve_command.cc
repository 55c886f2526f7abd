#include "apps/serve_command.h"

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "apps/cli.h"
#include "apps/log_sink.h"
#include "apps/serve_app.h"
#include "apps/settings.h"

extern "C" char** environ;  // NOLINT: POSIX

namespace dendro {
namespace {

constexpr std::string_view kServeSummary = "run the server";

struct ServeFlags {
  std::map<std::string, std::vector<std::string>> values;  ///< by flag of settings_table()
  std::string config, env_file;
  bool no_compat_env = false;
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
  app->add_option("--config", flags->config, "TOML file of settings")->type_name("FILE");
  app->add_option("--env-file", flags->env_file, "dotenv file, weaker than the environment")->type_name("FILE");
  app->add_flag("--no-compat-env", flags->no_compat_env, "ignore variables without DENDRO_ in front (SECRET_KEY, ...)");
  return app;
}

std::shared_ptr<CLI::App> make_serve_app() {
  const auto flags = std::make_shared<ServeFlags>();
  return keep_with(make_serve_app_with(flags), flags);
}

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream text;
  if (!stream || !(text << stream.rdbuf())) return Error(ErrorCode::invalid_argument, "cannot read '" + path + "'");
  return text.str();
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

Result<LoadedSettings> load_from(const ServeFlags& flags) {
  SettingSources sources;
  sources.flags = flags.values;
  sources.compat_environment = !flags.no_compat_env;
  sources.environment = process_environment();
  if (!flags.env_file.empty()) {
    DENDRO_TRY_ASSIGN(const std::string text, read_text_file(flags.env_file));
    auto parsed = parse_dotenv(text);
    if (!parsed) return parsed.error().with_context(flags.env_file);
    sources.environment.merge(std::move(parsed).value());  // keeps what the process has
  }
  if (!flags.config.empty()) {
    DENDRO_TRY_ASSIGN(sources.toml_text, read_text_file(flags.config));
    sources.toml_name = flags.config;
    if (sources.toml_text.empty()) sources.toml_text = "\n";
  }
  return load_settings(sources);
}

int exit_code_of_start(const Error& error) {
  return error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::unimplemented ? 2 : 1;
}

int run_serve(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<ServeFlags>();
  const auto app = make_serve_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const Result<LoadedSettings> loaded = load_from(*flags);
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
