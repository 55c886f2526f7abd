#include "apps/settings.h"

#include "io/secret_source.h"

#include <toml++/toml.h>
#include <algorithm>
#include <sstream>

namespace dendro {
namespace {

std::string dotted(const std::string& table, std::string_view key) {
  return table.empty() ? std::string(key) : table + "." + std::string(key);
}

/// A scalar of the file as the text a flag would have.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return std::nullopt;
}

/// `[[retention.rules]]` blocks of filter and days, as the text that the table's row takes.
std::optional<std::string> retention_rule_text(const toml::table& block) {
  const auto filter = block["filter"].value<std::string>();
  const toml::node* days = block.get("days");
  if (!filter || days == nullptr || !days->is_integer() || block.size() != 2) return std::nullopt;
  return std::to_string(days->as_integer()->get()) + "d " + *filter;
}

/// Blocks as the JSON documents that their part reads.
std::string json_text(const toml::table& block) {
  std::ostringstream text;
  text << toml::json_formatter(block, toml::format_flags::none);
  return text.str();
}

/// `[[server.listen]]` blocks: of address and profile in the plain form "127.0.0.1:8080=platform", others whole.
std::string listener_text(const toml::table& block) {
  const auto address = block["address"].value<std::string>();
  const auto profile = block["profile"].value<std::string>();
  const std::size_t plain_members = (address ? 1U : 0U) + (profile ? 1U : 0U);
  if (!address || block.size() != plain_members) return json_text(block);
  return profile ? *address + "=" + *profile : *address;
}

/// `[roles.NAME]` tables: each as the JSON document of a role.
std::optional<std::vector<std::string>> role_texts(const toml::table& roles) {
  std::vector<std::string> texts;
  for (const auto& [name, node] : roles) {
    if (node.as_table() == nullptr) return std::nullopt;
    toml::table role = *node.as_table();
    role.insert_or_assign("name", std::string(name.str()));
    texts.push_back(json_text(role));
  }
  return texts;
}

/// A block of a list of blocks.
std::optional<std::string> block_text(const std::string& path, const toml::table& block) {
  if (path == "alerts" || path == "receivers" || path == "auth.issuers" || path == "auth.certificates" ||
      path == "privacy.masking") {
    return json_text(block);
  }
  if (path == "server.listen") return listener_text(block);
  return path == "retention.rules" ? retention_rule_text(block) : std::nullopt;
}

std::string_view block_hint(const std::string& path) {
  if (path == "server.listen") return ", or blocks with an address";
  return path == "retention.rules" ? ", or blocks with a filter and a whole number of days" : "";
}

class TomlReader {
 public:
  explicit TomlReader(std::string name) : name_(std::move(name)) {}

  Status read(const toml::table& table, const std::string& path, std::map<std::string, std::vector<std::string>>& out) {
    for (const auto& [key, node] : table) {
      const std::string full = dotted(path, key.str());
      if (find_row(full) != nullptr) {
        DENDRO_TRY(take(full, node, out));
      } else if (const toml::table* inner = node.as_table()) {
        DENDRO_TRY(read(*inner, full, out));
      } else {
        return fault(node, "unknown setting '" + full + "'; docs/configuration.md lists them");
      }
    }
    return {};
  }

 private:
  static const SettingRow* find_row(const std::string& toml_path) {
    const auto rows = settings_table();
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const SettingRow& r) { return r.toml_path == toml_path; });
    return row == rows.end() ? nullptr : &*row;
  }

  Error fault(const toml::node& node, const std::string& text) const {
    return Error(ErrorCode::invalid_argument, name_ + ":" + std::to_string(node.source().begin.line) + ": " + text);
  }

  Status take(const std::string& path, const toml::node& node, std::map<std::string, std::vector<std::string>>& out) {
    std::vector<std::string> values;
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list) {
        const toml::table* block = element.as_table();
        const auto text = block != nullptr ? block_text(path, *block) : scalar_text(element);
        if (!text) return fault(element, "'" + path + "' takes texts" + std::string(block_hint(path)));
        values.push_back(*text);
      }
    } else if (const auto text = scalar_text(node)) {
      values.push_back(*text);
    } else if (path == "roles") {
      values = role_texts(*node.as_table()).value_or(std::vector<std::string>());
    }
    if (values.empty()) return fault(node, "'" + path + "' has no usable value");
    out[path] = std::move(values);
    return {};
  }

  std::string name_;
};

Result<std::map<std::string, std::vector<std::string>>> read_toml(const std::string& text, const std::string& name) {
  std::map<std::string, std::vector<std::string>> values;
  if (text.empty()) return values;
  try {
    const toml::table root = toml::parse(text, name);
    DENDRO_TRY(TomlReader(name).read(root, "", values));
    return values;
  } catch (const toml::parse_error& fault) {
    std::ostringstream line;
    line << name << ":" << fault.source().begin.line << ": " << fault.description();
    return Error(ErrorCode::invalid_argument, line.str());
  }
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    const std::size_t first = part.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    parts.push_back(part.substr(first, part.find_last_not_of(" \t") - first + 1));
  }
  return parts;
}

/// Bare names of the five systems, and what this version does when one is set.
struct CompatName {
  std::string_view name;
  enum class Effect { used, unused, refused } effect;
  std::string_view part;
};
constexpr CompatName kCompatNames[] = {
    {"DYNAMODB_TABLE_NAME", CompatName::Effect::refused, "the DynamoDB store"},
    {"MONGODB_URL", CompatName::Effect::unused, "the MongoDB store of the audit profile"},
    {"SQS_QUEUE_URL", CompatName::Effect::unused, "the SQS queue of the audit profile"},
    {"OPENSEARCH_URL", CompatName::Effect::unused, "the OpenSearch index of the audit profile"},
    {"DATABASE_URL", CompatName::Effect::unused, "the PostgreSQL store of the access profile"},
    {"GEMINI_API_KEY", CompatName::Effect::unused, "model answers of the diagnose profile"},
};

Status look_at_compat_names(const SettingSources& sources, LoadedSettings& loaded) {
  for (const CompatName& row : kCompatNames) {
    const auto found = sources.environment.find(std::string(row.name));
    if (found == sources.environment.end() || found->second.empty()) continue;
    loaded.compat_names_in_use.emplace_back(row.name);
    if (row.effect == CompatName::Effect::refused) {
      return Error(ErrorCode::unimplemented,
                   std::string(row.name) + " is set, but " + std::string(row.part) +
                       " is not built into this version; unset it, or pass --no-compat-env to ignore such names");
    }
    loaded.warnings.push_back(std::string(row.name) + " is set; " + std::string(row.part) +
                              " is not built into this version");
  }
  return {};
}

Status apply_values(const SettingRow& row, Settings& settings, std::span<const std::string> values,
                    const std::string& source) {
  const Status applied = row.apply(settings, values);
  return applied ? Status() : Status(applied.error().with_context(source));
}

/// What the file, a variable or a flag says about a setting; a secret is read where it lies.
Status take_values(const SettingRow& row, std::vector<std::string> values, const std::string& source,
                   const SecretReader& secrets, LoadedSettings& loaded) {
  for (std::string& value : values) {
    if (!row.is_secret) break;
    Result<SecretText> secret = secrets.read(value);
    if (!secret) return secret.error().with_context(source);
    if (!secret->warning.empty()) loaded.warnings.push_back(std::string(row.toml_path) + ": " + secret->warning);
    value = std::move(secret->text);
  }
  return apply_values(row, loaded.settings, values, source);
}

/// What the variable says, if it is set.
Status apply_variable(const SettingRow& row, std::string_view name, const SettingSources& sources,
                      const SecretReader& secrets, LoadedSettings& loaded) {
  const auto found = sources.environment.find(std::string(name));
  if (name.empty() || found == sources.environment.end() || found->second.empty()) return {};
  std::vector<std::string> values = row.is_list ? split_commas(found->second) : std::vector<std::string>{found->second};
  if (values.empty()) return {};
  if (name != row.compat_environment) return take_values(row, std::move(values), std::string(name), secrets, loaded);
  loaded.compat_names_in_use.emplace_back(name);
  return apply_values(row, loaded.settings, values, std::string(name));
}

/// Reads a secret from its file. Errors name the place of the secret, never the secret.
Status read_secret_file(std::string_view setting, const std::string& file, const SecretReader& secrets,
                        std::string& secret, LoadedSettings& loaded) {
  if (file.empty()) return {};
  const std::string name(setting);
  if (!secret.empty()) {
    return Error(ErrorCode::invalid_argument, name + " and " + name + "_file: name one of them");
  }
  Result<SecretText> read = secrets.read("file:" + file);
  if (!read) return read.error().with_context(name + "_file");
  if (!read->warning.empty()) loaded.warnings.push_back(name + "_file: " + read->warning);
  secret = std::move(read->text);
  return {};
}

Status read_secret_files(const SecretReader& secrets, LoadedSettings& loaded) {
  Settings& settings = loaded.settings;
  IdentitySettings& identity = settings.identity;
  DENDRO_TRY(read_secret_file("auth.secret_key", settings.secret_key_file, secrets, identity.secret_key, loaded));
  DENDRO_TRY(read_secret_file("auth.oidc.client_secret", settings.oidc_secret_file, secrets,
                              identity.oidc.client_secret, loaded));
  DENDRO_TRY(check_oidc_settings(identity.oidc));
  const bool is_set = !identity.secret_key.empty() || !settings.secret_key_file.empty();
  return is_set ? check_secret_key(identity.secret_key) : Status();
}

Status check_privacy_key(const std::string& key, const std::string& file, std::string_view name) {
  if ((key.empty() && file.empty()) || key.size() >= MasterKeys::kBytesMin) return {};
  return Error(ErrorCode::invalid_argument, std::string(name) + ": has " + std::to_string(key.size()) +
                                                " bytes, at least 32 are needed; `openssl rand -base64 32` makes one");
}

Status read_privacy_keys(const SecretReader& secrets, LoadedSettings& loaded) {
  Settings& settings = loaded.settings;
  MasterKeys& keys = settings.privacy_keys;
  DENDRO_TRY(read_secret_file("privacy.key", settings.privacy_key_file, secrets, keys.current, loaded));
  DENDRO_TRY(
      read_secret_file("privacy.key_previous", settings.privacy_key_previous_file, secrets, keys.previous, loaded));
  DENDRO_TRY(check_privacy_key(keys.current, settings.privacy_key_file, "privacy.key"));
  DENDRO_TRY(check_privacy_key(keys.previous, settings.privacy_key_previous_file, "privacy.key_previous"));
  if (keys.current.empty() && settings.masking != nullptr && needs_privacy_key(*settings.masking)) {
    return Error(ErrorCode::invalid_argument, "privacy.masking: hash and tokenize need privacy.key_file");
  }
  return {};
}

}  // namespace

Result<LoadedSettings> load_settings(const SettingSources& sources) {
  LoadedSettings loaded;
  DENDRO_TRY_ASSIGN(const auto toml_values, read_toml(sources.toml_text, sources.toml_name));
  const SecretReader secrets([&sources](const std::string& name) -> std::optional<std::string> {
    const auto found = sources.environment.find(name);
    return found == sources.environment.end() ? std::nullopt : std::optional(found->second);
  });
  for (const SettingRow& row : settings_table()) {
    if (const auto found = toml_values.find(std::string(row.toml_path)); found != toml_values.end()) {
      DENDRO_TRY(
          take_values(row, found->second, sources.toml_name + ": " + std::string(row.toml_path), secrets, loaded));
    }
    if (sources.compat_environment) DENDRO_TRY(apply_variable(row, row.compat_environment, sources, secrets, loaded));
    DENDRO_TRY(apply_variable(row, row.environment, sources, secrets, loaded));
    if (const auto flag = sources.flags.find(std::string(row.flag));
        !row.flag.empty() && flag != sources.flags.end() && !flag->second.empty()) {
      DENDRO_TRY(apply_values(row, loaded.settings, flag->second, std::string(row.flag)));
    }
  }
  if (sources.compat_environment) DENDRO_TRY(look_at_compat_names(sources, loaded));
  for (const auto& [name, value] : sources.environment) {
    if (name.starts_with("AWS_") || name == "HOME") loaded.settings.aws_environment.emplace(name, value);
  }
  DENDRO_TRY(read_secret_files(secrets, loaded));
  DENDRO_TRY(read_privacy_keys(secrets, loaded));
  return loaded;
}

Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text) {
  std::map<std::string, std::string> values;
  std::stringstream stream{std::string(text)};
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string::npos || line[first] == '#') continue;
    if (line.compare(first, 7, "export ") == 0) first += 7;
    const std::size_t equals = line.find('=', first);
    if (equals == std::string::npos || equals == first) {
      return Error(ErrorCode::invalid_argument, "line " + std::to_string(number) + ": expected NAME=VALUE");
    }
    std::string value = line.substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    values[line.substr(first, equals - first)] = std::move(value);
  }
  return values;
}

}  // namespace dendro
