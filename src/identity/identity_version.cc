#include "identity/identity_version.h"

namespace dendro {

Result<std::unique_ptr<IdentityVersion>> IdentityVersion::open(MetaDatabase& database) {
  DENDRO_TRY_ASSIGN(auto probe, MetaProbe::open(database.path(), "SELECT version FROM identity_version"));
  return std::unique_ptr<IdentityVersion>(new IdentityVersion(std::move(probe)));
}

std::uint64_t IdentityVersion::read() {
  const Result<std::int64_t> stored = probe_->read();
  if (stored) {
    stored_ = static_cast<std::uint64_t>(*stored);
  } else {
    raise();
  }
  return stored_.load() + raised_.load();
}

}  // namespace dendro
