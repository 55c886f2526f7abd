#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parse/json_reader.h"
#include "parse/name_table.h"
#include "parse/record_wish.h"
#include "record/shape.h"

namespace dendro {

/// One step that draws the record: a node of the document, with what its names alone decide.
struct PlanStep {
  JsonNode::Kind kind = JsonNode::Kind::leaf;
  LeafRole role = LeafRole::attribute;  ///< leaf: attribute or resource
  std::uint32_t node = 0;               ///< index into the document's nodes
  std::string path;                     ///< leaf; empty for leaves beyond the limit of fields
};

/// A name that may become a part, if its value lets it.
struct PlanCandidate {
  std::uint32_t step = 0;
  std::uint32_t last_step = 0;  ///< of an object: its close; of a leaf: `step`
  NameClaim claim;
};

/// What the names and nesting of a document decide, worked out once for all records that share them: which members are
/// doubles of later ones, the dotted paths, the resource labels, and who may become time, body, severity and ids, in
/// order of rank.
struct RecordPlan {
  std::vector<PlanStep> steps;
  std::vector<LeafRole> roles;  ///< of steps, in one row, ready to be copied
  std::array<std::vector<PlanCandidate>, kRecordPartCount> candidates;
  std::size_t leaf_count = 0;
  std::size_t encoded_bytes_max = 0;  ///< of shape and names in a batch
  std::string long_name;              ///< front of a name over the limit; the record must be refused
  bool has_long_name = false;
  // Where a RecordWish leaves something out:
  std::vector<char> is_wished;               ///< by step, by its path alone
  std::vector<std::uint32_t> looked_at;      ///< leaves that are wished, or may become a part; ascending
  mutable std::uint64_t whole_in_batch = 0;  ///< number of the last batch that got a record of this plan whole

  const std::vector<PlanCandidate>& candidates_of(RecordPart part) const {
    return candidates[static_cast<std::size_t>(part)];
  }
};

/// Plans of documents seen lately. A record costs a comparison with the plan of the one before it, or a hash. Not
/// thread-safe.
class RecordPlanner {
 public:
  /// All outlive the planner; `wish` may be null.
  RecordPlanner(const NameTable& names, const RecordLimits& limits, const RecordWish* wish)
      : names_(names), limits_(limits), wish_(wish) {}

  /// Valid until the next call.
  const RecordPlan& plan_for(const std::vector<JsonNode>& nodes);
  /// The same for a caller that keeps it.
  RecordPlan make_plan(const std::vector<JsonNode>& nodes) const;

 private:
  struct Entry {
    std::string signature;  ///< kinds and keys, see signature_matches
    RecordPlan plan;
  };
  /// Bounds what hostile documents can pile up: entries, and nodes of one that is kept.
  static constexpr std::size_t kMaxEntries = 1'024;
  static constexpr std::size_t kMaxKeptNodes = 512;

  static bool signature_matches(std::string_view signature, const std::vector<JsonNode>& nodes);
  void mark_wished(RecordPlan& plan) const;

  const NameTable& names_;
  const RecordLimits& limits_;
  const RecordWish* const wish_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Entry>> entries_;
  const Entry* last_ = nullptr;
  Entry unkept_;
};

}  // namespace dendro
