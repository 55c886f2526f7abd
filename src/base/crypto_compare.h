#pragma once

#include <string_view>

namespace dendro {

/// Whether both are the same, in a time that tells neither where they differ nor how long `secret` is. Thread-safe.
bool equals_secret(std::string_view given, std::string_view secret);

}  // namespace dendro
