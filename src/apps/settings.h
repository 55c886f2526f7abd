#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chain_settings.h"
#include "base/result.h"
#include "identity/identity_parts.h"
#include "server/options.h"
#include "server/tls/tls_settings.h"
#include "server/use_recording.h"
#include "services/privacy/mask_rule.h"
#include "services/privacy/privacy_keys.h"
#include "storage/store.h"

namespace dendro {

/// Everything `dendro serve` can be told. docs/configuration.md is made from settings_table().
struct Settings {
  std::vector<std::string> listeners = {"127.0.0.1:8080"};  ///< as parse_listener_spec takes them
  TlsSettings tls;                                          ///< of listeners that do not say otherwise
  StoreOptions store;                                       ///< `directory` is data_dir
  ServerOptions server;
  IdentitySettings identity;
  std::string secret_key_file;                                    ///< of identity.secret_key; empty: no file
  std::string oidc_secret_file;                                   ///< of identity.oidc.client_secret; likewise
  std::uint64_t memory_limit_bytes = 0;                           ///< 0: default_memory_limit()
  std::uint64_t query_memory_bytes = std::uint64_t{2'048} << 20;  ///< all queries together
  std::uint64_t tail_memory_bytes = std::uint64_t{256} << 20;     ///< all live tails together
  std::chrono::milliseconds slow_query_after{5'000};              ///< 0: none is slow
  std::size_t tails_per_tenant_max = 20;
  std::size_t tenant_labels_max = 20;  ///< tenants that metrics name
  bool insecure = false;
  std::size_t worker_threads = 0;  ///< 0: one a core, at least 2
  std::size_t worker_queue_tasks_max = 1'024;
  std::string log_level = "info";   ///< debug, info, warning, error
  std::string log_format = "auto";  ///< json, text; auto: text on a terminal
  std::vector<std::string> analyze_allowed_buckets = {"*"};
  std::string sns_topic_arn;                                ///< of alerts of /notify; empty: none
  std::map<std::string, std::string> aws_environment;       ///< AWS_* and HOME, with those of the dotenv file; secrets
  std::string geoip_database;                               ///< of addresses; empty: there is none
  std::string lookup_directory;                             ///< of tables that queries may read; empty: there are none
  std::string spill_directory;                              ///< of temporary files of queries; empty: `tmp` in data_dir
  std::uint64_t spill_bytes_max = std::uint64_t{10} << 30;  ///< of one query; 0: none
  std::string backup_directory;                             ///< of backups over the network; empty: there are none
  std::string audit_api_prefix = "/api/v1";                 ///< in front of the routes of the audit log service
  std::string audit_project_name = "dendro";                ///< in the welcome of the audit profile
  ChainSettings chain;                                      ///< of tamper evidence
  TrailMode audit_trail = TrailMode::automatic;             ///< which uses of native routes are recorded
  std::vector<std::string> alert_rules, alert_receivers;    ///< JSON documents, one a block of the file
  MasterKeys privacy_keys;                                  ///< empty: there is none
  std::string privacy_key_file, privacy_key_previous_file;  ///< of privacy_keys; empty: no file
  std::shared_ptr<const MaskRules> masking;                 ///< of tenants without rules of their own; null: none
  std::chrono::milliseconds drain_timeout{20'000};

  Settings() { store.directory = "dendro-data"; }
};

/// One setting: where it can be said, and what it does. An empty name means: not there.
struct SettingRow {
  std::string_view toml_path;    ///< "server.insecure"
  std::string_view environment;  ///< "DENDRO_INSECURE"
  std::string_view flag;         ///< "--insecure"; one that takes no value if `is_switch`
  bool is_switch = false;
  bool is_list = false;          ///< several: an array in TOML, commas in the environment, the flag again
  std::string_view value_name;   ///< "DIR"
  std::string_view description;  ///< one line, with unit and default
  Status (*apply)(Settings& settings, std::span<const std::string> values);
  std::string_view compat_environment = {};  ///< "SECRET_KEY": of the original systems, weaker than `environment`
  /// The value is a secret or names where it lies (SecretReader); that of `compat_environment` is always the secret.
  bool is_secret = false;
};
std::span<const SettingRow> settings_table();

/// Where settings come from, weakest first (five-systems.md 1.6).
struct SettingSources {
  std::string toml_text;                                  ///< empty: no file
  std::string toml_name;                                  ///< for error texts
  std::map<std::string, std::string> environment;         ///< the process's, with the dotenv file's below it
  std::map<std::string, std::vector<std::string>> flags;  ///< by flag, values in order
  bool compat_environment = true;                         ///< false: --no-compat-env
};

struct LoadedSettings {
  Settings settings;
  std::vector<std::string> compat_names_in_use;  ///< bare names of the five systems that are set; names only
  std::vector<std::string> warnings;
};

/// Reads the file of the secret, too. Errors: invalid_argument naming the source and the setting, never a secret;
/// unimplemented where a variable asks for a part that is not built and going on would be less safe, or store
/// elsewhere, than its author meant.
Result<LoadedSettings> load_settings(const SettingSources& sources);

/// "60s", "500ms", "5m", "24h", "30d". Errors: invalid_argument.
Result<std::chrono::milliseconds> parse_time_span(const std::string& text);

/// KEY=VALUE lines of a dotenv file; `export `, blank lines and # comments are skipped, surrounding quotes stripped.
/// Errors: invalid_argument with the line number.
Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text);

}  // namespace dendro
