#pragma once

#include <string>
#include <string_view>

namespace dendro {

std::string_view version_text();  ///< "0.1.0"
std::string_view commit_text();   ///< of the build's checkout, "-dirty" behind it if it was; "unknown" outside git
/// What `dendro version` prints: version, commit, compiler, profiles and adapters built in, CPU paths in use.
std::string build_info_text();

}  // namespace dendro
