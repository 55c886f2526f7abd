#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "services/evidence/chain_entry.h"
#include "storage/snapshot.h"
#include "storage/work_watch.h"

namespace dendro {

/// A head as somebody keeps it elsewhere.
struct AnchoredHead {
  std::string tenant;
  std::uint64_t index = 0;
  Hash32 hash{};
};
/// Reads lines as chain_head_json writes them, those of other tenants left out; other members are ignored.
/// Errors: invalid_argument (names the line).
Result<std::vector<AnchoredHead>> read_anchored_heads(std::string_view text, const TenantId& tenant);

struct ChainReport {
  std::uint64_t entries = 0;
  std::uint64_t covered = 0;  ///< records that entries cover
  std::uint64_t matched = 0;  ///< of them, stored as they were
  std::uint64_t removed = 0;  ///< of them, gone and declared gone
  std::uint64_t declared_present =
      0;                          ///< of them, stored as they were though declared gone: a removal that did not end
  std::uint64_t not_covered = 0;  ///< records of the scope behind the last entry
  std::uint64_t torn_bytes = 0;   ///< what a kill left behind the last entry
  std::uint64_t anchored = 0;     ///< anchored heads that the chain holds
  std::uint64_t head_index = 0;   ///< of the last entry; the rest is zero in an empty chain
  Timestamp head_time;
  Hash32 head_hash{};
  Hash32 public_key{};  ///< that signed the last entry
  std::uint64_t fault_count = 0;
  std::vector<std::string> faults;  ///< the first kChainFaultsMax, "PLACE: what"
  bool is_clean() const { return fault_count == 0; }
};
inline constexpr std::size_t kChainFaultsMax = 1'000;
std::string chain_report_json(const ChainReport& report);

struct ChainVerification {
  FileSystem& files;
  std::string folder;  ///< of the tenant's chain
  TenantId tenant;
  std::shared_ptr<const Snapshot> snapshot;  ///< made after the last entry that shall be looked at
  std::optional<Hash32> trusted_key = {};  ///< that the chain must be signed with at its end; nothing: whatever it says
  std::vector<AnchoredHead> anchored = {};
};
/// Walks the chain, checks every signature and link, recomputes every leaf from the records, and says what is not as it
/// was. Progress counts entries.
/// Errors: not_found (no chain), cancelled, io_error.
Result<ChainReport> verify_chain(const ChainVerification& what, const WorkWatch& watch);

}  // namespace dendro
