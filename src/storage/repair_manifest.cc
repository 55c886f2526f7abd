// What repair makes of a store whose manifest is damaged.
#include <algorithm>

#include "storage/limits.h"
#include "storage/repair_work.h"

namespace dendro {

Status StoreRepairWork::rebuild_manifest() {
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
  state_.retry_keys = salvaged.state.retry_keys;
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

Status StoreRepairWork::salvage_manifests(SalvagedManifest& salvaged) {
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

void StoreRepairWork::save(const std::string& path) {
  if (!aside_.insert(path).second) return;
  plan_.steps.push_back("save " + path + " aside as " + damaged_name(files_, path));
}

Status StoreRepairWork::describe_segments(const SalvagedManifest& salvaged, std::vector<SegmentDescription>& segments) {
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

bool StoreRepairWork::keep_as_listed(const SalvagedManifest& salvaged, const std::string& path) {
  for (const auto& [id, info] : salvaged.state.segments) {
    if (paths_.segment(info.tenant, info.day, id) != path) continue;
    state_.segments.emplace(id, info);
    return true;
  }
  return false;
}

void StoreRepairWork::leave_out(const std::string& path, const StorageFault& fault) {
  note_finding(fault.text());
  save(path);
  plan_.losses.push_back(path + " cannot be listed: its records are missing unless the journal still has them");
}

Status StoreRepairWork::find_store_id(const SalvagedManifest& salvaged,
                                      const std::vector<SegmentDescription>& segments) {
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

Result<std::vector<WalNumber>> StoreRepairWork::wal_numbers() {
  std::vector<WalNumber> numbers;
  if (!files_.exists(paths_.wal_folder())) return numbers;
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.wal_folder()));
  for (const std::string& name : names) {
    if (const auto number = StorePaths::parse_wal_name(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void StoreRepairWork::choose_segments(const SalvagedManifest& salvaged, std::vector<SegmentDescription> segments) {
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

Status StoreRepairWork::find_first_live_wal() {
  DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, wal_numbers());
  WalNumber& first_live = state_.counters.first_live_wal;
  const auto first = std::lower_bound(numbers.begin(), numbers.end(), first_live);
  if (first != numbers.end()) first_live = *first;
  return {};
}

void StoreRepairWork::set_floors(const SalvagedManifest& salvaged) {
  floors_ = salvaged.state.flushed_through;
  for (const SegmentId id : merged_) {
    const SegmentInfo& info = state_.segments.at(id);
    floors_[info.tenant] = std::max(floors_[info.tenant], info.last_sequence);
  }
}

Status StoreRepairWork::note_held_records() {
  for (const auto& [id, info] : state_.segments) {
    state_.counters.last_sequence = std::max(state_.counters.last_sequence, info.last_sequence);
    if (merged_.contains(id) || info.last_sequence <= floors_[info.tenant]) continue;
    const SequenceSpan above{floors_[info.tenant].next(), info.last_sequence};
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

}  // namespace dendro
