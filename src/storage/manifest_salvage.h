#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "storage/manifest_survey.h"

namespace dendro {

/// What readable groups of damaged manifests still tell.
struct SalvagedManifest {
  std::optional<Bytes16> store_id;
  ManifestState state;          ///< segments: those listed by what can be read
  std::set<SegmentId> removed;  ///< that an edit took away
  std::uint64_t last_number = 0;
};

/// Adds what the manifests tell, in the order of their numbers.
class ManifestSalvage {
 public:
  /// `out` outlives this.
  explicit ManifestSalvage(SalvagedManifest& out) : out_(out) {}
  void add(const ManifestSurvey& survey);

 private:
  SalvagedManifest& out_;
  std::set<TombstoneId> done_;
};

}  // namespace dendro
