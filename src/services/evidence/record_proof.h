#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "services/evidence/chain_entry.h"
#include "services/evidence/record_leaf.h"

namespace dendro {

/// That a record was stored as it is when an entry of its tenant's chain was signed. Stands alone: whoever has the
/// public key can check it without a server.
struct RecordProof {
  std::string tenant;
  RecordOpening record;
  std::uint64_t leaf_index = 0;
  std::vector<Hash32> path;  ///< from the leaf to the root
  std::string entry;         ///< encoded, of the kind records
  std::string signature;
  Hash32 public_key{};
};

/// Withholds the values of fields that `is_hidden` says: the proof stays good.
void withhold_fields(RecordProof& proof, const std::function<bool(std::string_view path)>& is_hidden);

/// docs/formats/chain.md, "Proof".
std::string record_proof_json(const RecordProof& proof);
/// Errors: invalid_argument (names the member).
Result<RecordProof> parse_record_proof(std::string_view json);

/// What a good proof says.
struct ProvenRecord {
  std::string record_id;
  RecordHead head;
  std::uint64_t entry_index = 0;
  Timestamp covered;  ///< when the entry was made, by the server's clock
  Hash32 entry_hash{};
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;  ///< path and text; nothing: withheld
};
/// @param trusted_key  the key that must have signed; nothing: the one that the proof names, which proves no more than
///                     that its holder said so.
/// Errors: invalid_argument (says what does not fit).
Result<ProvenRecord> check_record_proof(const RecordProof& proof, const std::optional<Hash32>& trusted_key);

}  // namespace dendro
