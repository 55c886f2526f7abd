#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_document.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/secret_source.h"

namespace dendro {

/// A block `[[receivers]]` of the configuration, its secrets read. Not to be logged.
struct ReceiverSettings {
  enum class Kind : std::uint8_t { webhook, slack, pagerduty, alertmanager, email, sns };
  enum class Tls : std::uint8_t { starttls, tls, none };
  std::string name;
  Kind kind = Kind::webhook;
  std::string url;     ///< http(s); of email smtp://host:port or smtps://host:port
  std::string secret;  ///< signature key, routing key, bearer token, password; empty: none
  std::string user;    ///< email
  std::string from;
  std::vector<std::string> to;
  Tls tls = Tls::starttls;
  std::string topic_arn;  ///< sns
  std::string ca_file;    ///< email: certificates that are trusted instead of the system's; it is there
};

/// Errors: invalid_argument naming the receiver and the member, never a value that may be a secret.
Result<ReceiverSettings> parse_receiver_settings(const JsonValue& block, FileSystem& files,
                                                 const SecretReader& secrets);

}  // namespace dendro
