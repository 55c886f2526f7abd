#include "storage/manifest_salvage.h"

#include <algorithm>
#include <vector>

namespace dendro {
namespace {

class EditSalvage {
 public:
  EditSalvage(SalvagedManifest& out, std::set<TombstoneId>& done) : out_(out), done_(done) {}
  void operator()(const SegmentInfo& segment) {
    out_.state.segments.insert_or_assign(segment.id, segment);
    out_.removed.erase(segment.id);
  }
  void operator()(const RemoveSegment& removal) { remove(removal.id); }
  void operator()(const FlushedThrough& flushed) {
    SequenceNumber& sequence = out_.state.flushed_through[flushed.tenant];
    sequence = std::max(sequence, flushed.sequence);
  }
  void operator()(const TombstoneInfo& tombstone) {
    if (!done_.contains(tombstone.id)) out_.state.tombstones.insert_or_assign(tombstone.id, tombstone);
  }
  void operator()(const TombstoneDone& done) {
    done_.insert(done.id);
    out_.state.tombstones.erase(done.id);
  }
  void operator()(const DropDay& drop) {
    remove_if([&](const SegmentInfo& info) { return info.tenant == drop.tenant && info.day == drop.day; });
  }
  void operator()(const DropTenant& drop) {
    remove_if([&](const SegmentInfo& info) { return info.tenant == drop.tenant; });
    std::erase_if(out_.state.tombstones, [&](const auto& entry) { return entry.second.tenant == drop.tenant; });
    out_.state.retry_keys.erase(drop.tenant);
  }
  void operator()(const Counters& counters) {
    Counters& own = out_.state.counters;
    own.next_segment = std::max(own.next_segment, counters.next_segment);
    own.last_sequence = std::max(own.last_sequence, counters.last_sequence);
    own.first_live_wal = std::max(own.first_live_wal, counters.first_live_wal);
  }
  void operator()(const RetryKeys& keys) { (void)out_.state.apply(keys); }

 private:
  void remove(SegmentId id) {
    out_.state.segments.erase(id);
    out_.removed.insert(id);
  }
  template <typename Matches>
  void remove_if(Matches matches) {
    std::vector<SegmentId> gone;
    for (const auto& [id, info] : out_.state.segments) {
      if (matches(info)) gone.push_back(id);
    }
    for (const SegmentId id : gone) remove(id);
  }
  SalvagedManifest& out_;
  std::set<TombstoneId>& done_;
};

}  // namespace

void ManifestSalvage::add(const ManifestSurvey& survey) {
  if (survey.has_header) out_.store_id = survey.store_id;
  EditSalvage salvage(out_, done_);
  for (const SurveyedGroup& group : survey.groups) {
    for (const ManifestEdit& edit : group.edits) std::visit(salvage, edit);
  }
}

}  // namespace dendro
