#include "storage/repair.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "storage/limits.h"
#include "storage/manifest_survey.h"
#include "storage/memtable_order.h"
#include "storage/read_only_files.h"
#include "storage/recovery.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_file.h"
#include "storage/store_files.h"
#include "storage/wal_survey.h"

namespace dendro {
namespace {

/// What readable groups of damaged manifests still tell.
struct SalvagedManifest {
  std::optional<Bytes16> store_id;
  ManifestState state;          ///< segments: those listed by what can be read
  std::set<SegmentId> removed;  ///< that an edit took away
  std::uint64_t last_number = 0;
};

class ManifestSalvage {
 public:
  explicit ManifestSalvage(SalvagedManifest& out) : out_(out) {}
  void add(const ManifestSurvey& survey) {
    if (survey.has_header) out_.store_id = survey.store_id;
    for (const SurveyedGroup& group : survey.groups) {
      for (const ManifestEdit& edit : group.edits) std::visit(*this, edit);
    }
  }
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
  }
  void operator()(const Counters& counters) {
    Counters& own = out_.state.counters;
    own.next_segment = std::max(own.next_segment, counters.next_segment);
    own.last_sequence = std::max(own.last_sequence, counters.last_sequence);
    own.first_live_wal = std::max(own.first_live_wal, counters.first_live_wal);
  }

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
  std::set<TombstoneId> done_;
};

std::string ranges_text(const SequenceRange& range) {
  return range.first == range.last
             ? "sequence number " + std::to_string(range.first.number())
             : "sequence numbers " + std::to_string(range.first.number()) + " to " +
                   std::to_string(range.last.number()) + " (" + std::to_string(range.count()) + " records)";
}

class StoreRepairImpl final : public StoreRepair {
 public:
  StoreRepairImpl(const std::string& directory, FileSystem& files, Clock& clock)
      : paths_(directory), files_(files), clock_(clock) {}

  Status look() {
    if (!is_store(paths_, files_)) {
      return Error(ErrorCode::not_found, "'" + paths_.root() + "' is not a data folder of dendro");
    }
    DENDRO_TRY_ASSIGN(lock_, files_.lock(paths_.lock_file()));
    Result<LiveManifest> live = read_live_manifest(paths_, files_);
    if (live) {
      number_ = live->number;
      store_id_ = live->contents.store_id;
      state_ = std::move(live->contents.state);
      return look_at_wal();
    }
    if (live.error().code() != ErrorCode::corruption) return live.error();
    DENDRO_TRY_ASSIGN(const bool is_empty, holds_nothing());
    if (is_empty) return {};  // a new store
    note_finding(live.error().message());
    return rebuild_manifest();
  }

  const RepairPlan& plan() const override { return plan_; }

  Status carry_out() override {
    DENDRO_TRY(save_aside());
    if (salvages_wal_) {
      DENDRO_TRY(write_salvaged_records());
      DENDRO_TRY(make_next_wal_file());
      let_go_of_wal();
    }
    return list_everything();
  }

 private:
  void note_finding(const std::string& text) {
    if (std::find(plan_.findings.begin(), plan_.findings.end(), text) == plan_.findings.end()) {
      plan_.findings.push_back(text);
    }
  }

  // ---- looking ------------------------------------------------------------------------------------------------------

  /// The manifest is good: what does recovery say?
  Status look_at_wal() {
    ReadOnlyFiles files(files_);
    TenantTable tenants(clock_, {std::chrono::hours(24), 0});
    const Result<RecoveredWal> recovered = recover_wal(paths_, files, clock_, store_id_, state_, tenants);
    if (recovered) return {};
    if (recovered.error().code() != ErrorCode::corruption) return recovered.error();
    note_finding(recovered.error().message());
    for (const auto& [tenant, sequence] : state_.flushed_through) floors_[tenant] = sequence;
    return salvage_records();
  }

  Status salvage_records() {
    salvages_wal_ = true;
    DENDRO_TRY_ASSIGN(salvage_, salvage_wal(paths_, files_, store_id_, state_.counters.first_live_wal));
    for (const StorageFault& fault : salvage_.faults) note_finding(fault.text());
    for (const std::string& path : salvage_.damaged_files) {
      save(path);
    }
    std::uint64_t records = 0;
    for (const SalvagedRequest& request : salvage_.requests) {
      for (const auto& [first, batch] : request.batches) {
        for (std::uint32_t row = 0; row < batch->size(); ++row) {
          records += is_wanted(request.tenant, first.next(row)) ? 1 : 0;
        }
      }
    }
    if (records > 0) {
      plan_.steps.push_back("write the " + std::to_string(records) +
                            " records of the WAL that are good and in no segment into new segments");
    }
    plan_.steps.push_back("begin an empty WAL file, " + paths_.wal_file(next_wal()));
    note_lost_records();
    return {};
  }

  void note_lost_records() {
    std::vector<SequenceRange> ranges = salvage_.missing;
    const Counters& counters = state_.counters;
    const bool begins_at_first = counters.first_live_wal == WalNumber(1) && salvage_.first_sequence > SequenceNumber(1);
    if (begins_at_first) ranges.push_back({SequenceNumber(1), SequenceNumber(salvage_.first_sequence.number() - 1)});
    if (salvage_.last_sequence < counters.last_sequence) {
      ranges.push_back({salvage_.last_sequence.next(), counters.last_sequence});
    }
    for (const SequenceRange& range : ranges) note_lost_range(range);
    for (const WalNumber number : salvage_.missing_files) {
      plan_.losses.push_back(paths_.wal_file(number) + " is missing: what it held is lost unless it was in segments");
    }
    const bool is_open_ended = !salvage_.faults.empty() && salvage_.missing.empty() && !begins_at_first;
    if (is_open_ended) {
      plan_.losses.push_back("what the damaged frames named above held, as far as it is not in segments");
    }
  }

  /// What of the range no segment holds. Records that were deleted look the same.
  void note_lost_range(const SequenceRange& range) {
    std::vector<SequenceNumber> held;
    bool is_certain = true;
    for (const auto& [id, info] : state_.segments) {
      if (info.last_sequence < range.first || range.last < info.first_sequence) continue;
      is_certain = read_sequences(info, range, held).has_value() && is_certain;
    }
    std::sort(held.begin(), held.end());
    SequenceNumber next = range.first;
    const auto lost_up_to = [&](SequenceNumber end) {
      if (next >= end) return;
      plan_.losses.push_back("records of " + ranges_text({next, SequenceNumber(end.number() - 1)}) +
                             (is_certain ? " are lost" : " are lost unless they are in a damaged segment"));
    };
    for (const SequenceNumber sequence : held) {
      lost_up_to(sequence);
      next = std::max(next, sequence.next());
    }
    lost_up_to(range.last.next());
  }

  /// Appends those sequence numbers of a segment that lie in the range.
  Status read_sequences(const SegmentInfo& info, const SequenceRange& range, std::vector<SequenceNumber>& out) {
    const auto segment = Segment::open(files_, paths_.segment(info.tenant, info.day, info.id), store_id_, info);
    DENDRO_TRY_ASSIGN(const SegmentTables* const tables, segment->tables());
    PieceCache cache(0);
    for (std::uint32_t i = 0; i < tables->row_groups.size(); ++i) {
      RowGroupReader reader(*segment, *tables, i, cache);
      if (reader.entry().last_sequence < range.first || range.last < reader.entry().first_sequence) continue;
      DENDRO_TRY_ASSIGN(const auto sequences, reader.sequences());
      for (const std::int64_t number : sequences->values) {
        const SequenceNumber sequence(static_cast<std::uint64_t>(number));
        if (range.first <= sequence && sequence <= range.last) out.push_back(sequence);
      }
    }
    return {};
  }

  bool is_wanted(const TenantId& tenant, SequenceNumber sequence) const {
    const auto floor = floors_.find(tenant);
    if (floor != floors_.end() && sequence <= floor->second) return false;
    const auto held = held_.find(tenant);
    return held == held_.end() || !std::binary_search(held->second.begin(), held->second.end(), sequence);
  }

  WalNumber next_wal() const {
    return std::max(salvage_.last_number.next(), std::max(state_.counters.first_live_wal, WalNumber(1)));
  }

  Result<bool> holds_nothing() {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> manifests, list_manifest_files(paths_, files_));
    DENDRO_TRY_ASSIGN(const std::vector<WalNumber> wal, wal_numbers());
    DENDRO_TRY_ASSIGN(const std::vector<std::string> segments, list_segment_files(paths_, files_));
    return manifests.empty() && wal.empty() && segments.empty() && !files_.exists(paths_.current());
  }

  // ---- looking, where the manifest is damaged
  // -------------------------------------------------------------------------

  Status rebuild_manifest() {
    SalvagedManifest salvaged;
    DENDRO_TRY(salvage_manifests(salvaged));
    if (good_manifest_) {
      number_ = good_manifest_->number;
      store_id_ = good_manifest_->contents.store_id;
      state_ = std::move(good_manifest_->contents.state);
      plan_.steps.push_back("write a new manifest from " + good_manifest_->path +
                            ", the only one and undamaged, and CURRENT");
      return look_at_wal();
    }
    std::vector<SegmentDescription> segments;
    DENDRO_TRY(describe_segments(salvaged, segments));
    DENDRO_TRY(find_store_id(salvaged, segments));
    choose_segments(salvaged, std::move(segments));
    state_.tombstones = salvaged.state.tombstones;
    state_.counters = salvaged.state.counters;
    state_.counters.next_segment = std::max(state_.counters.next_segment, highest_id_.next());
    number_ = salvaged.last_number;
    DENDRO_TRY(find_first_live_wal());
    set_floors(salvaged);
    DENDRO_TRY(note_held_records());
    plan_.steps.push_back("write a new manifest, " + paths_.manifest(number_ + 1) + ", that lists " +
                          std::to_string(state_.segments.size()) + " segments");
    plan_.losses.push_back(
        "deletions whose edits cannot be read: records that were deleted and are still in a segment are visible again "
        "(" +
        std::to_string(state_.tombstones.size()) + " pending deletions could be read)");
    return salvage_records();
  }

  Status salvage_manifests(SalvagedManifest& salvaged) {
    ManifestSalvage salvage(salvaged);
    DENDRO_TRY_ASSIGN(const std::vector<std::string> paths, list_manifest_files(paths_, files_));
    bool is_good = paths.size() == 1;
    for (const std::string& path : paths) {
      const auto number = StorePaths::parse_manifest_name(path.substr(path.rfind('/') + 1));
      salvaged.last_number = std::max(salvaged.last_number, number.value_or(0));
      DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files_, path, kMaxManifestBytes));
      const ManifestSurvey survey = survey_manifest(path, bytes, number);
      for (const StorageFault& fault : survey.faults) note_finding(fault.text());
      salvage.add(survey);
      is_good = is_good && survey.faults.empty();
      if (is_good) {
        DENDRO_TRY_ASSIGN(ManifestContents contents, read_manifest(bytes, *number));
        good_manifest_ = LiveManifest{*number, path, std::move(contents)};
      }
    }
    for (const std::string& path : paths) save(path);
    if (files_.exists(paths_.current())) save(paths_.current());
    return {};
  }

  void save(const std::string& path) {
    if (!aside_.insert(path).second) return;
    plan_.steps.push_back("save " + path + " aside as " + damaged_name(files_, path));
  }

  Status describe_segments(const SalvagedManifest& salvaged, std::vector<SegmentDescription>& segments) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> found, list_segment_files(paths_, files_));
    for (const std::string& path : found) {
      SegmentDescription segment;
      const Status described = describe_segment(files_, path, segment);
      const SegmentInfo& info = segment.meta.info;
      const std::string name = path.substr(path.rfind('/') + 1);
      highest_id_ = std::max(highest_id_, SegmentId(std::strtoull(name.c_str(), nullptr, 16)));
      if (described && path == paths_.segment(info.tenant, info.day, info.id)) {
        segments.push_back(std::move(segment));
        continue;
      }
      if (keep_as_listed(salvaged, path)) continue;
      leave_out(path, described ? StorageFault{path, {}, "the file says that it belongs elsewhere"}
                                : StorageFault::of(path, described.error()));
    }
    return {};
  }

  /// A damaged file that the manifest still lists: it stays listed, so that queries say that they are incomplete.
  bool keep_as_listed(const SalvagedManifest& salvaged, const std::string& path) {
    for (const auto& [id, info] : salvaged.state.segments) {
      if (paths_.segment(info.tenant, info.day, id) != path) continue;
      state_.segments.emplace(id, info);
      return true;
    }
    return false;
  }

  /// A segment that cannot be listed: opening would remove it.
  void leave_out(const std::string& path, const StorageFault& fault) {
    note_finding(fault.text());
    save(path);
    plan_.losses.push_back(path + " cannot be listed: its records are missing unless the journal still has them");
  }

  /// The id that most files name: one that was copied in from elsewhere does not count.
  Status find_store_id(const SalvagedManifest& salvaged, const std::vector<SegmentDescription>& segments) {
    std::map<Bytes16, std::size_t> votes;
    if (salvaged.store_id) votes[*salvaged.store_id] += 1'000'000;
    for (const SegmentDescription& segment : segments) ++votes[segment.header.store_id];
    DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, wal_numbers());
    for (const WalNumber number : numbers) {
      DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files_, paths_.wal_file(number), kMaxWalFileBytes));
      const WalSurvey survey = survey_wal_file(paths_.wal_file(number), bytes, std::nullopt);
      if (survey.number == number && survey.created != Timestamp()) ++votes[survey.store_id];
    }
    if (votes.empty()) {
      return Error(ErrorCode::corruption, "'" + paths_.root() +
                                              "': no manifest, segment or WAL file can be read; restore "
                                              "a backup (dendro admin restore)");
    }
    store_id_ = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
                  return a.second < b.second;
                })->first;
    return {};
  }

  Result<std::vector<WalNumber>> wal_numbers() {
    std::vector<WalNumber> numbers;
    if (!files_.exists(paths_.wal_folder())) return numbers;
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.wal_folder()));
    for (const std::string& name : names) {
      if (const auto number = StorePaths::parse_wal_name(name)) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

  /// Live is what no other one replaces and no readable edit took away.
  void choose_segments(const SalvagedManifest& salvaged, std::vector<SegmentDescription> segments) {
    std::set<SegmentId> replaced = salvaged.removed;
    for (const SegmentDescription& segment : segments) {
      if (segment.header.store_id != store_id_) continue;
      replaced.insert(segment.meta.replaces.begin(), segment.meta.replaces.end());
    }
    for (const SegmentDescription& segment : segments) {
      const SegmentInfo& info = segment.meta.info;
      if (replaced.contains(info.id)) continue;
      const std::string path = paths_.segment(info.tenant, info.day, info.id);
      if (segment.header.store_id != store_id_) {
        leave_out(path, {path, 0, "the file belongs to another store"});
        continue;
      }
      state_.segments.emplace(info.id, info);
      if (info.level > 0 || !segment.meta.replaces.empty()) merged_.insert(info.id);
    }
    for (const auto& [id, info] : salvaged.state.segments) {
      if (state_.segments.contains(id) || replaced.contains(id)) continue;
      const std::string path = paths_.segment(info.tenant, info.day, id);
      if (!aside_.contains(path)) plan_.losses.push_back(path + " is missing, the manifest listed it");
    }
  }

  /// The counter may be of an older edit than the last one; a file that was let go of meanwhile holds nothing that is
  /// not in segments.
  Status find_first_live_wal() {
    DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, wal_numbers());
    WalNumber& first_live = state_.counters.first_live_wal;
    const auto first = std::lower_bound(numbers.begin(), numbers.end(), first_live);
    if (first != numbers.end()) first_live = *first;
    return {};
  }

  /// Up to where the records of a tenant are surely in segments: an edit said so; or they were merged, which happens to
  /// listed segments only.
  void set_floors(const SalvagedManifest& salvaged) {
    floors_ = salvaged.state.flushed_through;
    for (const SegmentId id : merged_) {
      const SegmentInfo& info = state_.segments.at(id);
      floors_[info.tenant] = std::max(floors_[info.tenant], info.last_sequence);
    }
  }

  /// Which records above the floor the other segments hold: one of a flush that was not listed may be among them, so
  /// the WAL may have them again.
  Status note_held_records() {
    for (const auto& [id, info] : state_.segments) {
      state_.counters.last_sequence = std::max(state_.counters.last_sequence, info.last_sequence);
      if (merged_.contains(id) || info.last_sequence <= floors_[info.tenant]) continue;
      const SequenceRange above{floors_[info.tenant].next(), info.last_sequence};
      const Status noted = read_sequences(info, above, held_[info.tenant]);
      if (!noted) {
        note_finding(noted.error().message());
        plan_.losses.push_back("segment " + std::to_string(id.number()) +
                               ": which records it holds cannot be read; some may be there twice");
      }
    }
    for (auto& [tenant, sequences] : held_) std::sort(sequences.begin(), sequences.end());
    return {};
  }

  // ---- doing
  // ----------------------------------------------------------------------------------------------------------

  Status save_aside() {
    std::set<std::string> folders;
    for (const std::string& path : aside_) {
      DENDRO_TRY_ASSIGN(const CopiedFile copied, copy_file(files_, path, damaged_name(files_, path)));
      (void)copied;
      folders.insert(path.substr(0, path.rfind('/')));
    }
    for (const std::string& folder : folders) DENDRO_TRY(files_.sync_directory(folder));
    return {};
  }

  Status write_salvaged_records() {
    std::map<TenantId, std::shared_ptr<Memtable>> memtables;
    for (SalvagedRequest& request : salvage_.requests) {
      std::shared_ptr<Memtable>& memtable = memtables[request.tenant];
      if (memtable == nullptr) memtable = std::make_shared<Memtable>(std::chrono::nanoseconds(0));
      std::shared_ptr<const KeyedReply> keyed;
      if (request.key) keyed = std::make_shared<const KeyedReply>(KeyedReply{*request.key, request.reply});
      for (auto& [first, batch] : request.batches) memtable->append({std::move(batch), first, keyed});
    }
    for (const auto& [tenant, memtable] : memtables) DENDRO_TRY(write_tenant(tenant, {memtable, memtable->size()}));
    return {};
  }

  Status write_tenant(const TenantId& tenant, const MemtableView& memtable) {
    for (DayOfRecords& day : order_by_day(memtable)) {
      std::erase_if(day.rows, [&](const MemtableRow& row) {
        return !is_wanted(tenant, memtable[row.entry].first_sequence.next(row.row));
      });
      if (day.rows.empty()) continue;
      SegmentWriter::Place place{store_id_, state_.counters.next_segment, tenant, day.day};
      state_.counters.next_segment = place.id.next();
      DENDRO_TRY_ASSIGN(SegmentInfo info, write_day_segment(paths_, files_, place, memtable, day));
      written_.push_back(std::move(info));
    }
    const MemtableEntry& last = memtable[memtable.count - 1];
    flushed_.push_back({tenant, last.first_sequence.next(last.batch->size() - 1)});
    return {};
  }

  Status make_next_wal_file() {
    DENDRO_TRY(files_.create_directories(paths_.wal_folder()));
    DENDRO_TRY(files_.create_directories(paths_.tenants_folder()));
    const WalNumber number = next_wal();
    const std::string path = paths_.wal_file(number);
    if (files_.exists(path)) return {};  // an earlier repair got so far
    if (files_.exists(path + ".tmp")) DENDRO_TRY(files_.remove(path + ".tmp"));
    DENDRO_TRY(write_new_file(files_, path + ".tmp", encode_wal_header(store_id_, number, clock_.now())));
    DENDRO_TRY(files_.rename(path + ".tmp", path));
    return files_.sync_directory(paths_.wal_folder());
  }

  /// R4. As a new manifest also where the old one is good: its number makes it one step, and nothing is appended to a
  /// file that somebody else wrote.
  Status list_everything() {
    const std::uint64_t number = number_ + 1;
    const std::string path = paths_.manifest(number);
    if (files_.exists(path)) DENDRO_TRY(files_.remove(path));  // CURRENT does not name it: it was never live
    DENDRO_TRY(write_new_file(files_, path, encode_manifest(store_id_, number, clock_.now(), state_)));
    DENDRO_TRY(files_.sync_directory(paths_.root()));
    return replace_file(files_, paths_.root(), paths_.current(), StorePaths::manifest_name(number) + "\n");
  }

  void let_go_of_wal() {
    for (const SegmentInfo& info : written_) state_.segments.emplace(info.id, info);
    for (const FlushedThrough& flushed : flushed_) {
      SequenceNumber& sequence = state_.flushed_through[flushed.tenant];
      sequence = std::max(sequence, flushed.sequence);
    }
    for (const auto& [tenant, floor] : floors_) {
      SequenceNumber& sequence = state_.flushed_through[tenant];
      sequence = std::max(sequence, floor);
    }
    state_.counters.last_sequence = std::max(state_.counters.last_sequence, salvage_.last_sequence);
    state_.counters.first_live_wal = next_wal();
  }

  const StorePaths paths_;
  FileSystem& files_;
  Clock& clock_;
  std::unique_ptr<FileLock> lock_;
  RepairPlan plan_;
  bool salvages_wal_ = false;
  std::optional<LiveManifest> good_manifest_;
  Bytes16 store_id_{};
  std::uint64_t number_ = 0;  ///< of the live or the newest manifest
  ManifestState state_;
  SegmentId highest_id_;
  std::set<SegmentId> merged_;
  std::map<TenantId, SequenceNumber> floors_;             ///< up to there everything is in segments
  std::map<TenantId, std::vector<SequenceNumber>> held_;  ///< above it, sorted
  WalSalvage salvage_;
  std::set<std::string> aside_;
  std::vector<SegmentInfo> written_;
  std::vector<FlushedThrough> flushed_;
};

}  // namespace

Result<std::unique_ptr<StoreRepair>> StoreRepair::open(const std::string& directory, FileSystem& files, Clock& clock) {
  auto repair = std::make_unique<StoreRepairImpl>(directory, files, clock);
  DENDRO_TRY(repair->look());
  return std::unique_ptr<StoreRepair>(std::move(repair));
}

}  // namespace dendro
