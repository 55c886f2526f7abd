#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "services/evidence/chain_entry.h"

namespace dendro {

/// `[audit]` of the configuration, as far as it is about chains.
struct ChainSettings {
  std::optional<EvidenceScope> scope = EvidenceScope::audit;  ///< nothing: off
  bool keeps_scope = false;                                   ///< as EvidenceService::Parts
  std::chrono::milliseconds interval{10'000};
  std::string key_file;           ///< empty: `chain/key.pem` of the data folder, made if missing
  std::string previous_key_file;  ///< empty: none
  std::string anchor_file;        ///< empty: none; likewise the two below
  std::string anchor_url;
  std::string anchor_secret;  ///< signs what is posted; empty: nothing does
  std::string anchor_bucket;
  std::chrono::milliseconds anchor_interval{300'000};
};

}  // namespace dendro
