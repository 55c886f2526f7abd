#include "apps/setting_files.h"

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>

extern "C" char** environ;  // NOLINT: POSIX

namespace dendro {
namespace {

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

}  // namespace

void add_setting_file_options(CLI::App& app, SettingFiles& files) {
  app.add_option("--config", files.config, "TOML file of settings")->type_name("FILE");
  app.add_option("--env-file", files.env_file, "dotenv file, weaker than the environment")->type_name("FILE");
  app.add_flag("--no-compat-env", files.no_compat_env, "ignore variables without DENDRO_ in front (SECRET_KEY, ...)");
}

Result<LoadedSettings> load_settings_from(const SettingFiles& files,
                                          const std::map<std::string, std::vector<std::string>>& flags) {
  SettingSources sources;
  sources.flags = flags;
  sources.compat_environment = !files.no_compat_env;
  sources.environment = process_environment();
  if (!files.env_file.empty()) {
    DENDRO_TRY_ASSIGN(const std::string text, read_text_file(files.env_file));
    auto parsed = parse_dotenv(text);
    if (!parsed) return parsed.error().with_context(files.env_file);
    sources.environment.merge(std::move(parsed).value());  // keeps what the process has
  }
  if (!files.config.empty()) {
    DENDRO_TRY_ASSIGN(sources.toml_text, read_text_file(files.config));
    sources.toml_name = files.config;
    if (sources.toml_text.empty()) sources.toml_text = "\n";
  }
  return load_settings(sources);
}

}  // namespace dendro
