#include "apps/build_info.h"

#include "server/route.h"

namespace dendro {
namespace {

std::string_view cpu_path() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return "avx2";
  return "sse2";
#else
  return "scalar";
#endif
}

}  // namespace

std::string_view version_text() {
  return DENDRO_VERSION;
}

std::string build_info_text() {
  std::string text = "dendro " + std::string(version_text()) + " (" + std::string(commit_text()) + ")\n";
  text += "compiler   " __VERSION__ "\n";
  std::string built;
  std::string later;
  for (std::size_t i = 0; i < kProfileCount; ++i) {
    const auto profile = static_cast<Profile>(i);
    std::string& list = profile_is_built(profile) ? built : later;
    list += (list.empty() ? "" : " ") + std::string(profile_name(profile));
  }
  text += "profiles   " + built + (later.empty() ? "" : " (not yet: " + later + ")") + "\n";
  text += "adapters   files (file:///dir), http client\n";
  text += "cpu paths  " + std::string(cpu_path()) + "\n";
  return text;
}

}  // namespace dendro
