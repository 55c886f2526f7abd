#include "identity/certificate_rules.h"

#include <algorithm>

#include "identity/credential_error.h"
#include "identity/grant.h"

namespace dendro {
namespace {

constexpr std::string_view kKinds[] = {"URI:", "DNS:", "email:", "subject:", "CN:"};
constexpr std::string_view kPartEnds = "/.@,=";

Error rule_fault(const CertificateRule& rule, std::string_view member, std::string_view what) {
  return Error(ErrorCode::invalid_argument,
               "certificate \"" + rule.name + "\": " + std::string(member) + ": " + std::string(what));
}

/// Whether the pattern takes all of the name. Each star tries the few lengths that its part of the name has.
bool takes_name(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  const std::size_t longest = std::min(name.find_first_of(kPartEnds), name.size());
  for (std::size_t taken = 1; taken <= longest; ++taken) {
    if (takes_name(pattern, name.substr(taken))) return true;
  }
  return false;
}

Status read_texts(const CertificateRule& rule, std::string_view member, const JsonValue& value,
                  std::vector<std::string>& out) {
  if (!value.is_array()) return rule_fault(rule, member, "must be a list of texts");
  for (const JsonValue& element : value.elements()) {
    if (!element.is_string()) return rule_fault(rule, member, "must be a list of texts");
    out.emplace_back(*element.as_string());
  }
  return {};
}

Status check_rule(const CertificateRule& rule) {
  if (!is_certificate_name(rule.name)) {
    return rule_fault(rule, "name", "must be KIND:NAME with a kind of " + std::string(certificate_name_kinds_text()));
  }
  if (std::ranges::count(rule.name, '*') > 2) return rule_fault(rule, "name", "may have two stars");
  if (!check_tenant_names(rule.tenants)) return rule_fault(rule, "tenants", "must be names of tenants, or \"*\"");
  if (rule.scopes.empty() && rule.roles.empty()) return rule_fault(rule, "scopes", "name scopes or roles");
  for (const std::string& scope : rule.scopes) {
    if (!scope_permissions(scope)) {
      return rule_fault(rule, "scopes", "\"" + scope + "\" is none of ingest, search, export, admin");
    }
  }
  return {};
}

}  // namespace

Result<CertificateRule> parse_certificate_rule(const JsonValue& block) {
  CertificateRule rule;
  if (const JsonValue* const name = block.find("name")) rule.name = name->as_string().value_or("");
  for (const auto& [name, value] : block.members()) {
    if (name == "name") continue;
    std::vector<std::string>* const list = name == "tenants"  ? &rule.tenants
                                           : name == "scopes" ? &rule.scopes
                                           : name == "roles"  ? &rule.roles
                                                              : nullptr;
    if (list == nullptr) return rule_fault(rule, name, "there is no such setting");
    DENDRO_TRY(read_texts(rule, name, value, *list));
  }
  DENDRO_TRY(check_rule(rule));
  return rule;
}

bool is_certificate_name(std::string_view name) {
  return std::ranges::any_of(
      kKinds, [name](std::string_view kind) { return name.starts_with(kind) && name.size() > kind.size(); });
}

std::string_view certificate_name_kinds_text() {
  return "URI, DNS, email, subject, CN";
}

std::vector<std::string_view> split_certificate_names(std::string_view names) {
  std::vector<std::string_view> lines;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find('\n'), names.size());
    lines.push_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return lines;
}

Result<PrincipalPtr> CertificateRules::authenticate(std::string_view names) const {
  const std::vector<std::string_view> lines = split_certificate_names(names);
  for (const CertificateRule& rule : rules_) {
    const auto found =
        std::ranges::find_if(lines, [&rule](std::string_view line) { return takes_name(rule.name, line); });
    if (found != lines.end()) return principal_of(rule, *found);
  }
  return unauthenticated();
}

Result<PrincipalPtr> CertificateRules::principal_of(const CertificateRule& rule, std::string_view name) const {
  DENDRO_TRY_ASSIGN(std::vector<Role> roles, roles_.find(rule.roles));
  for (const std::string& scope : rule.scopes) {
    Role as_role;  // without a name: it is none
    as_role.permissions = scope_permissions(scope).value_or(PermissionSet());
    roles.push_back(std::move(as_role));
  }
  auto principal = std::make_shared<Principal>();
  principal->kind = Principal::Kind::certificate;
  principal->id = "certificate:" + std::string(name);
  principal->name = name;
  DENDRO_TRY_ASSIGN(principal->grants, make_grants(rule.tenants, roles));
  return PrincipalPtr(std::move(principal));
}

}  // namespace dendro
