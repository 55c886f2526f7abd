#include "storage/manifest.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/log.h"
#include "storage/limits.h"

namespace dendro {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint64_t kSmallManifestBytes = std::uint64_t{64} << 10;  // not worth a rewrite whatever the ratio
constexpr std::uint64_t kLiveStateRatio = 16;

// docs/formats/manifest.md, "Header".
constexpr std::size_t kManifestVersionOffset = 8;
constexpr std::size_t kManifestStoreIdOffset = 16;
constexpr std::size_t kManifestNumberOffset = 32;
constexpr std::size_t kManifestCreatedOffset = 40;
constexpr std::size_t kManifestHashOffset = 56;
static_assert(kManifestHashOffset + sizeof(std::uint64_t) == kManifestHeaderBytes);

Error manifest_damage(std::uint64_t offset, const std::string& what) {
  return Error(ErrorCode::corruption, "offset " + std::to_string(offset) + ": " + what);
}

std::string encode_manifest_header(const Bytes16& store_id, std::uint64_t number, Timestamp created) {
  std::string header(kManifestHeaderBytes, '\0');
  header.replace(0, kManifestMagic.size(), kManifestMagic);
  store_le(header.data() + kManifestVersionOffset, kManifestVersion);
  header.replace(kManifestStoreIdOffset, store_id.size(), reinterpret_cast<const char*>(store_id.data()),
                 store_id.size());
  store_le(header.data() + kManifestNumberOffset, number);
  store_le(header.data() + kManifestCreatedOffset, created.number());
  store_le(header.data() + kManifestHashOffset,
           xxh3(std::string_view(header).substr(0, kManifestHashOffset), HashSeed(number)));
  return header;
}

std::string encode_group(const std::vector<ManifestEdit>& edits, std::uint64_t number) {
  std::string body;
  for (const ManifestEdit& edit : edits) append_edit(body, edit);
  DENDRO_CHECK(body.size() <= kMaxEditGroupBytes);
  std::string group;
  append_le(group, static_cast<std::uint32_t>(body.size()));
  append_le(group, static_cast<std::uint32_t>(edits.size()));
  group += body;
  append_le(group, xxh3(group, HashSeed(number)));
  return group;
}

/// True if some 512-byte sector of [first, last) holds zeros only: it was allocated, but its data never came.
bool has_missing_sector(std::string_view bytes, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t sector = first; sector < last;) {
    const std::uint64_t end = std::min(last, (sector / kSectorBytes + 1) * kSectorBytes);
    if (bytes.substr(sector, end - sector).find_first_not_of('\0') == std::string_view::npos) return true;
    sector = end;
  }
  return false;
}

Status apply_group(ManifestState& state, std::string_view group, std::uint64_t offset) {
  const auto edit_count = load_le<std::uint32_t>(group.data() + sizeof(std::uint32_t));
  const std::string_view body = group.substr(kGroupFrontBytes, group.size() - kGroupFrontBytes - kGroupHashBytes);
  const auto damage = [offset](const Error& error) { return error.with_context("offset " + std::to_string(offset)); };
  ManifestEditReader edits(body);
  for (std::uint32_t i = 0; i < edit_count; ++i) {
    const Result<ManifestEdit> edit = edits.next();
    if (!edit) return damage(edit.error());
    const Status applied = state.apply(*edit);
    if (!applied) return damage(applied.error());
  }
  return edits.at_end() ? Status() : Status(manifest_damage(offset, "bytes behind the last edit of a group"));
}

/// The bytes of the whole, undamaged group at `offset`; empty if there is none.
std::string_view whole_group(std::string_view bytes, std::uint64_t number, std::uint64_t offset) {
  if (bytes.size() - offset < kGroupFrontBytes + kGroupHashBytes) return {};
  const auto body_bytes = load_le<std::uint32_t>(bytes.data() + offset);
  const std::uint64_t group_bytes = kGroupFrontBytes + std::uint64_t{body_bytes} + kGroupHashBytes;
  if (body_bytes == 0 || body_bytes > kMaxEditGroupBytes || group_bytes > bytes.size() - offset) return {};
  const std::string_view group = bytes.substr(offset, group_bytes);
  const std::string_view hashed = group.substr(0, group_bytes - kGroupHashBytes);
  return xxh3(hashed, HashSeed(number)) == load_le<std::uint64_t>(group.data() + hashed.size()) ? group
                                                                                                : std::string_view();
}

/// N2: what follows a good group is incomplete only if it is the last one, and its end or one of its sectors is
/// missing.
bool is_incomplete_last_group(std::string_view bytes, std::uint64_t number, std::uint64_t offset) {
  for (std::uint64_t later = offset + 1; later < bytes.size(); ++later) {
    if (!whole_group(bytes, number, later).empty()) return false;
  }
  if (bytes.size() - offset < kGroupFrontBytes) return true;
  if (has_missing_sector(bytes, offset, bytes.size())) return true;
  const auto body_bytes = load_le<std::uint32_t>(bytes.data() + offset);
  return body_bytes <= kMaxEditGroupBytes &&
         kGroupFrontBytes + std::uint64_t{body_bytes} + kGroupHashBytes > bytes.size() - offset;
}

Status check_manifest_header(std::string_view bytes, std::uint64_t number) {
  if (bytes.size() < kManifestHeaderBytes) return manifest_damage(0, "the header is cut off");
  if (!bytes.starts_with(kManifestMagic)) return manifest_damage(0, "not a dendro manifest");
  const auto version = load_le<std::uint16_t>(bytes.data() + kManifestVersionOffset);
  if (version > kManifestVersion) {
    return Error(ErrorCode::unimplemented,
                 "manifest version " + std::to_string(version) + " is newer than this program");
  }
  const auto hash = load_le<std::uint64_t>(bytes.data() + kManifestHashOffset);
  if (xxh3(bytes.substr(0, kManifestHashOffset), HashSeed(number)) != hash) {
    return manifest_damage(0, "header checksum mismatch");
  }
  return {};
}

/// Replaces `path`, which is not the name a reader looks for, by these bytes, durably but for the name.
Result<std::unique_ptr<WritableFile>> write_synced_file(FileSystem& files, const std::string& path,
                                                        std::string_view bytes) {
  if (files.exists(path)) DENDRO_TRY(files.remove(path));
  DENDRO_TRY_ASSIGN(std::unique_ptr<WritableFile> file, files.open_writable(path, OpenMode::create_new));
  DENDRO_TRY(file->write_at(0, {&bytes, 1}));
  DENDRO_TRY(file->sync());
  return file;
}

}  // namespace

Result<ManifestContents> read_manifest(std::string_view bytes, std::uint64_t number) {
  DENDRO_TRY(check_manifest_header(bytes, number));
  ManifestContents contents;
  bytes.copy(reinterpret_cast<char*>(contents.store_id.data()), contents.store_id.size(), kManifestStoreIdOffset);
  contents.end_offset = kManifestHeaderBytes;
  while (contents.end_offset < bytes.size()) {
    const std::uint64_t offset = contents.end_offset;
    const std::string_view group = whole_group(bytes, number, offset);
    if (group.empty()) {
      if (!is_incomplete_last_group(bytes, number, offset)) return manifest_damage(offset, "damaged edit group");
      contents.was_cut = true;
      break;
    }
    DENDRO_TRY(apply_group(contents.state, group, offset));
    contents.end_offset += group.size();
  }
  if (contents.end_offset == kManifestHeaderBytes)
    return manifest_damage(kManifestHeaderBytes, "the snapshot is missing");
  return contents;
}

std::string encode_manifest(const Bytes16& store_id, std::uint64_t number, Timestamp created,
                            const ManifestState& state) {
  return encode_manifest_header(store_id, number, created) + encode_group(state.snapshot(), number);
}

Result<std::unique_ptr<Manifest>> Manifest::open(const StorePaths& paths, FileSystem& files, Clock& clock,
                                                 RandomSource& random, std::uint64_t rewrite_bytes) {
  std::unique_ptr<Manifest> manifest(new Manifest(paths, files, clock, rewrite_bytes));
  if (files.exists(paths.current())) {
    DENDRO_TRY(manifest->load());
  } else {
    DENDRO_TRY(manifest->create(random));
  }
  manifest->remove_old_files();
  return manifest;
}

Status Manifest::load() {
  DENDRO_TRY_ASSIGN(std::string name, read_whole_file(files_, paths_.current(), 64));
  if (name.empty() || name.back() != '\n')
    return Error(ErrorCode::corruption, paths_.current() + ": names no manifest");
  name.pop_back();
  const auto number = StorePaths::parse_manifest_name(name);
  if (!number) return Error(ErrorCode::corruption, paths_.current() + ": names no manifest");
  const std::string path = paths_.manifest(*number);
  Result<std::string> bytes = read_whole_file(files_, path, kMaxManifestBytes);
  if (!bytes && bytes.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::corruption, path + ": CURRENT names it, but it is missing");
  }
  if (!bytes) return bytes.error();
  Result<ManifestContents> contents = read_manifest(*bytes, *number);
  if (!contents) return contents.error().with_context(path);
  store_id_ = contents->store_id;
  state_ = std::move(contents->state);
  number_ = *number;
  was_read_clean_ = !contents->was_cut;
  if (contents->was_cut) {
    log(LogLevel::warning, "storage", "manifest: an incomplete last edit group was left out",
        {{"file", path}, {"offset", std::to_string(contents->end_offset)}});
    return rewrite();  // never append behind bytes that were cut
  }
  DENDRO_TRY_ASSIGN(file_, files_.open_writable(path, OpenMode::open_existing));
  // A killed process may have left both unsynced: the last edits, and the name CURRENT. Whoever goes by what was read
  // here removes files for good, so it must not be read otherwise after a power cut.
  DENDRO_TRY(file_->sync());
  DENDRO_TRY(files_.sync_directory(paths_.root()));
  synced_bytes_ = contents->end_offset;
  snapshot_bytes_ = encode_group(state_.snapshot(), number_).size();
  return {};
}

Status Manifest::create(RandomSource& random) {
  DENDRO_TRY(refuse_orphaned_data());
  store_id_ = random.bytes16();
  return rewrite();
}

/// Without CURRENT a folder with data is damaged, not new.
Status Manifest::refuse_orphaned_data() {
  const auto refuse = [this](const std::string& found) {
    return Error(ErrorCode::corruption, paths_.current() + " is missing, but " + found + " is there");
  };
  if (files_.exists(paths_.wal_folder())) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.wal_folder()));
    for (const std::string& name : names) {
      if (StorePaths::parse_wal_name(name)) return refuse(paths_.wal_folder() + "/" + name);
    }
  }
  if (files_.exists(paths_.tenants_folder())) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.tenants_folder()));
    if (!names.empty()) return refuse(paths_.tenants_folder() + "/" + names.front());
  }
  return {};
}

void Manifest::remove_old_files() {
  const Result<std::vector<std::string>> names = files_.list(paths_.root());
  if (!names) return;
  for (const std::string& name : *names) {
    const auto number = StorePaths::parse_manifest_name(name);
    if (number && *number != number_) (void)files_.remove(paths_.root() + "/" + name);  // the next start tries again
  }
}

bool Manifest::should_rewrite() const {
  if (synced_bytes_ > rewrite_bytes_) return synced_bytes_ > 2 * snapshot_bytes_;
  return synced_bytes_ > kSmallManifestBytes && synced_bytes_ > kLiveStateRatio * snapshot_bytes_;
}

Status Manifest::append(const std::vector<ManifestEdit>& edits) {
  DENDRO_TRY(check_usable());
  ManifestState next = state_;
  for (const ManifestEdit& edit : edits) DENDRO_TRY(next.apply(edit));
  const std::string group = encode_group(edits, number_);
  const std::string_view part = group;
  const Status written = file_->write_at(synced_bytes_, {&part, 1});
  if (!written) {
    if (written.error().code() != ErrorCode::storage_full) return fail(written.error());
    Status cut = file_->truncate(synced_bytes_);
    if (cut) cut = file_->sync();
    return cut ? Status(written.error()) : fail(cut.error());
  }
  const Status synced = file_->sync();
  if (!synced) return fail(synced.error());
  state_ = std::move(next);
  synced_bytes_ += group.size();
  const Status rewritten = should_rewrite() ? rewrite() : Status();
  if (!rewritten) {  // the edits are durable all the same: the old file goes on unless rewrite() gave up
    log(LogLevel::warning, "storage", "cannot rewrite the manifest", {{"error", rewritten.error().message()}});
  }
  return {};
}

Status Manifest::rewrite_now() {
  DENDRO_TRY(check_usable());
  return rewrite();
}

Status Manifest::check_usable() const {
  if (has_failed_) return Error(ErrorCode::io_error, "the manifest was given up after a failed write");
  return {};
}

Status Manifest::fail(const Error& error) {
  has_failed_ = true;
  return Error(ErrorCode::io_error, "manifest: " + error.message());
}

Status Manifest::write_new_manifest(std::uint64_t number, std::unique_ptr<WritableFile>& file, std::uint64_t& size) {
  const std::string bytes = encode_manifest(store_id_, number, clock_.now(), state_);
  Result<std::unique_ptr<WritableFile>> written = write_synced_file(files_, paths_.manifest(number), bytes);
  if (!written) {
    (void)files_.remove(paths_.manifest(number));
    return written.error();
  }
  file = std::move(written).value();
  size = bytes.size();
  return {};
}

Status Manifest::point_current_at(std::uint64_t number) {
  const std::string temporary = paths_.current() + ".tmp";
  // The new manifest's name must be durable before CURRENT gives it.
  DENDRO_TRY(files_.sync_directory(paths_.root()));
  DENDRO_TRY(write_synced_file(files_, temporary, StorePaths::manifest_name(number) + "\n"));
  return files_.rename(temporary, paths_.current());
}

Status Manifest::rewrite() {
  const std::uint64_t number = number_ + 1;
  std::unique_ptr<WritableFile> file;
  std::uint64_t size = 0;
  DENDRO_TRY(write_new_manifest(number, file, size));
  DENDRO_TRY(point_current_at(number));
  // From here on either file may be the live one until the folder is synced; both say the same.
  const Status synced = files_.sync_directory(paths_.root());
  if (!synced) return fail(synced.error());
  const std::uint64_t old_number = number_;
  number_ = number;
  file_ = std::move(file);
  synced_bytes_ = size;
  snapshot_bytes_ = size - kManifestHeaderBytes;
  if (old_number != 0) (void)files_.remove(paths_.manifest(old_number));  // the next start tries again
  return {};
}

}  // namespace dendro
