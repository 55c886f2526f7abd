// Three passes over a tenant's chain: the entries alone (links, signatures, what was removed); their leaves beside the
// records; the records behind the last entry. A fault never ends a pass that can go on.
#include "services/evidence/chain_verifier.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/hex.h"
#include "base/json_document.h"
#include "base/json_writer.h"
#include "record/record_id.h"
#include "services/evidence/chain_files.h"
#include "services/evidence/evidence_service.h"
#include "services/evidence/record_leaf.h"

namespace dendro {
namespace {

/// What pass 1 keeps of an entry that covers records.
struct CoveredRange {
  std::uint64_t index = 0, offset = 0;
  ChainRecords records;
};

/// What is declared gone.
class DeclaredRemovals {
 public:
  void add(const ChainRemoval& removal) {
    if (removal.is_whole) whole_.push_back(removal);
    single_.insert(removal.sequences.begin(), removal.sequences.end());
  }
  bool takes(const ChainLeaf& leaf) const {
    if (single_.contains(leaf.sequence)) return true;
    return std::ranges::any_of(whole_, [&leaf](const ChainRemoval& removal) {
      return leaf.sequence <= removal.up_to && removal.range.contains(Timestamp(leaf.timestamp_ns));
    });
  }
  /// True if all records of any time are gone up to there: then their leaves may be, too.
  bool takes_all_up_to(std::uint64_t sequence) const {
    return std::ranges::any_of(whole_, [sequence](const ChainRemoval& removal) {
      return sequence <= removal.up_to && removal.range == TimeRange();
    });
  }

 private:
  std::vector<ChainRemoval> whole_;
  std::unordered_set<std::uint64_t> single_;
};

struct FoundRecord {
  std::uint64_t sequence = 0;
  std::int64_t timestamp_ns = 0;
  RecordBlock block;  // of this row alone
};

std::string record_text(std::uint64_t sequence, std::int64_t timestamp_ns) {
  return "record " + to_record_id({Timestamp(timestamp_ns), SequenceNumber(sequence)}) + " (" +
         to_rfc3339(Timestamp(timestamp_ns)) + ", number " + std::to_string(sequence) + ")";
}

class ChainWalk {
 public:
  ChainWalk(const ChainVerification& what, const WorkWatch& watch) : what_(what), watch_(watch) {}

  Result<ChainReport> run() {
    DENDRO_TRY(walk_entries());
    if (report_.entries == 0 && report_.fault_count == 0) DENDRO_TRY(check_emptiness());
    check_anchors();
    if (ranges_.empty()) return std::move(report_);
    DENDRO_TRY(walk_leaves());
    DENDRO_TRY(count_rest());
    return std::move(report_);
  }

 private:
  void fault(std::string text) {
    ++report_.fault_count;
    if (report_.faults.size() < kChainFaultsMax) report_.faults.push_back(std::move(text));
  }
  std::string entry_text(std::uint64_t index) const {
    return what_.folder + "/entries: entry " + std::to_string(index);
  }
  Status look_for_cancel() const {
    if (!watch_.cancel.cancelled()) return {};
    return Error(ErrorCode::cancelled, "it was cancelled");
  }

  // ---- pass 1 ----

  Status walk_entries() {
    auto opened = ChainReader::open(what_.files, what_.folder);
    if (!opened && opened.error().code() != ErrorCode::corruption) return opened.error();
    if (!opened) {
      fault(opened.error().message());
      return {};
    }
    ChainReader& reader = *opened;
    for (;;) {
      DENDRO_TRY(look_for_cancel());
      auto entry = reader.next();
      if (!entry && entry.error().code() == ErrorCode::io_error) return entry.error();
      if (!entry) {
        fault(entry.error().message());
        break;
      }
      if (!*entry) break;
      if (!take_entry(**entry)) break;
    }
    report_.torn_bytes = reader.torn_bytes();
    if (what_.trusted_key && report_.entries > 0 && *what_.trusted_key != report_.public_key) {
      fault(entry_text(report_.head_index) + ": is signed with key " + to_hex(report_.public_key) +
            ", not with the one that is trusted, " + to_hex(*what_.trusted_key));
    }
    return {};
  }

  /// A kill can leave an empty chain, but none whose leaves are there. Errors: not_found (it is as if there were none).
  Status check_emptiness() {
    DENDRO_TRY_ASSIGN(LeafReader leaves, LeafReader::open(what_.files, what_.folder));
    const auto frame = leaves.next();
    if (frame && !*frame && what_.anchored.empty()) return Error(ErrorCode::not_found, "the chain has no entry");
    fault(what_.folder + "/entries: is empty: the chain was cut back");
    return {};
  }

  /// False: what follows cannot be judged.
  bool take_entry(const SignedEntry& made) {
    const ChainEntry& entry = made.entry;
    const std::string place = entry_text(entry.index);
    if (entry.index != report_.entries) {
      fault(place + " stands where entry " + std::to_string(report_.entries) + " must");
      return false;
    }
    if (entry.previous != report_.head_hash) {
      fault(place + ": does not follow the entry before: one of the two was changed");
      return false;
    }
    const auto* begin = std::get_if<ChainBegin>(&entry.body);
    if ((begin != nullptr) != (entry.index == 0)) {
      fault(place + ": a chain begins once, at its beginning");
      return false;
    }
    if (begin != nullptr) report_.public_key = begin->public_key;
    const auto key = SignatureKey::from_ed25519(hash_bytes(report_.public_key));
    if (!key || !key->verifies(chain_signed_bytes(made.hash), made.signature)) {
      fault(place + ": its signature is not of key " + to_hex(report_.public_key));
      return false;
    }
    if (begin != nullptr && begin->tenant != what_.tenant.text()) {
      fault(place + ": this is the chain of tenant " + begin->tenant);
      return false;
    }
    hashes_.push_back(made.hash);
    ++report_.entries;
    report_.head_index = entry.index;
    report_.head_time = entry.time;
    report_.head_hash = made.hash;
    if (const auto* next_key = std::get_if<ChainNewKey>(&entry.body)) report_.public_key = next_key->public_key;
    if (const auto* removal = std::get_if<ChainRemoval>(&entry.body)) removals_.add(*removal);
    if (const auto* records = std::get_if<ChainRecords>(&entry.body)) take_records(made, *records);
    return true;
  }

  void take_records(const SignedEntry& made, const ChainRecords& records) {
    const std::uint64_t expected = ranges_.empty() ? 1 : ranges_.back().records.last + 1;
    if (records.first != expected || records.last < records.first) {
      fault(entry_text(made.entry.index) + ": covers from number " + std::to_string(records.first) + " on, not from " +
            std::to_string(expected));
    }
    report_.covered += records.count;
    ranges_.push_back({made.entry.index, made.offset, records});
  }

  void check_anchors() {
    for (const AnchoredHead& head : what_.anchored) {
      if (head.index >= hashes_.size()) {
        fault(entry_text(head.index) + ": was anchored and is not there: the chain was cut back");
      } else if (hashes_[head.index] != head.hash) {
        fault(entry_text(head.index) + ": is not the one that was anchored: the chain was made anew");
      } else {
        ++report_.anchored;
      }
    }
  }

  // ---- pass 2 ----

  Status walk_leaves() {
    DENDRO_TRY_ASSIGN(LeafReader reader, LeafReader::open(what_.files, what_.folder));
    std::size_t next_range = 0;
    std::vector<LeafFrame> step;
    for (;;) {
      DENDRO_TRY(look_for_cancel());
      auto frame = reader.next();
      if (!frame && frame.error().code() == ErrorCode::io_error) return frame.error();
      if (!frame) {
        fault(frame.error().message());
        continue;
      }
      if (!*frame) break;
      if (!take_frame(**frame, next_range)) continue;
      step.push_back(std::move(**frame));
      watch_.tell(next_range, ranges_.size());
      if (leaves_in(step) < kEvidenceStepSequences) continue;
      DENDRO_TRY(compare(step));
      step.clear();
    }
    while (next_range < ranges_.size()) miss_leaves(ranges_[next_range++]);
    // A kill can leave the leaves of one entry that was never written.
    if (frames_beyond_ > 1) {
      fault(what_.folder + "/entries: ends before entries whose leaves are there: the chain was cut back");
    }
    return compare(step);
  }

  static std::size_t leaves_in(const std::vector<LeafFrame>& step) {
    std::size_t count = 0;
    for (const LeafFrame& frame : step) count += frame.leaves.size();
    return count;
  }

  void miss_leaves(const CoveredRange& range) {
    if (removals_.takes_all_up_to(range.records.last)) {
      report_.removed += range.records.count;
      return;
    }
    fault(entry_text(range.index) + ": its leaves are missing or damaged, so " + std::to_string(range.records.count) +
          " records cannot be compared");
  }

  /// False: the frame is of no entry, or not what the entry says.
  bool take_frame(const LeafFrame& frame, std::size_t& next_range) {
    while (next_range < ranges_.size() && ranges_[next_range].index < frame.entry_index) {
      miss_leaves(ranges_[next_range++]);
    }
    if (frame.entry_index >= report_.entries) ++frames_beyond_;
    if (next_range >= ranges_.size() || ranges_[next_range].index != frame.entry_index) return false;
    const CoveredRange& range = ranges_[next_range++];
    std::vector<Hash32> hashes;
    std::uint64_t before = range.records.first - 1;
    bool is_good = frame.leaves.size() == range.records.count;
    for (const ChainLeaf& leaf : frame.leaves) {
      is_good = is_good && leaf.sequence > before && leaf.sequence <= range.records.last;
      before = leaf.sequence;
      hashes.push_back(leaf.hash);
    }
    if (is_good && merkle_root(hashes) == range.records.root) return true;
    fault(entry_text(range.index) + ": its leaves were changed: they do not make the root that is signed");
    return false;
  }

  Status compare(const std::vector<LeafFrame>& step) {
    // Frames may lie far apart in sequence numbers: each part that a scan looks at is bounded by its records.
    if (step.empty()) return {};
    const std::uint64_t first = range_of(step.front()).records.first;
    const std::uint64_t last = range_of(step.back()).records.last;
    const bool all_audit = std::ranges::all_of(
        step, [this](const LeafFrame& frame) { return range_of(frame).records.scope == EvidenceScope::audit; });
    DENDRO_TRY_ASSIGN(std::vector<FoundRecord> found,
                      read_records({SequenceNumber(first), SequenceNumber(last + 1)},
                                   all_audit ? EvidenceScope::audit : EvidenceScope::all));
    std::size_t at = 0;
    for (const LeafFrame& frame : step) {
      const ChainRecords& records = range_of(frame).records;
      for (const ChainLeaf& leaf : frame.leaves) {
        for (; at < found.size() && found[at].sequence < leaf.sequence; ++at) add_stray(records, found[at]);
        const bool is_there = at < found.size() && found[at].sequence == leaf.sequence;
        compare_one(leaf, is_there ? &found[at] : nullptr, frame.range_key);
        if (is_there) ++at;
      }
      for (; at < found.size() && found[at].sequence <= records.last; ++at) add_stray(records, found[at]);
    }
    return {};
  }

  const CoveredRange& range_of(const LeafFrame& frame) const {
    return *std::ranges::lower_bound(ranges_, frame.entry_index, {}, &CoveredRange::index);
  }

  /// A record of the scope that the entry, which covers its number, does not know.
  void add_stray(const ChainRecords& records, const FoundRecord& found) {
    const RecordBlock& block = found.block;
    if (!is_in_scope(records.scope, block.record(block.rows.front()).stream())) return;
    fault(record_text(found.sequence, found.timestamp_ns) + " was put in afterwards: the chain does not know it");
  }

  void compare_one(const ChainLeaf& leaf, const FoundRecord* found, const Hash32& range_key) {
    const bool is_declared = removals_.takes(leaf);
    if (found == nullptr) {
      if (is_declared) {
        ++report_.removed;
      } else {
        fault(record_text(leaf.sequence, leaf.timestamp_ns) + " is missing, and no removal is declared");
      }
      return;
    }
    const RecordBlock& block = found->block;
    if (leaf_of(open_record(block, block.rows.front(), range_key)) != leaf.hash) {
      return fault(record_text(leaf.sequence, leaf.timestamp_ns) + " is not what it was when it was covered");
    }
    ++(is_declared ? report_.declared_present : report_.matched);
  }

  /// Those of the scope, by rising sequence number.
  Result<std::vector<FoundRecord>> read_records(SequenceRange sequences, EvidenceScope scope) {
    std::vector<FoundRecord> found;
    ScanRequest request;
    request.sequences = sequences;
    request.filter = scope_filter(scope);
    request.order = ScanOrder::oldest_first;
    request.cancel = watch_.cancel;
    const auto source = what_.snapshot->scan(std::move(request));
    for (;;) {
      auto block = source->next();
      if (!block && block.error().code() != ErrorCode::corruption) return block.error();
      if (!block) {
        fault(block.error().message());
        continue;
      }
      if (!*block) break;
      for (const std::uint32_t row : (*block)->rows) {
        FoundRecord& one = found.emplace_back();
        one.sequence = (*block)->sequence(row).number();
        one.timestamp_ns = (*block)->batch->timestamp(row).number();
        one.block = **block;
        one.block.rows = {row};
      }
    }
    std::ranges::sort(found, {}, &FoundRecord::sequence);
    return found;
  }

  // ---- pass 3 ----

  Status count_rest() {
    const ChainRecords& last = ranges_.back().records;
    ScanRequest request;
    request.sequences.first = SequenceNumber(last.last + 1);
    request.filter = scope_filter(last.scope);
    request.cancel = watch_.cancel;
    const auto source = what_.snapshot->scan(std::move(request));
    for (;;) {
      const auto block = source->next();
      if (!block && block.error().code() != ErrorCode::corruption) return block.error();
      if (!block) {
        fault(block.error().message());
        continue;
      }
      if (!*block) return {};
      for (const std::uint32_t row : (*block)->rows) {
        if (is_in_scope(last.scope, (*block)->record(row).stream())) ++report_.not_covered;
      }
    }
  }

  const ChainVerification& what_;
  const WorkWatch& watch_;
  ChainReport report_;
  std::vector<Hash32> hashes_;  // of entries, by index
  std::vector<CoveredRange> ranges_;
  std::uint64_t frames_beyond_ = 0;  // frames of leaves whose entries are not there
  DeclaredRemovals removals_;
};

}  // namespace

Result<ChainReport> verify_chain(const ChainVerification& what, const WorkWatch& watch) {
  return ChainWalk(what, watch).run();
}

Result<std::vector<AnchoredHead>> read_anchored_heads(std::string_view text, const TenantId& tenant) {
  std::vector<AnchoredHead> heads;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const auto document = parse_json_document(line);
    const JsonValue* name = document ? document->find("tenant") : nullptr;
    const JsonValue* index = document ? document->find("index") : nullptr;
    const JsonValue* hash = document ? document->find("hash") : nullptr;
    const auto bytes = hash == nullptr ? std::nullopt : parse_hex(hash->as_string().value_or(""));
    const auto parsed = bytes ? hash_from_bytes(*bytes) : std::nullopt;
    if (name == nullptr || index == nullptr || index->as_int().value_or(-1) < 0 || !parsed) {
      return Error(ErrorCode::invalid_argument, "line " + std::to_string(number) + " is no head of a chain");
    }
    if (name->as_string() != tenant.text()) continue;
    heads.push_back({tenant.text(), static_cast<std::uint64_t>(*index->as_int()), *parsed});
  }
  return heads;
}

std::string chain_report_json(const ChainReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("entries", report.entries);
  json.member("covered", report.covered);
  json.member("matched", report.matched);
  json.member("removed", report.removed);
  json.member("declared_present", report.declared_present);
  json.member("not_covered", report.not_covered);
  json.member("torn_bytes", report.torn_bytes);
  json.member("anchored", report.anchored);
  if (report.entries > 0) {
    json.member("head_index", report.head_index);
    json.member("head_time", to_rfc3339(report.head_time));
    json.member("head_hash", to_hex(report.head_hash));
    json.member("public_key", to_hex(report.public_key));
  }
  json.member("fault_count", report.fault_count);
  json.key("faults");
  json.begin_array();
  for (const std::string& fault : report.faults) json.value(fault);
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace dendro
