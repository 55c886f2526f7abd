#pragma once

#include <memory>
#include <string>

#include "apps/setting_files.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/identity_parts.h"
#include "io/file_system.h"
#include "meta/meta_database.h"

namespace CLI {
class App;
}

namespace dendro {

/// Where the commands about keys, tokens, users and roles find them.
struct IdentityPlace {
  std::string data;     ///< empty: as settings say
  std::string server;   ///< address of a server instead; may be empty
  std::string api_key;  ///< for it; empty: that of DENDRO_API_KEY
  SettingFiles files;
};
/// Adds --data, --server, --api-key and those of SettingFiles.
void add_identity_place_options(CLI::App& app, IdentityPlace& place);

/// Who may do what in a data folder, opened beside the server that holds the folder, or without one: the store's lock
/// is not taken, and a running server sees each change at its next request. One thread.
class IdentityFolder {
 public:
  enum class WhenMissing : std::uint8_t { refuse, make };  ///< the folder, or its database
  /// Errors: invalid_argument (settings; no such folder), those of MetaDatabase::open.
  static Result<std::unique_ptr<IdentityFolder>> open(const IdentityPlace& place, WhenMissing when_missing);

  IdentityParts& parts() { return *parts_; }
  Timestamp now() const { return clock_.now(); }

 private:
  IdentityFolder() = default;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::unique_ptr<MetaDatabase> database_;
  std::unique_ptr<IdentityParts> parts_;
};

/// Whether a role's filter can be one: a filter of the query language, without pipes, queries inside and `_time`.
Status check_row_filter(const std::string& filter);

}  // namespace dendro
