#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/settings.h"

namespace CLI {
class App;
}

namespace dendro {

/// Where a command's settings are, beside the process's environment.
struct SettingFiles {
  std::string config, env_file;
  bool no_compat_env = false;
};
/// Adds --config, --env-file and --no-compat-env.
void add_setting_file_options(CLI::App& app, SettingFiles& files);
/// @param flags  by flag of settings_table(). Errors: those of load_settings; invalid_argument (a file).
Result<LoadedSettings> load_settings_from(const SettingFiles& files,
                                          const std::map<std::string, std::vector<std::string>>& flags);

}  // namespace dendro
