#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.h"
#include "base/result.h"
#include "identity/principal.h"
#include "identity/roles.h"

namespace dendro {

/// A block `[[auth.certificates]]` of the configuration: what clients may do whose TLS certificate has this name.
struct CertificateRule {
  /// "URI:spiffe://example.org/agent/*", "DNS:*.agents.example.org", "email:..", "subject:..", "CN:..". A "*" stands
  /// for one or more characters other than "/", ".", "@", "," and "=": for no more than a part of a name.
  std::string name;
  std::vector<std::string> tenants, scopes, roles;
};
/// Errors: invalid_argument naming the rule and the member.
Result<CertificateRule> parse_certificate_rule(const JsonValue& block);

/// True of "KIND:VALUE" with a kind that certificates' names have and a value.
bool is_certificate_name(std::string_view name);
/// URI, DNS, email, subject, CN: for messages.
std::string_view certificate_name_kinds_text();
/// Lines of Credential::Kind::certificate. Borrowed.
std::vector<std::string_view> split_certificate_names(std::string_view names);

/// The rules, in the order of the file. Thread-safe.
class CertificateRules {
 public:
  /// `roles` outlives this.
  CertificateRules(std::vector<CertificateRule> rules, const Roles& roles) : rules_(std::move(rules)), roles_(roles) {}

  /// By the first rule that takes any of the names.
  /// Errors: unauthenticated (none does); those of the database.
  Result<PrincipalPtr> authenticate(std::string_view names) const;

 private:
  Result<PrincipalPtr> principal_of(const CertificateRule& rule, std::string_view name) const;

  const std::vector<CertificateRule> rules_;
  const Roles& roles_;
};

}  // namespace dendro
