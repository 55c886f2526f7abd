#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace dendro {

/// A variable of the environment; nothing if it is not set.
using AwsVariable = std::function<std::optional<std::string>(const std::string& name)>;

/// One section of the profile files. Settings of a block ("s3 =" and indented lines) are named "s3.addressing_style".
using AwsProfile = std::map<std::string, std::string>;

/// ~/.aws/config and ~/.aws/credentials, or what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name. A file that is
/// not there is empty. Holds secrets: not to be logged.
class AwsProfiles {
 public:
  /// Errors: invalid_argument (a line that is none, by file and number), io_error, permission_denied.
  static Result<AwsProfiles> read(const AwsVariable& variable, FileSystem& files);

  /// AWS_PROFILE, else "default".
  const std::string& chosen() const { return chosen_; }
  bool is_chosen_by_name() const { return is_chosen_by_name_; }
  /// Null: there is none of this name.
  const AwsProfile* find(const std::string& name) const;
  /// A setting of the chosen profile; empty: there is none.
  std::string setting(const std::string& name) const;
  /// The endpoint that the chosen profile names for a service ("services = NAME", "endpoint_url"); empty: none.
  std::string endpoint_of(std::string_view service) const;

 private:
  std::string chosen_ = "default";
  bool is_chosen_by_name_ = false;
  std::map<std::string, AwsProfile> profiles_, services_;
};

/// Scheme, host, and the path below which a service lies.
struct AwsEndpoint {
  std::string scheme = "https";
  std::string host;       ///< with its port where it is not the scheme's own
  std::string base_path;  ///< "" or "/minio"
  bool is_override = false;
};

/// Where the services are, as environment and profile say. Immutable.
struct AwsSettings {
  std::string region;  ///< empty: nobody said
  bool uses_fips = false;
  std::string s3_addressing;                                               ///< "", "path", "virtual"
  std::function<std::string(std::string_view service)> endpoint_override;  ///< a URL, or empty

  /// AWS_REGION, AWS_DEFAULT_REGION, the profile's region; AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's.
  static AwsSettings read(const AwsVariable& variable, std::shared_ptr<const AwsProfiles> profiles);
};

/// Errors: invalid_argument (a region or an override that is none).
Result<AwsEndpoint> aws_endpoint(const AwsSettings& settings, std::string_view service, const std::string& region);

/// "eu-central-1": letters, digits and hyphens, so that it can be part of a host name.
bool is_aws_region(std::string_view region);
/// Whether a bucket can be part of a host name under a certificate for one label (no dots).
bool is_dns_bucket(std::string_view bucket);
/// Errors: invalid_argument (no http or https address, with user or query).
Result<AwsEndpoint> parse_aws_endpoint(const std::string& url);

}  // namespace dendro
