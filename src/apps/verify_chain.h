#pragma once

#include <string>

#include "apps/admin_remote.h"
#include "apps/command.h"

namespace dendro {

/// What `dendro admin verify` is told about chains and proofs.
struct VerifyChainFlags {
  std::string tenant;
  std::string anchor;      ///< file of heads; empty: none
  std::string proof;       ///< file; "-": stdin
  std::string public_key;  ///< 64 hex digits, or a PEM file; empty: whatever the chain or proof says
};

/// A tenant's chain, on a folder or by the server that uses it. The exit code: 0 good, 1 not, 2 usage.
int verify_tenant_chain(const AdminPlace& place, const VerifyChainFlags& flags, CommandIo& io);
/// A proof, with nothing but a key.
int verify_proof_file(const VerifyChainFlags& flags, CommandIo& io);

}  // namespace dendro
