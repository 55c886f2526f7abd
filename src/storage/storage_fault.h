#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace dendro {

/// Something wrong with a file of a store.
struct StorageFault {
  std::string file;
  std::optional<std::uint64_t> offset;  ///< in the file, where one can be named
  std::string what;

  /// "FILE: offset 123: what", in one line.
  std::string text() const {
    return file + ": " + (offset ? "offset " + std::to_string(*offset) + ": " : std::string()) + what;
  }
  /// An error about `file`, whose name need not stand in it twice.
  static StorageFault of(const std::string& file, const Error& error, std::optional<std::uint64_t> offset = {}) {
    std::string what = error.message();
    for (const std::string& front : {"segment " + file + ": ", file + ": "}) {
      if (what.starts_with(front)) what.erase(0, front.size());
    }
    return {file, offset, std::move(what)};
  }
};

}  // namespace dendro
