#include "apps/admin_progress.h"

#include <cstdio>

#include "apps/cli.h"

namespace dendro {

AdminProgress::~AdminProgress() {
  if (!is_shown_) return;
  std::fputs("\r\x1b[K", io_.err);
  std::fflush(io_.err);
}

void AdminProgress::show(const std::string& file, std::uint64_t files_done, std::uint64_t files_total) {
  if (!io_.err_is_terminal) return;
  is_shown_ = true;
  // The end of a path says more than its beginning.
  const std::string shown = file.size() > 60 ? "..." + file.substr(file.size() - 57) : file;
  std::fprintf(io_.err, "\r\x1b[K%llu of %llu  %s", static_cast<unsigned long long>(files_done + 1),
               static_cast<unsigned long long>(files_total), shown.c_str());
  std::fflush(io_.err);
}

int report_admin_error(CommandIo& io, std::string_view command, const Error& error) {
  const bool is_locked = error.code() == ErrorCode::unavailable;
  const std::string text = error.message() + (is_locked ? "; stop the server that uses the folder first" : "");
  // What is not there cannot be read: docs/operations.md counts it as usage.
  const bool is_usage = error.code() == ErrorCode::not_found || error.code() == ErrorCode::already_exists;
  return report_failure(io, command, text, is_usage ? 2 : exit_code_of(error.code()));
}

}  // namespace dendro
