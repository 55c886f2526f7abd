#include "adapters/aws/aws_settings.h"

#include <algorithm>
#include <sstream>

namespace dendro {
namespace {

constexpr std::uint64_t kProfileFileBytesMax = 1 << 20;

std::string trimmed_text(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::string variable_text(const AwsVariable& variable, const std::string& name) {
  return variable(name).value_or("");
}

bool is_true_word(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return word == "true" || word == "1" || word == "yes";
}

/// Sections of one file, by the words between the brackets.
class ProfileFileReader {
 public:
  Status read(const std::string& path, const std::string& text, std::map<std::string, AwsProfile>& sections) {
    std::stringstream stream(text);
    std::size_t number = 0;
    AwsProfile* section = nullptr;
    std::string block;
    for (std::string line; std::getline(stream, line);) {
      ++number;
      const std::string words = trimmed_text(line);
      if (words.empty() || words[0] == '#' || words[0] == ';') continue;
      if (words.front() == '[' && words.find(']') != std::string::npos) {
        section = &sections[trimmed_text(words.substr(1, words.find(']') - 1))];
        block.clear();
        continue;
      }
      const std::size_t equals = words.find('=');
      if (section == nullptr || equals == std::string::npos) {
        // Never the line itself: it may hold a secret.
        return Error(ErrorCode::invalid_argument,
                     path + ": line " + std::to_string(number) + " is neither [section] nor name = value");
      }
      const std::string name = trimmed_text(words.substr(0, equals));
      const bool is_indented = line[0] == ' ' || line[0] == '\t';
      const std::string value = value_of(words.substr(equals + 1));
      if (is_indented && !block.empty()) {
        (*section)[block + "." + name] = value;
        continue;
      }
      block = value.empty() ? name : "";
      (*section)[name] = value;
    }
    return {};
  }

 private:
  /// Comments behind a value begin with a blank and # or ;.
  static std::string value_of(std::string_view text) {
    const std::size_t comment = std::min(text.find(" #"), text.find(" ;"));
    return trimmed_text(text.substr(0, comment));
  }
};

/// The file if it is there.
Result<std::string> read_profile_file(const AwsVariable& variable, FileSystem& files, const std::string& name_variable,
                                      const char* home_path, std::string& path) {
  path = variable_text(variable, name_variable);
  const bool is_named = !path.empty();
  if (!is_named) {
    const std::string home = variable_text(variable, "HOME");
    if (home.empty()) return std::string();
    path = home + home_path;
  }
  Result<std::string> text = read_whole_file(files, path, kProfileFileBytesMax);
  if (text) return text;
  // A service may not look into its user's home; what was named must be readable.
  const ErrorCode code = text.error().code();
  const bool may_be_absent = code == ErrorCode::not_found || (code == ErrorCode::permission_denied && !is_named);
  return may_be_absent ? Result<std::string>(std::string()) : text;
}

/// Small letters, digits, and hyphens between them.
bool is_host_label(std::string_view text) {
  return text.front() != '-' && text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string service_variable(std::string_view service) {
  std::string name = "AWS_ENDPOINT_URL_";
  for (const char c : service) name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '-' ? '_' : c);
  return name;
}

}  // namespace

Result<AwsProfiles> AwsProfiles::read(const AwsVariable& variable, FileSystem& files) {
  AwsProfiles profiles;
  if (const std::string name = variable_text(variable, "AWS_PROFILE"); !name.empty()) {
    profiles.chosen_ = name;
    profiles.is_chosen_by_name_ = true;
  }
  std::string path;
  std::map<std::string, AwsProfile> config, credentials;
  DENDRO_TRY_ASSIGN(const std::string config_text,
                    read_profile_file(variable, files, "AWS_CONFIG_FILE", "/.aws/config", path));
  DENDRO_TRY(ProfileFileReader().read(path, config_text, config));
  DENDRO_TRY_ASSIGN(const std::string credentials_text,
                    read_profile_file(variable, files, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials", path));
  DENDRO_TRY(ProfileFileReader().read(path, credentials_text, credentials));
  for (auto& [name, profile] : config) {
    if (name.starts_with("profile ")) {
      profiles.profiles_[trimmed_text(name.substr(8))] = profile;
    } else if (name.starts_with("services ")) {
      profiles.services_[trimmed_text(name.substr(9))] = profile;
    } else if (name == "default") {
      profiles.profiles_.try_emplace(name, profile);
    }
  }
  for (auto& [name, profile] : credentials) {
    for (auto& [key, value] : profile) profiles.profiles_[name][key] = value;
  }
  return profiles;
}

const AwsProfile* AwsProfiles::find(const std::string& name) const {
  const auto found = profiles_.find(name);
  return found == profiles_.end() ? nullptr : &found->second;
}

std::string AwsProfiles::setting(const std::string& name) const {
  const AwsProfile* const profile = find(chosen_);
  if (profile == nullptr) return "";
  const auto found = profile->find(name);
  return found == profile->end() ? "" : found->second;
}

std::string AwsProfiles::endpoint_of(std::string_view service) const {
  std::string key = std::string(service) + ".endpoint_url";
  std::replace(key.begin(), key.end(), '-', '_');
  if (const auto services = services_.find(setting("services")); services != services_.end()) {
    if (const auto found = services->second.find(key); found != services->second.end()) return found->second;
  }
  return setting("endpoint_url");
}

AwsSettings AwsSettings::read(const AwsVariable& variable, std::shared_ptr<const AwsProfiles> profiles) {
  AwsSettings settings;
  settings.region = variable_text(variable, "AWS_REGION");
  if (settings.region.empty()) settings.region = variable_text(variable, "AWS_DEFAULT_REGION");
  if (settings.region.empty()) settings.region = profiles->setting("region");
  settings.uses_fips = is_true_word(variable("AWS_USE_FIPS_ENDPOINT").value_or(profiles->setting("use_fips_endpoint")));
  settings.s3_addressing = profiles->setting("s3.addressing_style");
  const bool ignores = is_true_word(
      variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").value_or(profiles->setting("ignore_configured_endpoint_urls")));
  settings.endpoint_override = [variable, profiles = std::move(profiles), ignores](std::string_view service) {
    if (ignores) return std::string();
    std::string url = variable_text(variable, service_variable(service));
    if (url.empty()) url = variable_text(variable, "AWS_ENDPOINT_URL");
    return url.empty() ? profiles->endpoint_of(service) : url;
  };
  return settings;
}

bool is_aws_region(std::string_view region) {
  return !region.empty() && region.size() <= 40 && is_host_label(region);
}

bool is_dns_bucket(std::string_view bucket) {
  return bucket.size() >= 3 && bucket.size() <= 63 && is_host_label(bucket);
}

Result<AwsEndpoint> parse_aws_endpoint(const std::string& url) {
  AwsEndpoint endpoint;
  endpoint.is_override = true;
  const std::size_t scheme_end = url.find("://");
  endpoint.scheme = url.substr(0, std::min(scheme_end, url.size()));
  const bool is_bad =
      (endpoint.scheme != "http" && endpoint.scheme != "https") || url.find_first_of("@?# \t\r\n") != std::string::npos;
  if (is_bad) {
    // Not the address itself: it may hold a password.
    return Error(ErrorCode::invalid_argument,
                 "an AWS endpoint must be an http:// or https:// address without user and query");
  }
  const std::size_t first = scheme_end + 3;
  const std::size_t slash = std::min(url.find('/', first), url.size());
  endpoint.host = url.substr(first, slash - first);
  endpoint.base_path = url.substr(slash);
  while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  const std::string_view default_port = endpoint.scheme == "http" ? ":80" : ":443";
  if (endpoint.host.ends_with(default_port)) endpoint.host.resize(endpoint.host.size() - default_port.size());
  if (endpoint.host.empty()) return Error(ErrorCode::invalid_argument, "an AWS endpoint names no host");
  return endpoint;
}

Result<AwsEndpoint> aws_endpoint(const AwsSettings& settings, std::string_view service, const std::string& region) {
  if (settings.endpoint_override) {
    if (const std::string url = settings.endpoint_override(service); !url.empty()) return parse_aws_endpoint(url);
  }
  if (!is_aws_region(region)) {
    return Error(ErrorCode::invalid_argument,
                 region.empty() ? "no AWS region is set: set AWS_REGION" : "'" + region + "' is no AWS region");
  }
  AwsEndpoint endpoint;
  endpoint.host = std::string(service) + (settings.uses_fips ? "-fips." : ".") + region + ".amazonaws.com";
  if (region.starts_with("cn-")) endpoint.host += ".cn";
  return endpoint;
}

}  // namespace dendro
