#include "storage/wal_files.h"

#include <algorithm>

#include "base/log.h"
#include "storage/wal_format.h"

namespace dendro {
namespace {

constexpr std::size_t kZeroChunkBytes = std::size_t{1} << 20;
constexpr std::string_view kSparePrefix = "spare-";
constexpr std::string_view kTemporarySuffix = ".tmp";

Result<std::uint64_t> wal_file_size(FileSystem& files, const std::string& path) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RandomReader> reader, files.open_reader(path));
  return reader->size();
}

}  // namespace

WalFiles::WalFiles(const StorePaths& paths, FileSystem& files, Clock& clock, Bytes16 store_id, Options options)
    : paths_(paths), files_(files), clock_(clock), store_id_(store_id), options_(options) {}

WalFiles::~WalFiles() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

Status WalFiles::adopt(WalNumber first_live) {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.wal_folder()));
  for (const std::string& name : names) {
    const std::string path = paths_.wal_folder() + "/" + name;
    if (name.ends_with(kTemporarySuffix)) {
      DENDRO_TRY(files_.remove(path));
    } else if (name.starts_with(kSparePrefix)) {
      DENDRO_TRY(adopt_spare(path));
    } else if (const auto number = StorePaths::parse_wal_name(name); number && *number < first_live) {
      DENDRO_TRY(files_.remove(path));
    }
  }
  return {};
}

Status WalFiles::adopt_spare(const std::string& path) {
  DENDRO_TRY_ASSIGN(const std::uint64_t size, wal_file_size(files_, path));
  {
    MutexLock lock(mutex_);
    if (size == options_.file_bytes && spares_.size() < options_.spare_files_max) {
      spares_.push_back(path);
      return {};
    }
  }
  return files_.remove(path);
}

void WalFiles::set_closed(std::vector<ClosedWalFile> closed, WalNumber next_number) {
  MutexLock lock(mutex_);
  closed_.assign(closed.begin(), closed.end());
  next_number_ = next_number;
}

void WalFiles::start() {
  zeroer_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

std::string WalFiles::spare_path_locked() {
  std::string path;
  do {
    path = paths_.wal_folder() + "/" + std::string(kSparePrefix) + std::to_string(next_spare_++);
  } while (files_.exists(path));
  return path;
}

Status WalFiles::write_zeros(const std::string& path) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<WritableFile> file, files_.open_writable(path, OpenMode::create_new));
  const std::string zeros(std::min<std::uint64_t>(kZeroChunkBytes, options_.file_bytes), '\0');
  for (std::uint64_t offset = 0; offset < options_.file_bytes; offset += zeros.size()) {
    const std::string_view part = std::string_view(zeros).substr(0, options_.file_bytes - offset);
    DENDRO_TRY(file->write_at(offset, {&part, 1}));
  }
  return file->sync();
}

Result<std::string> WalFiles::make_spare(const std::string& path) {
  const std::string temporary = path + std::string(kTemporarySuffix);
  Status made = write_zeros(temporary);
  if (made) made = files_.rename(temporary, path);
  if (made) made = files_.sync_directory(paths_.wal_folder());
  if (made) return path;
  (void)files_.remove(temporary);  // gives the space back; without it the next start removes it
  return made.error();
}

void WalFiles::run(const std::stop_token& stop) {
  for (;;) {
    std::string path;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !stop.stop_requested() && !(wants_spare_ && spares_.empty())) wake_.wait(mutex_);
      if (stopping_ || stop.stop_requested()) return;
      wants_spare_ = false;  // until the next file is taken: a full disk is not tried again and again
      path = spare_path_locked();
    }
    const Result<std::string> made = make_spare(path);
    if (!made) {
      log(LogLevel::warning, "storage", "cannot prepare a WAL file", {{"error", made.error().message()}});
      continue;
    }
    MutexLock lock(mutex_);
    spares_.push_back(*made);
  }
}

Result<OpenWalFile> WalFiles::next() {
  std::string spare;
  bool is_made = false;
  OpenWalFile next;
  {
    MutexLock lock(mutex_);
    next.number = next_number_;
    wants_spare_ = true;
    is_made = !spares_.empty();
    if (is_made) {
      spare = spares_.back();
      spares_.pop_back();
    } else {
      spare = spare_path_locked();
    }
  }
  wake_.notify_all();
  if (!is_made) DENDRO_TRY(make_spare(spare));
  const Status turned = turn_into_wal_file(spare, next);
  MutexLock lock(mutex_);
  if (!turned) {
    if (next.number < first_recycled_) {
      (void)files_.remove(spare);
    } else if (files_.exists(spare)) {
      spares_.push_back(spare);
    }
    return turned.error();
  }
  next_number_ = next_number_.next();
  return next;
}

Status WalFiles::turn_into_wal_file(const std::string& spare, OpenWalFile& next) {
  const std::string path = paths_.wal_file(next.number);
  const std::string header = encode_wal_header(store_id_, next.number, clock_.now());
  const std::string_view part = header;
  {
    DENDRO_TRY_ASSIGN(const std::unique_ptr<WritableFile> file, files_.open_writable(spare, OpenMode::open_existing));
    DENDRO_TRY(file->write_at(0, {&part, 1}));
    DENDRO_TRY(file->sync());
  }
  DENDRO_TRY(files_.rename(spare, path));
  DENDRO_TRY(files_.sync_directory(paths_.wal_folder()));
  // By its own name: errors of the commits to come must not speak of a spare that is gone.
  DENDRO_TRY_ASSIGN(next.file, files_.open_writable(path, OpenMode::open_existing));
  DENDRO_TRY_ASSIGN(next.bytes, next.file->size());
  return {};
}

void WalFiles::close(ClosedWalFile file) {
  MutexLock lock(mutex_);
  closed_.push_back(file);
}

std::vector<ClosedWalFile> WalFiles::closed() const {
  MutexLock lock(mutex_);
  return {closed_.begin(), closed_.end()};
}

std::uint64_t WalFiles::closed_bytes() const {
  MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const ClosedWalFile& file : closed_) bytes += file.bytes;
  return bytes;
}

void WalFiles::release_below(WalNumber first_live) {
  std::vector<ClosedWalFile> released;
  {
    MutexLock lock(mutex_);
    while (!closed_.empty() && closed_.front().number < first_live) {
      released.push_back(closed_.front());
      closed_.pop_front();
    }
    if (holds_ > 0) {
      held_.insert(held_.end(), released.begin(), released.end());
      released.clear();
    }
  }
  for (const ClosedWalFile& file : released) recycle(file);
}

void WalFiles::begin_hold() {
  MutexLock lock(mutex_);
  ++holds_;
}

void WalFiles::end_hold() {
  std::vector<ClosedWalFile> released;
  {
    MutexLock lock(mutex_);
    if (--holds_ > 0) return;
    released.swap(held_);
  }
  for (const ClosedWalFile& file : released) recycle(file);
}

std::vector<ClosedWalFile> WalFiles::closed_and_held() const {
  MutexLock lock(mutex_);
  std::vector<ClosedWalFile> files = held_;
  files.insert(files.end(), closed_.begin(), closed_.end());
  std::sort(files.begin(), files.end(),
            [](const ClosedWalFile& a, const ClosedWalFile& b) { return a.number < b.number; });
  return files;
}

Result<WalNumber> WalFiles::stop_recycling_old_files() {
  std::vector<std::string> spares;
  WalNumber first_recycled;
  {
    MutexLock lock(mutex_);
    spares.swap(spares_);
    // A spare that next() has in its hands may be an old file, too: it gets next_number_.
    first_recycled = first_recycled_ = next_number_.next();
    wants_spare_ = true;
  }
  wake_.notify_all();
  Status removed;
  for (const std::string& spare : spares) {
    Status gone = files_.remove(spare);
    if (gone) continue;
    removed = std::move(gone);
    MutexLock lock(mutex_);
    spares_.push_back(spare);
  }
  if (!removed) return removed.error();
  return first_recycled;
}

Result<bool> WalFiles::has_files_below(WalNumber number) {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.wal_folder()));
  for (const std::string& name : names) {
    const auto wal_number = StorePaths::parse_wal_name(name);
    if (wal_number && *wal_number < number) return true;
  }
  DENDRO_TRY(files_.sync_directory(paths_.wal_folder()));
  return false;
}

void WalFiles::recycle(const ClosedWalFile& file) {
  const std::string path = paths_.wal_file(file.number);
  const Result<std::uint64_t> size = wal_file_size(files_, path);
  std::string spare;
  {
    MutexLock lock(mutex_);
    const bool is_wanted = file.number >= first_recycled_ && spares_.size() < options_.spare_files_max;
    if (is_wanted && size && *size == options_.file_bytes) spare = spare_path_locked();
  }
  // A name that comes back after a power cut does no harm (W2), so the folder needs no sync.
  const Status done = spare.empty() ? files_.remove(path) : files_.rename(path, spare);
  if (!done) {
    log(LogLevel::warning, "storage", "cannot release a WAL file", {{"error", done.error().message()}});
  } else if (!spare.empty()) {
    MutexLock lock(mutex_);
    spares_.push_back(spare);
  }
}

}  // namespace dendro
