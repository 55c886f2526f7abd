#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

/// A sign-in. What it may do is not stored but asked of its subject each time: "user" a user's id, "api_key" a key's
/// id, "token" a jti; "claims": what another issuer said, in `document`.
struct SessionRow {
  std::string id;           ///< 16 hexadecimal digits; for lists and for ending it
  std::string secret_hash;  ///< hexadecimal; the cookie's value itself is nowhere
  std::string kind, subject;
  std::string document;  ///< JSON of "claims", else ""
  std::string peer;      ///< address it was opened from
  Timestamp created, expires;
  Timestamp last_used;  ///< up to a minute behind
};

/// Open sessions. Thread-safe; every call may wait for the disk.
class SessionTable {
 public:
  static constexpr std::size_t kPerSubjectMax = 100;
  static constexpr std::size_t kSessionsMax = 100'000;
  /// An expired one is still told apart from one that never was for so long.
  static constexpr std::int64_t kKeptAfterExpiryNs = kNanosPerDay;

  explicit SessionTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  /// Forgets ones that expired long ago, and of a subject's the one unused longest when it has too many.
  /// Errors: resource_exhausted (kSessionsMax).
  Status insert(const SessionRow& row);
  Result<std::optional<SessionRow>> find(const std::string& secret_hash) const;
  /// The newest first.
  Result<std::vector<SessionRow>> list(const std::string& kind, const std::string& subject) const;
  /// Errors: not_found.
  Status remove(const std::string& id);
  Status remove_all(const std::string& kind, const std::string& subject);
  /// By id; ids that are no more are passed over.
  Status set_last_used(const std::map<std::string, Timestamp>& uses);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
