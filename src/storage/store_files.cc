#include "storage/store_files.h"

#include <algorithm>

#include "base/checksum.h"
#include "storage/limits.h"

namespace dendro {
namespace {

constexpr std::size_t kCopyChunkBytes = std::size_t{4} << 20;

/// Hands out a file piece by piece; `use` gets offset and piece.
template <typename Use>
Result<CopiedFile> for_each_piece(FileSystem& files, const std::string& path, std::uint64_t bytes_max, Use use) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RandomReader> reader, files.open_reader(path));
  std::string chunk(kCopyChunkBytes, '\0');
  CopiedFile seen;
  for (std::size_t count = kCopyChunkBytes; count == kCopyChunkBytes && seen.bytes < bytes_max;) {
    chunk.resize(std::min<std::uint64_t>(kCopyChunkBytes, bytes_max - seen.bytes));
    DENDRO_TRY_ASSIGN(count, reader->read_at(seen.bytes, chunk));
    if (count == 0) break;
    const std::string_view piece = std::string_view(chunk).substr(0, count);
    DENDRO_TRY(use(seen.bytes, piece));
    seen.hash = xxh3(piece, HashSeed(seen.hash));
    seen.bytes += count;
  }
  return seen;
}

}  // namespace

Result<LiveManifest> read_live_manifest(const StorePaths& paths, FileSystem& files) {
  const auto names_none = [&] { return Error(ErrorCode::corruption, paths.current() + ": names no manifest"); };
  Result<std::string> name = read_whole_file(files, paths.current(), 64);
  if (!name && name.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::corruption, paths.current() + ": missing");
  }
  if (!name) return name.error().code() == ErrorCode::too_large ? names_none() : name.error();
  if (name->empty() || name->back() != '\n') return names_none();
  name->pop_back();
  const auto number = StorePaths::parse_manifest_name(*name);
  if (!number) return names_none();
  LiveManifest live;
  live.number = *number;
  live.path = paths.manifest(*number);
  Result<std::string> bytes = read_whole_file(files, live.path, kMaxManifestBytes);
  if (!bytes && bytes.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::corruption, live.path + ": CURRENT names it, but it is missing");
  }
  if (!bytes) return bytes.error();
  Result<ManifestContents> contents = read_manifest(*bytes, *number);
  if (!contents) return contents.error().with_context(live.path);
  live.contents = std::move(contents).value();
  return live;
}

Result<std::vector<std::string>> list_manifest_files(const StorePaths& paths, FileSystem& files) {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(paths.root()));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = StorePaths::parse_manifest_name(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> found;
  for (const std::uint64_t number : numbers) found.push_back(paths.manifest(number));
  return found;
}

bool is_store(const StorePaths& paths, FileSystem& files) {
  if (files.exists(paths.current()) || files.exists(paths.tenants_folder()) || files.exists(paths.wal_folder())) {
    return true;
  }
  const auto manifests = list_manifest_files(paths, files);
  return manifests && !manifests->empty();
}

Result<std::vector<std::string>> list_segment_files(const StorePaths& paths, FileSystem& files,
                                                    const std::string& suffix) {
  std::vector<std::string> found;
  const std::string root = paths.tenants_folder();
  if (!files.exists(root)) return found;
  DENDRO_TRY_ASSIGN(const std::vector<std::string> tenants, files.list(root));
  for (const std::string& tenant : tenants) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> days, files.list(root + "/" + tenant));
    for (const std::string& day : days) {
      const std::string folder = root + "/" + tenant + "/" + day;
      DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(folder));
      for (const std::string& name : names) {
        if (name.ends_with(suffix)) found.push_back(folder + "/" + name);
      }
    }
  }
  return found;
}

Result<std::vector<std::string>> list_queue_names(const StorePaths& paths, FileSystem& files) {
  if (!files.exists(paths.queues_folder())) return std::vector<std::string>();
  DENDRO_TRY_ASSIGN(std::vector<std::string> names, files.list(paths.queues_folder()));
  std::erase_if(names, [](const std::string& name) { return name.find('.') != std::string::npos; });
  return names;
}

Result<CopiedFile> hash_file(FileSystem& files, const std::string& path) {
  return for_each_piece(files, path, UINT64_MAX, [](std::uint64_t, std::string_view) { return Status(); });
}

Result<CopiedFile> copy_file(FileSystem& files, const std::string& from, const std::string& to, std::uint64_t bytes_max,
                             CopyAccess access) {
  if (!files.exists(from)) return Error(ErrorCode::not_found, from + ": no such file");
  const OpenMode mode = access == CopyAccess::owner_only ? OpenMode::create_private : OpenMode::create_new;
  DENDRO_TRY_ASSIGN(const std::unique_ptr<WritableFile> file, files.open_writable(to, mode));
  DENDRO_TRY_ASSIGN(const CopiedFile copied,
                    for_each_piece(files, from, bytes_max, [&](std::uint64_t offset, std::string_view piece) {
                      return file->write_at(offset, {&piece, 1});
                    }));
  DENDRO_TRY(file->sync());
  return copied;
}

Status write_new_file(FileSystem& files, const std::string& path, std::string_view bytes) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<WritableFile> file, files.open_writable(path, OpenMode::create_new));
  DENDRO_TRY(file->write_at(0, {&bytes, 1}));
  return file->sync();
}

Status replace_file(FileSystem& files, const std::string& folder, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  if (files.exists(temporary)) DENDRO_TRY(files.remove(temporary));
  DENDRO_TRY(write_new_file(files, temporary, bytes));
  DENDRO_TRY(files.rename(temporary, path));
  return files.sync_directory(folder);
}

std::string damaged_name(FileSystem& files, const std::string& path) {
  for (int n = 1;; ++n) {
    std::string name = path + ".damaged-" + std::to_string(n);
    if (!files.exists(name)) return name;
  }
}

}  // namespace dendro
