#include "server/tls/tls_settings.h"

namespace dendro {
namespace {

Error tls_fault(std::string_view member, const std::string& what) {
  return Error(ErrorCode::invalid_argument, "tls " + std::string(member) + ": " + what);
}

/// A text, or a list of texts.
Result<std::vector<std::string>> texts_of(std::string_view name, const JsonValue& value) {
  std::vector<std::string> texts;
  if (const auto text = value.as_string()) {
    texts.emplace_back(*text);
    return texts;
  }
  for (const JsonValue& element : value.elements()) {
    const auto text = element.as_string();
    if (!text) return tls_fault(name, "takes names of files");
    texts.emplace_back(*text);
  }
  if (texts.empty()) return tls_fault(name, "takes names of files");
  return texts;
}

Result<std::string> text_of_member(std::string_view name, const JsonValue& value) {
  const auto text = value.as_string();
  if (!text) return tls_fault(name, "takes a text");
  return std::string(*text);
}

}  // namespace

Result<TlsVersion> parse_tls_version(std::string_view text) {
  if (text == "1.2") return TlsVersion::v1_2;
  if (text == "1.3") return TlsVersion::v1_3;
  return Error(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not 1.2 or 1.3");
}

Result<ClientCertificates> parse_client_certificates(std::string_view text) {
  if (text == "optional") return ClientCertificates::optional;
  if (text == "required") return ClientCertificates::required;
  return Error(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not optional or required");
}

Result<bool> set_tls_member(TlsSettings& settings, std::string_view name, const JsonValue& value) {
  if (name == "certificate" || name == "key") {
    DENDRO_TRY_ASSIGN((name == "key" ? settings.keys : settings.certificates), texts_of(name, value));
    return true;
  }
  for (const auto& [known, member] : {std::pair("client_ca", &TlsSettings::client_ca),
                                      {"client_crl", &TlsSettings::client_crl},
                                      {"ciphers", &TlsSettings::ciphers}}) {
    if (name != known) continue;
    DENDRO_TRY_ASSIGN(settings.*member, text_of_member(name, value));
    return true;
  }
  if (name == "min_version") {
    DENDRO_TRY_ASSIGN(const std::string text, text_of_member(name, value));
    DENDRO_TRY_ASSIGN(settings.min_version, parse_tls_version(text));
    return true;
  }
  if (name == "client_certificates") {
    DENDRO_TRY_ASSIGN(const std::string text, text_of_member(name, value));
    DENDRO_TRY_ASSIGN(settings.client_certificates, parse_client_certificates(text));
    return true;
  }
  return false;
}

Status check_tls_settings(const TlsSettings& settings) {
  if (settings.certificates.empty()) return tls_fault("certificate", "there is none; name a file in PEM");
  if (settings.keys.size() != settings.certificates.size()) {
    return tls_fault("key", "there are " + std::to_string(settings.keys.size()) + " for " +
                                std::to_string(settings.certificates.size()) +
                                " certificates; name one for each, in their order");
  }
  if (settings.client_ca.empty() && !settings.client_crl.empty()) {
    return tls_fault("client_crl", "needs client_ca, whose lists these are");
  }
  if (settings.client_ca.empty() && settings.client_certificates == ClientCertificates::required) {
    return tls_fault("client_certificates", "required needs client_ca, which says whose are good");
  }
  return {};
}

}  // namespace dendro
