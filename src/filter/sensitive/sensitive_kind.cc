#include "filter/sensitive/sensitive_kind.h"

#include <array>
#include <utility>

namespace dendro {
namespace {

constexpr std::array<std::string_view, kSensitiveKindCount> kSensitiveNames = {
    "card",    "email",        "ipv4",         "ipv6",        "mac",        "iban",         "phone",
    "ssn",     "uuid",         "jwt",          "bearer",      "password",   "url_password", "private_key",
    "aws_key", "github_token", "gitlab_token", "slack_token", "google_key", "stripe_key",   "dendro_key"};
static_assert(!kSensitiveNames.back().empty());

constexpr SensitiveKinds all_sensitive_kinds() {
  SensitiveKinds all;
  for (std::size_t i = 0; i < kSensitiveKindCount; ++i) all.add(static_cast<SensitiveKind>(i));
  return all;
}

using enum SensitiveKind;
constexpr std::array<std::pair<std::string_view, SensitiveKinds>, 4> kSensitiveGroups = {{
    {"ip", {ipv4, ipv6}},
    {"personal", {card, email, iban, phone, ssn}},
    {"credentials",
     {jwt, bearer, password, url_password, private_key, aws_key, github_token, gitlab_token, slack_token, google_key,
      stripe_key, dendro_key}},
    {"all", all_sensitive_kinds()},
}};

}  // namespace

std::string_view sensitive_kind_name(SensitiveKind kind) {
  return kSensitiveNames[static_cast<std::size_t>(kind)];
}

std::optional<SensitiveKinds> parse_sensitive_kinds(std::string_view name) {
  for (std::size_t i = 0; i < kSensitiveKindCount; ++i) {
    if (kSensitiveNames[i] == name) return SensitiveKinds{static_cast<SensitiveKind>(i)};
  }
  for (const auto& [group, kinds] : kSensitiveGroups) {
    if (group == name) return kinds;
  }
  return std::nullopt;
}

std::string sensitive_kind_names() {
  std::string names;
  for (const std::string_view name : kSensitiveNames) names.append(names.empty() ? "" : ", ").append(name);
  for (const auto& [group, kinds] : kSensitiveGroups) names.append(", ").append(group);
  return names;
}

}  // namespace dendro
