#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "identity/authenticator.h"

namespace dendro {

/// SHA-256 of kind and text of a credential: what it is known by in memory, where it never stands itself.
using CredentialDigest = std::array<std::uint8_t, 32>;
CredentialDigest digest_of(const Credential& credential);

/// A credential that was good, and how long that may be believed.
struct KnownCredential {
  PrincipalPtr principal;
  std::string key_id;                  ///< the API key whose use it is; or ""
  std::string session_id;              ///< likewise
  std::uint64_t generation = 0;        ///< of the store when it was judged; with another it is worth nothing
  Timestamp idle_end = kTimestampMax;  ///< a session unused until then is over
};

/// Good credentials, the ones used last. Thread-safe, never waits: for loop threads.
class CredentialCache {
 public:
  explicit CredentialCache(std::size_t entries_max) : entries_max_(entries_max) {}

  /// What is known under this generation and has not ended at `now`; moves `idle_end` to `now` + `idle_limit` for a
  /// session.
  std::optional<KnownCredential> find(const CredentialDigest& digest, std::uint64_t generation, Timestamp now,
                                      std::int64_t idle_limit_ns);
  void insert(const CredentialDigest& digest, KnownCredential known);
  std::size_t size() const;

 private:
  struct DigestHash {
    std::size_t operator()(const CredentialDigest& digest) const;  ///< its first bytes: they are random
  };
  struct Entry {
    CredentialDigest digest;
    KnownCredential known;
  };
  void erase_locked(std::list<Entry>::iterator entry) DENDRO_REQUIRES(mutex_);

  const std::size_t entries_max_;
  mutable Mutex mutex_;
  std::list<Entry> by_use_ DENDRO_GUARDED_BY(mutex_);  ///< the one used last in front
  std::unordered_map<CredentialDigest, std::list<Entry>::iterator, DigestHash> entries_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
