#include "services/analyze/input_paths.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace dendro {
namespace {

namespace fs = std::filesystem;

Error error_of_path(const std::string& path, const std::error_code& code) {
  const bool denied = code == std::errc::permission_denied;
  return Error(denied ? ErrorCode::permission_denied : ErrorCode::io_error, path + ": " + code.message());
}

Status add_folder(const std::string& folder, std::vector<std::string>& out) {
  std::error_code code;
  std::vector<std::string> files;
  fs::recursive_directory_iterator walk(folder, code);
  for (; !code && walk != fs::recursive_directory_iterator(); walk.increment(code)) {
    std::error_code status_code;
    if (walk->symlink_status(status_code).type() == fs::file_type::regular) files.push_back(walk->path().string());
  }
  if (code) return error_of_path(folder, code);
  if (files.empty()) return Error(ErrorCode::not_found, folder + ": the folder holds no files");
  std::sort(files.begin(), files.end());
  out.insert(out.end(), files.begin(), files.end());
  return {};
}

Status add_path(const std::string& path, std::vector<std::string>& out) {
  std::error_code ignored;
  if (path != "-" && fs::is_directory(path, ignored)) return add_folder(path, out);
  out.push_back(path);
  return {};
}

Status add_matches_of(const std::string& pattern, std::vector<std::string>& out) {
  glob_t matches{};
  const int code = ::glob(pattern.c_str(), 0, nullptr, &matches);
  std::vector<std::string> paths(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  if (code == GLOB_NOMATCH || (code == 0 && paths.empty()))
    return Error(ErrorCode::not_found, pattern + ": no file matches");
  if (code != 0) return Error(ErrorCode::io_error, pattern + ": cannot be read");
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) DENDRO_TRY(add_path(path, out));
  return {};
}

}  // namespace

Result<std::vector<std::string>> expand_input_paths(std::span<const std::string> given) {
  std::vector<std::string> out;
  for (const std::string& path : given) {
    std::error_code ignored;
    const bool pattern = path.find_first_of("*?[") != std::string::npos && !fs::exists(path, ignored);
    DENDRO_TRY(pattern ? add_matches_of(path, out) : add_path(path, out));
  }
  return out;
}

}  // namespace dendro
