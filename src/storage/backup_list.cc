#include "storage/backup_list.h"

#include <charconv>

#include "base/checksum.h"
#include "base/hex.h"

namespace dendro {
namespace {

constexpr std::string_view kBackupTitle = "dendro backup 1";
constexpr std::uint64_t kMaxBackupListBytes = std::uint64_t{256} << 20;

template <typename Number>
bool take_number(std::string_view& line, int base, Number& number) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  if (error != std::errc() || end == line.data() + line.size() || *end != ' ') return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

/// A path that stays within its folder.
bool is_inner_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  const std::string framed = "/" + std::string(path) + "/";
  return framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos &&
         framed.find("//") == std::string::npos;
}

}  // namespace

std::string encode_backup_list(const std::vector<BackupEntry>& entries, Timestamp created) {
  std::string out = std::string(kBackupTitle) + " " + to_rfc3339(created, 3) + "\n";
  for (const BackupEntry& entry : entries) {
    out += to_hex16(entry.file.hash) + " " + std::to_string(entry.file.bytes) + " " + entry.path + "\n";
  }
  return out + "end " + to_hex16(xxh3(out, HashSeed(0))) + "\n";
}

Result<std::vector<BackupEntry>> read_backup_list(const std::string& folder, FileSystem& files) {
  const std::string path = folder + "/" + std::string(kBackupListName);
  Result<std::string> text = read_whole_file(files, path, kMaxBackupListBytes);
  if (!text && text.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::not_found, "'" + folder + "' holds no whole backup: " + path + " is missing");
  }
  if (!text) return text.error();
  const auto damaged = [&](const std::string& what) { return Error(ErrorCode::corruption, path + ": " + what); };
  const std::size_t end = text->rfind("\nend ");
  if (end == std::string::npos || text->size() != end + 1 + 4 + 16 + 1 || text->back() != '\n') {
    return damaged("it is cut off");
  }
  const std::string_view body = std::string_view(*text).substr(0, end + 1);
  if (std::string_view(*text).substr(end + 5, 16) != to_hex16(xxh3(body, HashSeed(0)))) {
    return damaged("checksum mismatch");
  }
  if (!body.starts_with(std::string(kBackupTitle) + " ")) {
    return Error(ErrorCode::unimplemented, path + ": a backup of a later version of dendro");
  }
  std::vector<BackupEntry> entries;
  std::string_view rest = body.substr(body.find('\n') + 1);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    BackupEntry& entry = entries.emplace_back();
    if (!take_number(line, 16, entry.file.hash) || !take_number(line, 10, entry.file.bytes) || !is_inner_path(line)) {
      return damaged("line " + std::to_string(entries.size() + 1) + " is no entry");
    }
    entry.path = line;
  }
  return entries;
}

}  // namespace dendro
