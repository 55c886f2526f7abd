#include <algorithm>
#include <random>

#include "io/memory_file_system.h"

namespace dendro {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

/// What a disk does with changes that were not synced. One way a cut: mixing them evenly would hardly ever test the
/// extremes.
enum class CutStyle : std::uint8_t { lose_all, keep_all, some_changes, some_sectors, first_changes };
constexpr std::uint64_t kCutStyleCount = 5;

void overwrite(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

}  // namespace

/// Replays a log onto the disk it began with, keeping what is not synced aside until its sync or the cut.
class MemoryFileSystem::PowerCut {
 public:
  PowerCut(Disk& disk, std::uint64_t seed)
      : disk_(disk), random_(seed), style_(static_cast<CutStyle>(random_() % kCutStyleCount)) {}

  void replay(const Change& change) {
    if (const auto* write = std::get_if<WriteChange>(&change)) {
      file_changes_[write->file].push_back(&change);
    } else if (const auto* cut = std::get_if<CutChange>(&change)) {
      file_changes_[cut->file].push_back(&change);
    } else if (const auto* sync = std::get_if<SyncChange>(&change)) {
      for (const Change* pending : file_changes_[sync->file]) apply(*pending);
      file_changes_.erase(sync->file);
    } else if (const auto* folder = std::get_if<FolderChange>(&change)) {
      disk_.folders.insert(folder->path);
    } else if (const auto* synced = std::get_if<SyncFolderChange>(&change)) {
      for (const Change* pending : name_changes_[synced->path]) apply(*pending);
      name_changes_.erase(synced->path);
    } else {
      name_changes_[folder_of(change)].push_back(&change);
    }
  }

  void cut() {
    for (const auto& [folder, changes] : name_changes_) keep_some(changes);
    for (const auto& [file, changes] : file_changes_) keep_some(changes);
  }

 private:
  static std::string folder_of(const Change& change) {
    const auto parent = [](const std::string& path) { return path.substr(0, path.find_last_of('/')); };
    if (const auto* create = std::get_if<CreateChange>(&change)) return parent(create->path);
    if (const auto* rename = std::get_if<RenameChange>(&change)) return parent(rename->to);
    return parent(std::get<RemoveChange>(change).path);
  }

  void keep_some(const std::vector<const Change*>& changes) {
    const std::size_t first_count = changes.empty() ? 0 : random_() % (changes.size() + 1);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      switch (style_) {
        case CutStyle::lose_all:
          break;
        case CutStyle::keep_all:
          apply(*changes[i]);
          break;
        case CutStyle::some_changes:
          if (flip()) apply(*changes[i]);
          break;
        case CutStyle::some_sectors:
          apply_sectors(*changes[i]);
          break;
        case CutStyle::first_changes:
          if (i < first_count) apply(*changes[i]);
          if (i == first_count) apply_sectors(*changes[i]);
          break;
      }
    }
  }

  void apply_sectors(const Change& change) {
    const auto* write = std::get_if<WriteChange>(&change);
    if (write == nullptr) {
      if (flip()) apply(change);
      return;
    }
    const std::uint64_t end = write->offset + write->bytes.size();
    for (std::uint64_t first = write->offset; first < end;) {
      const std::uint64_t last = std::min(end, (first / kSectorBytes + 1) * kSectorBytes);
      const auto sector = std::string_view(write->bytes).substr(first - write->offset, last - first);
      if (flip()) overwrite(disk_.contents[write->file], first, sector);
      first = last;
    }
  }

  void apply(const Change& change) {
    if (const auto* write = std::get_if<WriteChange>(&change)) {
      overwrite(disk_.contents[write->file], write->offset, write->bytes);
    } else if (const auto* cut = std::get_if<CutChange>(&change)) {
      disk_.contents[cut->file].resize(cut->size, '\0');
    } else if (const auto* create = std::get_if<CreateChange>(&change)) {
      disk_.names[create->path] = create->file;
    } else if (const auto* rename = std::get_if<RenameChange>(&change)) {
      const auto found = disk_.names.find(rename->from);
      if (found == disk_.names.end()) return;  // its creation was lost
      disk_.names[rename->to] = found->second;
      disk_.names.erase(found);
    } else if (const auto* remove = std::get_if<RemoveChange>(&change)) {
      if (disk_.names.erase(remove->path) == 0) disk_.folders.erase(remove->path);
    }
  }

  bool flip() { return (random_() & 1) != 0; }

  Disk& disk_;
  std::mt19937_64 random_;
  CutStyle style_;
  std::map<FileId, std::vector<const Change*>> file_changes_;
  std::map<std::string, std::vector<const Change*>> name_changes_;
};

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::after_power_cut(std::size_t changes, std::uint64_t seed) const {
  auto after = std::make_unique<MemoryFileSystem>(KeepLog::yes);
  MutexLock lock(mutex_);
  Disk disk = base_;
  PowerCut power_cut(disk, seed);
  for (std::size_t i = 0; i < std::min(changes, log_.size()); ++i) power_cut.replay(log_[i]);
  power_cut.cut();
  for (const auto& [name, file] : disk.names) disk.contents[file];  // a name whose file got no bytes
  after->base_ = disk;
  MutexLock after_lock(after->mutex_);
  after->disk_ = std::move(disk);
  after->next_file_ = next_file_;
  return after;
}

}  // namespace dendro
