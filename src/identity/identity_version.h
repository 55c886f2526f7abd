#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "meta/meta_database.h"
#include "meta/meta_probe.h"

namespace dendro {

/// A number that is another one after each change to users, keys, tokens, roles and ended sessions, whichever process
/// made it, from the moment its commit returns. Thread-safe; for loop threads: it asks the database each time, which
/// takes about a microsecond.
class IdentityVersion {
 public:
  /// `database` outlives it. Errors: those of MetaProbe::open.
  static Result<std::unique_ptr<IdentityVersion>> open(MetaDatabase& database);

  /// A database that cannot be asked may have changed: then each call gives a new number, and nothing that was known
  /// is believed.
  std::uint64_t read();
  /// What is not in the database changed.
  void raise() { raised_.fetch_add(1); }

 private:
  explicit IdentityVersion(std::unique_ptr<MetaProbe> probe) : probe_(std::move(probe)) {}
  const std::unique_ptr<MetaProbe> probe_;
  std::atomic<std::uint64_t> stored_{0};  ///< that was read last
  std::atomic<std::uint64_t> raised_{0};
};

}  // namespace dendro
