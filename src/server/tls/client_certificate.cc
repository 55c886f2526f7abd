#include "server/tls/client_certificate.h"

#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string_view>

#include "server/tls/openssl_text.h"

namespace dendro {
namespace {

struct GeneralNamesDeleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, GeneralNamesDeleter>;

GeneralNamesPtr alternative_names(X509* certificate) {
  return GeneralNamesPtr(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string text_of_string(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void append_name(std::string& out, std::string_view kind, std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (name.empty() || std::ranges::any_of(name, is_control)) return;
  if (!out.empty()) out.push_back('\n');
  out.append(kind).append(name);
}

void append_alternative_names(std::string& out, const GENERAL_NAMES* names, int type, std::string_view kind) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type == type) append_name(out, kind, text_of_string(name->d.ia5));
  }
}

/// The most specific one: the last.
std::string common_name(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  int index = -1;
  for (int next = -1; (next = X509_NAME_get_index_by_NID(subject, NID_commonName, next)) >= 0;) index = next;
  if (index < 0) return {};
  unsigned char* utf8 = nullptr;
  const int bytes = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (bytes < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(bytes));
  OPENSSL_free(utf8);
  return text;
}

std::string subject_text(const X509* certificate) {
  return openssl_text([certificate](BIO* bio) {
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  });
}

}  // namespace

ClientCertificate describe_client_certificate(X509* certificate) {
  ClientCertificate client;
  if (const GeneralNamesPtr names = alternative_names(certificate)) {
    append_alternative_names(client.names, names.get(), GEN_URI, "URI:");
    append_alternative_names(client.names, names.get(), GEN_DNS, "DNS:");
    append_alternative_names(client.names, names.get(), GEN_EMAIL, "email:");
  }
  append_name(client.names, "subject:", subject_text(certificate));
  append_name(client.names, "CN:", common_name(certificate));
  if (client.names.empty()) client.names = "subject:";  // matches nothing
  client.expires = certificate_expiry(certificate);
  return client;
}

Timestamp certificate_expiry(const X509* certificate) {
  return timestamp_of(X509_get0_notAfter(certificate));
}

std::string certificate_label(X509* certificate) {
  std::string names;
  if (const GeneralNamesPtr list = alternative_names(certificate)) {
    append_alternative_names(names, list.get(), GEN_DNS, "");
  }
  if (names.empty()) append_name(names, "", common_name(certificate));
  return names.empty() ? "unnamed" : names.substr(0, names.find('\n'));
}

}  // namespace dendro
