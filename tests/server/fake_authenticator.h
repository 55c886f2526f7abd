#pragma once

#include <atomic>
#include <map>
#include <string>

#include "base/mutex.h"
#include "identity/authenticator.h"

namespace dendro {

/// Principals by their secret, for tests of what the server does with them; the real one is tested in tests/identity.
/// Each is unknown to `known` until it was authenticated once. Thread-safe.
class FakeAuthenticator final : public Authenticator {
 public:
  /// A caller of one tenant ("*": every one).
  void add(const std::string& secret, const std::string& tenant, PermissionSet permissions,
           std::optional<Timestamp> expires = std::nullopt) {
    auto principal = std::make_shared<Principal>();
    principal->kind = Principal::Kind::api_key;
    principal->id = "key:" + secret;
    principal->expires = expires;
    std::optional<TenantId> granted;
    if (tenant != "*") granted = *TenantId::parse(tenant);
    principal->grants = {{granted, std::make_shared<const Access>(Access{permissions, {}, {}, {}, {}})}};
    add(secret, std::move(principal));
  }
  void add(const std::string& secret, PrincipalPtr principal) {
    MutexLock lock(mutex_);
    all_[secret] = std::move(principal);
  }
  void revoke(const std::string& secret) {
    MutexLock lock(mutex_);
    all_.erase(secret);
    known_.erase(secret);
    ++generation_;
  }
  /// What `authenticate` answers from now on.
  void fail(ErrorCode code) {
    MutexLock lock(mutex_);
    fault_ = code;
    known_.clear();
  }

  std::optional<PrincipalPtr> known(const Credential& credential) override {
    MutexLock lock(mutex_);
    const auto found = known_.find(credential.text);
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }
  Result<PrincipalPtr> authenticate(const Credential& credential) override {
    MutexLock lock(mutex_);
    ++asked_;
    if (fault_) return Error(*fault_, "secret detail");
    const auto found = all_.find(credential.text);
    if (found == all_.end()) return Error(ErrorCode::unauthenticated, "Could not validate credentials");
    known_[credential.text] = found->second;
    return found->second;
  }
  bool still_holds(const Credential& credential, const Principal& principal) override {
    MutexLock lock(mutex_);
    const auto found = all_.find(credential.text);
    return found != all_.end() && found->second->id == principal.id;
  }
  std::uint64_t generation() override { return generation_; }
  int asked() const { return asked_; }

 private:
  Mutex mutex_;
  std::map<std::string, PrincipalPtr> all_ DENDRO_GUARDED_BY(mutex_);
  std::map<std::string, PrincipalPtr> known_ DENDRO_GUARDED_BY(mutex_);
  std::optional<ErrorCode> fault_ DENDRO_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> asked_{0};
};

}  // namespace dendro
