#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "io/file_system.h"
#include "meta/meta_database.h"
#include "services/privacy/privacy_service.h"

namespace dendro {

/// Masks what a command writes into a data folder that no server holds, by the rules that the server would use: the
/// default tenant's, else those that the configuration had when a server ran last. Keys come from DENDRO_PRIVACY_KEY
/// and DENDRO_PRIVACY_KEY_FILE.
class FolderMasking {
 public:
  /// Of a folder without `meta.db` there is nothing to mask by. Errors: invalid_argument (settings), unavailable (rules
  /// that cannot be read), those of MetaDatabase. `clock` and `random` outlive it.
  static Result<std::unique_ptr<FolderMasking>> open(const std::string& directory, FileSystem& files,
                                                     const Clock& clock, RandomSource& random);
  Status rewrite(CommitRequest& request) { return privacy_ ? privacy_->rewrite(request) : Status(); }

 private:
  Status read_rules();

  std::unique_ptr<MetaDatabase> database_;
  std::unique_ptr<PrivacyKeyTable> table_;
  std::unique_ptr<PrivacyKeys> keys_;
  std::shared_ptr<const MaskRules> rules_;
  std::unique_ptr<PrivacyService> privacy_;
};

}  // namespace dendro
