#include "identity/credential_cache.h"

#include <cstring>

#include "base/crypto_hash.h"

namespace dendro {

CredentialDigest digest_of(const Credential& credential) {
  return sha256(static_cast<char>(credential.kind) + credential.text);
}

std::size_t CredentialCache::DigestHash::operator()(const CredentialDigest& digest) const {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

std::optional<KnownCredential> CredentialCache::find(const CredentialDigest& digest, std::uint64_t generation,
                                                     Timestamp now, std::int64_t idle_limit_ns) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(digest);
  if (found == entries_.end()) return std::nullopt;
  const auto entry = found->second;
  KnownCredential& known = entry->known;
  const bool has_ended = known.principal->expires && *known.principal->expires <= now;
  if (known.generation != generation || has_ended || known.idle_end <= now) {
    erase_locked(entry);
    return std::nullopt;
  }
  if (!known.session_id.empty()) known.idle_end = Timestamp(now.number() + idle_limit_ns);
  by_use_.splice(by_use_.begin(), by_use_, entry);
  return known;
}

void CredentialCache::insert(const CredentialDigest& digest, KnownCredential known) {
  MutexLock lock(mutex_);
  if (const auto found = entries_.find(digest); found != entries_.end()) erase_locked(found->second);
  while (!by_use_.empty() && by_use_.size() >= entries_max_) erase_locked(std::prev(by_use_.end()));
  by_use_.push_front({digest, std::move(known)});
  entries_[digest] = by_use_.begin();
}

std::size_t CredentialCache::size() const {
  MutexLock lock(mutex_);
  return by_use_.size();
}

void CredentialCache::erase_locked(std::list<Entry>::iterator entry) {
  entries_.erase(entry->digest);
  by_use_.erase(entry);
}

}  // namespace dendro
