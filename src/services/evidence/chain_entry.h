#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/crypto_signature.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "services/evidence/merkle_tree.h"

namespace dendro {

/// Which records of a tenant the chain covers. Numbers are on disk.
enum class EvidenceScope : std::uint8_t {
  audit = 0,  ///< audit logs and the trail: `dendro.source` is audit or audit_trail
  all = 1,
};

/// The chain begins: whose it is, and the key that signs it.
struct ChainBegin {
  std::string tenant;
  Bytes16 chain_id{};   ///< random: a chain that begins anew is another
  Hash32 public_key{};  ///< Ed25519
  friend bool operator==(const ChainBegin&, const ChainBegin&) = default;
};

/// The records with sequence numbers [first, last] are these.
struct ChainRecords {
  EvidenceScope scope = EvidenceScope::audit;
  std::uint64_t first = 0, last = 0;  ///< looked at; both included
  std::uint64_t count = 0;            ///< records of the scope among them, at least one
  Hash32 root{};                      ///< of their leaves, by rising sequence number
  friend bool operator==(const ChainRecords&, const ChainRecords&) = default;
};

/// Why records go. Numbers are on disk.
enum class RemovalReason : std::uint8_t {
  request = 0,        ///< a deletion somebody asked for
  stream_rule = 1,    ///< a retention rule for some streams
  day_retention = 2,  ///< a day out of its time
  tenant = 3,         ///< the tenant was deleted
};
std::string_view removal_reason_name(RemovalReason reason);

/// Records that the chain covers were removed, lawfully: those in `sequences`, or all that lie in the times and up to
/// the sequence number where `is_whole`.
struct ChainRemoval {
  RemovalReason reason = RemovalReason::request;
  TimeRange range;
  std::uint64_t up_to = 0;  ///< sequence number, included
  bool is_whole = false;
  std::vector<std::uint64_t> sequences;  ///< rising; at most kRemovalSequencesMax
  friend bool operator==(const ChainRemoval&, const ChainRemoval&) = default;
};
inline constexpr std::size_t kRemovalSequencesMax = 65'536;

/// Entries from the next one on are signed with this key; this one with the old.
struct ChainNewKey {
  Hash32 public_key{};
  friend bool operator==(const ChainNewKey&, const ChainNewKey&) = default;
};

/// One link (docs/formats/chain.md).
struct ChainEntry {
  std::uint64_t index = 0;  ///< 0, 1, ...
  Timestamp time;           ///< of the wall clock
  Hash32 previous{};        ///< hash of the entry before; zeros before the first
  std::variant<ChainBegin, ChainRecords, ChainRemoval, ChainNewKey> body;
  friend bool operator==(const ChainEntry&, const ChainEntry&) = default;
};

std::string encode_chain_entry(const ChainEntry& entry);
/// Errors: corruption, unimplemented (a kind of a later version).
Result<ChainEntry> decode_chain_entry(std::string_view bytes);
/// What the next entry and the signature are about.
Hash32 chain_entry_hash(std::string_view encoded);
/// The bytes that are signed: the hash with a mark in front, so that the key's signatures mean nothing else.
std::string chain_signed_bytes(const Hash32& entry_hash);

inline constexpr std::size_t kChainSignatureBytes = 64;
/// An entry that removes kRemovalSequencesMax records, each ten bytes away from the last.
inline constexpr std::size_t kChainEntryBytesMax = std::size_t{1} << 20;

}  // namespace dendro
