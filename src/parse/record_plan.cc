#include "parse/record_plan.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace dendro {
namespace {

std::uint64_t mix_hash(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 29);
}

/// Cheap: size, first and last eight bytes of each key. The signature decides, so that a collision costs time only.
std::uint64_t hash_nodes(const std::vector<JsonNode>& nodes) {
  std::uint64_t hash = nodes.size();
  for (const JsonNode& node : nodes) {
    const std::string_view key = node.key;
    std::uint64_t front = 0;
    std::uint64_t back = 0;
    if (key.size() >= 8) {
      front = load_le<std::uint64_t>(key.data());
      back = load_le<std::uint64_t>(key.data() + key.size() - 8);
    } else if (!key.empty()) {
      std::memcpy(&front, key.data(), key.size());
    }
    hash = mix_hash(hash, front ^ (static_cast<std::uint64_t>(node.kind) << 60));
    hash = mix_hash(hash, back + key.size());
  }
  return hash;
}

void append_signature(std::string& out, const JsonNode& node) {
  append_le(out, static_cast<std::uint32_t>(node.key.size()));
  out.push_back(static_cast<char>(node.kind));
  out.append(node.key);
}

/// Walks a document's nodes once and writes the steps of its plan.
class PlanWriter {
 public:
  PlanWriter(const std::vector<JsonNode>& nodes, const NameTable& names, const RecordLimits& limits, RecordPlan& plan)
      : nodes_(nodes), names_(names), limits_(limits), plan_(plan) {}

  /// The members in nodes [first, last). False: a name is too long.
  bool write_members(std::size_t first, std::size_t last);

 private:
  struct Member {
    std::size_t node = 0;
    std::size_t last = 0;  ///< behind its nodes
  };
  std::vector<Member> distinct_members(std::size_t first, std::size_t last) const;
  bool write_member(const Member& member);
  bool push_name(std::string_view key);
  void add_candidates(std::size_t step, std::size_t last_step, bool is_object);
  void add_step(JsonNode::Kind kind, std::size_t node) {
    plan_.steps.push_back({kind, LeafRole::attribute, static_cast<std::uint32_t>(node), {}});
  }

  const std::vector<JsonNode>& nodes_;
  const NameTable& names_;
  const RecordLimits& limits_;
  RecordPlan& plan_;
  std::string path_;
  bool is_root_ = true;  ///< path_ is the path of no object, not that of one named ""
};

std::size_t node_end(const std::vector<JsonNode>& nodes, std::size_t first) {
  if (nodes[first].kind == JsonNode::Kind::leaf) return first + 1;
  std::size_t depth = 0;
  for (std::size_t i = first;; ++i) {
    if (nodes[i].kind == JsonNode::Kind::open) ++depth;
    if (nodes[i].kind == JsonNode::Kind::close && --depth == 0) return i + 1;
  }
}

// Of members with one name the last wins, at the place of the first.
std::vector<PlanWriter::Member> PlanWriter::distinct_members(std::size_t first, std::size_t last) const {
  std::vector<Member> members;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t node = first; node < last;) {
    const std::size_t end = node_end(nodes_, node);
    const auto [place, is_new] = places.try_emplace(nodes_[node].key, members.size());
    if (is_new) {
      members.push_back({node, end});
    } else {
      members[place->second] = {node, end};
    }
    node = end;
  }
  return members;
}

bool PlanWriter::write_members(std::size_t first, std::size_t last) {
  for (const Member& member : distinct_members(first, last)) {
    if (!write_member(member)) return false;
  }
  return true;
}

bool PlanWriter::push_name(std::string_view key) {
  const std::size_t size = path_.size() + (is_root_ ? 0 : 1) + key.size();
  if (size > limits_.name_bytes) {
    constexpr std::size_t kShownBytes = 64;
    plan_.has_long_name = true;
    plan_.long_name = path_ + (is_root_ ? "" : ".") + std::string(key.substr(0, kShownBytes));
    plan_.long_name.resize(std::min(plan_.long_name.size(), kShownBytes));
    return false;
  }
  if (!is_root_) path_.push_back('.');
  path_.append(key);
  is_root_ = false;
  return true;
}

bool PlanWriter::write_member(const Member& member) {
  const JsonNode& node = nodes_[member.node];
  const std::size_t path_bytes = path_.size();
  const bool was_root = is_root_;
  if (!push_name(node.key)) return false;
  const std::size_t step = plan_.steps.size();
  add_step(node.kind, member.node);
  plan_.encoded_bytes_max += node.key.size() + 16;
  if (node.kind == JsonNode::Kind::open) {
    if (!write_members(member.node + 1, member.last - 1)) return false;
    add_candidates(step, plan_.steps.size(), true);
    add_step(JsonNode::Kind::close, member.last - 1);
  } else {
    if (++plan_.leaf_count <= limits_.fields) {
      PlanStep& leaf = plan_.steps[step];
      leaf.path = path_;
      if (names_.is_resource(path_)) leaf.role = LeafRole::resource;
      plan_.encoded_bytes_max += path_.size() + 24;
    }
    add_candidates(step, step, false);
  }
  path_.resize(path_bytes);
  is_root_ = was_root;
  return true;
}

void PlanWriter::add_candidates(std::size_t step, std::size_t last_step, bool is_object) {
  const std::vector<NameClaim>* claims = names_.find(path_);
  if (claims == nullptr) return;
  for (const NameClaim& claim : *claims) {
    if (is_object && (claim.part != RecordPart::body || claim.leaf_only)) continue;
    if (plan_.steps[step].path.empty()) plan_.steps[step].path = path_;
    plan_.candidates[static_cast<std::size_t>(claim.part)].push_back(
        {static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(last_step), claim});
  }
}

}  // namespace

bool RecordPlanner::signature_matches(std::string_view signature, const std::vector<JsonNode>& nodes) {
  const char* at = signature.data();
  const char* const end = at + signature.size();
  constexpr std::size_t kHeadBytes = sizeof(std::uint32_t) + 1;
  for (const JsonNode& node : nodes) {
    if (static_cast<std::size_t>(end - at) < kHeadBytes + node.key.size()) return false;
    if (load_le<std::uint32_t>(at) != node.key.size() || at[4] != static_cast<char>(node.kind)) return false;
    at += kHeadBytes;
    if (!node.key.empty() && std::memcmp(at, node.key.data(), node.key.size()) != 0) return false;
    at += node.key.size();
  }
  return at == end;
}

RecordPlan RecordPlanner::make_plan(const std::vector<JsonNode>& nodes) const {
  RecordPlan plan;
  PlanWriter(nodes, names_, limits_, plan).write_members(0, nodes.size());
  for (std::vector<PlanCandidate>& row : plan.candidates) {
    std::sort(row.begin(), row.end(), [](const PlanCandidate& a, const PlanCandidate& b) {
      return a.claim.rank != b.claim.rank ? a.claim.rank < b.claim.rank : a.step < b.step;
    });
  }
  plan.roles.reserve(plan.steps.size());
  for (const PlanStep& step : plan.steps) plan.roles.push_back(step.role);
  if (wish_ != nullptr) mark_wished(plan);
  return plan;
}

void RecordPlanner::mark_wished(RecordPlan& plan) const {
  plan.is_wished.assign(plan.steps.size(), 0);
  if (wish_->is_all) {  // nothing is left out of a record that somebody looks at: of the others the time is read
    for (const PlanCandidate& candidate : plan.candidates_of(RecordPart::timestamp))
      plan.looked_at.push_back(candidate.step);
    std::sort(plan.looked_at.begin(), plan.looked_at.end());
    return;
  }
  std::vector<char> is_looked_at(plan.steps.size(), 0);
  const auto wish_for = [&](std::size_t step) { plan.is_wished[step] = is_looked_at[step] = 1; };
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    if (step.kind != JsonNode::Kind::leaf) continue;
    const bool is_label = step.role == LeafRole::resource && wish_->all_labels;
    if (is_label || wish_->has_path(step.path)) wish_for(i);
  }
  for (const std::vector<PlanCandidate>& row : plan.candidates) {
    for (const PlanCandidate& candidate : row) {
      if (candidate.step == candidate.last_step) {
        is_looked_at[candidate.step] = 1;
        continue;
      }
      // A part of a body goes by its path in the body, too.
      const std::size_t prefix_bytes = plan.steps[candidate.step].path.size() + 1;
      for (std::size_t i = candidate.step + 1; i < candidate.last_step; ++i) {
        const PlanStep& step = plan.steps[i];
        if (step.kind != JsonNode::Kind::leaf || step.path.size() < prefix_bytes) continue;
        if (wish_->has_role(LeafRole::body_part) || wish_->has_path(std::string_view(step.path).substr(prefix_bytes)))
          wish_for(i);
      }
    }
  }
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    if (is_looked_at[i] != 0) plan.looked_at.push_back(i);
  }
}

const RecordPlan& RecordPlanner::plan_for(const std::vector<JsonNode>& nodes) {
  if (last_ != nullptr && signature_matches(last_->signature, nodes)) return last_->plan;
  if (nodes.size() > kMaxKeptNodes) {
    unkept_.plan = make_plan(nodes);
    return unkept_.plan;
  }
  const std::uint64_t hash = hash_nodes(nodes);
  const auto found = entries_.find(hash);
  if (found != entries_.end() && signature_matches(found->second->signature, nodes)) {
    last_ = found->second.get();
    return last_->plan;
  }
  if (entries_.size() >= kMaxEntries) entries_.clear();
  auto entry = std::make_unique<Entry>();
  for (const JsonNode& node : nodes) append_signature(entry->signature, node);
  entry->plan = make_plan(nodes);
  last_ = entry.get();
  entries_[hash] = std::move(entry);
  return last_->plan;
}

}  // namespace dendro
