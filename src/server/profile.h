#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dendro {

/// Listener profiles of five-systems.md 1.1; which path answers where is settled by profile only (1.2).
/// `redirect` is ours: it sends callers to the same path over TLS and answers health paths, nothing else.
enum class Profile : std::uint8_t { platform, analytics, ingest, audit, access, diagnose, redirect };
inline constexpr std::size_t kProfileCount = 7;
std::string_view profile_name(Profile profile);
std::optional<Profile> parse_profile(std::string_view name);
/// False: known, but start-up answers exit 2 because nothing serves it yet.
bool profile_is_built(Profile profile);
/// "platform, analytics, ...": for messages.
std::string_view profile_names_text();

/// Set of profiles, one bit each.
using ProfileSet = std::uint32_t;
constexpr ProfileSet profile_bit(Profile profile) {
  return 1u << static_cast<unsigned>(profile);
}
template <typename... Profiles>
constexpr ProfileSet profiles(Profiles... list) {
  return (profile_bit(list) | ...);
}
inline constexpr ProfileSet kAllProfiles = (1u << kProfileCount) - 1;

/// Shape of error bodies (five-systems.md 1.5). `by_profile`: analytics and audit `{"detail":..}`, ingest
/// `{"statusCode":..,"error":..}`, diagnose `{"error":..}`, otherwise problem details.
enum class ErrorShape : std::uint8_t { by_profile, problem, detail, status_code, error_only };
/// The shape `by_profile` stands for on that profile; any other shape is itself.
ErrorShape resolve_error_shape(ErrorShape shape, Profile profile);

}  // namespace dendro
