#include "server/profile.h"

namespace dendro {
namespace {

constexpr std::string_view kProfileNames[kProfileCount] = {"platform", "analytics", "ingest",  "audit",
                                                           "access",   "diagnose",  "redirect"};
constexpr ProfileSet kBuiltProfiles =
    profiles(Profile::platform, Profile::analytics, Profile::ingest, Profile::audit, Profile::redirect);

}  // namespace

std::string_view profile_name(Profile profile) {
  return kProfileNames[static_cast<std::size_t>(profile)];
}

std::optional<Profile> parse_profile(std::string_view name) {
  for (std::size_t i = 0; i < kProfileCount; ++i) {
    if (kProfileNames[i] == name) return static_cast<Profile>(i);
  }
  return std::nullopt;
}

bool profile_is_built(Profile profile) {
  return (kBuiltProfiles & profile_bit(profile)) != 0;
}

std::string_view profile_names_text() {
  return "platform, analytics, ingest, audit, access, diagnose, redirect";
}

ErrorShape resolve_error_shape(ErrorShape shape, Profile profile) {
  if (shape != ErrorShape::by_profile) return shape;
  switch (profile) {
    case Profile::analytics:
    case Profile::audit:
      return ErrorShape::detail;
    case Profile::ingest:
      return ErrorShape::status_code;
    case Profile::diagnose:
      return ErrorShape::error_only;
    case Profile::platform:
    case Profile::access:
    case Profile::redirect:
      break;
  }
  return ErrorShape::problem;
}

}  // namespace dendro
