#include "services/alerts/receivers/receiver_settings.h"

#include <algorithm>

#include "base/log.h"

namespace dendro {
namespace {

constexpr std::uint64_t kCertificatesBytesMax = 16 << 20;
constexpr std::string_view kPagerDutyUrl = "https://events.pagerduty.com";

struct ReceiverKindRow {
  std::string_view name;
  ReceiverSettings::Kind kind;
};
constexpr ReceiverKindRow kReceiverKinds[] = {
    {"webhook", ReceiverSettings::Kind::webhook},     {"slack", ReceiverSettings::Kind::slack},
    {"pagerduty", ReceiverSettings::Kind::pagerduty}, {"alertmanager", ReceiverSettings::Kind::alertmanager},
    {"email", ReceiverSettings::Kind::email},         {"sns", ReceiverSettings::Kind::sns}};

/// No blank, control or angle bracket: none can end a header or a command of SMTP early.
bool is_address(const std::string& text) {
  return text.size() <= 254 && text.find('@') != std::string::npos &&
         std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte >= 0x7F || c == '<' || c == '>' || c == ',' || c == '"';
         });
}

/// Reads one block; says which receiver is wrong.
class ReceiverReader {
 public:
  ReceiverReader(const JsonValue& block, FileSystem& files, const SecretReader& secrets)
      : block_(block), files_(files), secrets_(secrets) {}

  Result<ReceiverSettings> run() {
    DENDRO_TRY(read_name());
    DENDRO_TRY(check_members());
    DENDRO_TRY(read_kind());
    DENDRO_TRY_ASSIGN(settings_.url, value_or_source("url"));
    DENDRO_TRY_ASSIGN(settings_.secret, value_or_source("secret"));
    DENDRO_TRY(check_kind_members());
    return std::move(settings_);
  }

 private:
  Error wrong(std::string_view member, const std::string& what) const {
    return Error(ErrorCode::invalid_argument,
                 "receiver \"" + settings_.name + "\": " + std::string(member) + ": " + what);
  }
  std::string text(std::string_view member) const {
    const JsonValue* const value = block_.find(member);
    return value == nullptr ? std::string() : std::string(value->as_string().value_or(""));
  }

  Status read_name() {
    settings_.name = text("name");
    return settings_.name.empty() ? Status(wrong("name", "must be there and a text")) : Status();
  }

  Status check_members() const {
    constexpr std::string_view kKnown[] = {"name", "kind", "url", "url_file", "url_env", "secret_file", "secret_env",
                                           "user", "from", "to",  "tls",      "ca_file", "topic_arn"};
    for (const auto& [name, value] : block_.members()) {
      if (name == "secret" && has_secret_reference_form(value.as_string().value_or(""))) continue;
      if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
        return wrong(
            name,
            "there is no such setting" +
                std::string(name == "secret" ? " but as a reference; secret_file or secret_env name where it is" : ""));
      }
      if (name != "to" && !value.is_string()) return wrong(name, "must be a text");
    }
    return {};
  }

  Status read_kind() {
    const std::string kind = text("kind");
    for (const ReceiverKindRow& row : kReceiverKinds) {
      if (row.name != kind) continue;
      settings_.kind = row.kind;
      return {};
    }
    return wrong("kind", "must be one of webhook, slack, pagerduty, alertmanager, email, sns");
  }

  Result<std::string> secret_at(std::string_view member, const std::string& reference) const {
    Result<SecretText> read = secrets_.read(reference);
    if (!read) return wrong(member, read.error().message());
    if (!read->warning.empty()) log(LogLevel::warning, "services", read->warning, {{"receiver", settings_.name}});
    return std::move(read->text);
  }

  /// NAME, or what the file NAME_file or the variable NAME_env holds.
  Result<std::string> value_or_source(const std::string& name) {
    std::string value = text(name);
    if (name == "secret" && !value.empty()) {
      DENDRO_TRY_ASSIGN(value, secret_at(name, value));
    }
    if (const std::string path = text(name + "_file"); !path.empty()) {
      DENDRO_TRY_ASSIGN(value, secret_at(name + "_file", "file:" + path));
    }
    if (const std::string variable = text(name + "_env"); !variable.empty()) {
      DENDRO_TRY_ASSIGN(value, secret_at(name + "_env", "env:" + variable));
    }
    return value;
  }

  Status check_kind_members() {
    if (settings_.kind == ReceiverSettings::Kind::sns) return read_topic();
    if (block_.find("topic_arn") != nullptr) return wrong("topic_arn", "is of receivers of kind sns only");
    return settings_.kind == ReceiverSettings::Kind::email ? read_email() : check_url();
  }

  Status read_topic() {
    settings_.topic_arn = text("topic_arn");
    if (settings_.topic_arn.empty()) return wrong("topic_arn", "must be there and a text");
    for (const char* other : {"url", "url_file", "url_env", "secret_file", "secret_env"}) {
      if (block_.find(other) != nullptr) return wrong(other, "is not of receivers of kind sns: AWS credentials sign");
    }
    return {};
  }

  Status check_url() {
    if (settings_.kind == ReceiverSettings::Kind::pagerduty) {
      if (settings_.url.empty()) settings_.url = kPagerDutyUrl;
      if (settings_.secret.empty()) return wrong("secret_file", "PagerDuty needs the routing key");
    }
    if (block_.find("ca_file") != nullptr) return wrong("ca_file", "is of receivers of kind email only");
    if (settings_.url.starts_with("http://") || settings_.url.starts_with("https://")) return {};
    return wrong("url", "must be an http:// or https:// address");
  }

  Status read_email() {
    settings_.user = text("user");
    settings_.from = text("from");
    const std::string tls = text("tls");
    if (tls == "none") settings_.tls = ReceiverSettings::Tls::none;
    if (!settings_.url.starts_with("smtp://") && !settings_.url.starts_with("smtps://")) {
      return wrong("url", "must be an smtp:// or smtps:// address");
    }
    // It would be a password in places that nobody keeps secret.
    if (settings_.url.find('@') != std::string::npos)
      return wrong("url", "must not hold a user; user and secret_file do");
    if (settings_.url.starts_with("smtps://")) settings_.tls = ReceiverSettings::Tls::tls;
    if (!tls.empty() && tls != "none" && tls != "starttls") return wrong("tls", "must be starttls or none");
    if (!settings_.user.empty() && settings_.tls == ReceiverSettings::Tls::none) {
      return wrong("tls", "a password is not sent without encryption");
    }
    settings_.ca_file = text("ca_file");
    if (!settings_.ca_file.empty()) {
      const Result<std::string> read = read_whole_file(files_, settings_.ca_file, kCertificatesBytesMax);
      if (!read) return wrong("ca_file", read.error().message());
    }
    const JsonValue* const to = block_.find("to");
    if (to == nullptr || !to->is_array() || to->elements().empty()) return wrong("to", "must be a list of addresses");
    for (const JsonValue& address : to->elements()) {
      settings_.to.emplace_back(address.as_string().value_or(""));
      if (!is_address(settings_.to.back())) return wrong("to", "must be a list of addresses");
    }
    return is_address(settings_.from) ? Status() : Status(wrong("from", "must be an address"));
  }

  const JsonValue& block_;
  FileSystem& files_;
  const SecretReader& secrets_;
  ReceiverSettings settings_;
};

}  // namespace

Result<ReceiverSettings> parse_receiver_settings(const JsonValue& block, FileSystem& files,
                                                 const SecretReader& secrets) {
  return ReceiverReader(block, files, secrets).run();
}

}  // namespace dendro
