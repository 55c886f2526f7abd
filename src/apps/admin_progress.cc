#include "apps/admin_progress.h"

#include <unistd.h>

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

void AdminProgress::show_counts(std::uint64_t done, std::uint64_t total) {
  if (!io_.err_is_terminal) return;
  is_shown_ = true;
  std::fprintf(io_.err, "\r\x1b[K%llu of %llu", static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(total));
  std::fflush(io_.err);
}

bool can_ask(const CommandIo& io) {
  return io.err_is_terminal && ::isatty(io.in_fd) != 0;
}

bool is_agreed(CommandIo& io, std::string_view question) {
  std::fprintf(io.err, "%.*s [y/N] ", static_cast<int>(question.size()), question.data());
  std::fflush(io.err);
  // Byte by byte: what follows the line is not ours.
  std::string answer;
  for (char c = 0; ::read(io.in_fd, &c, 1) == 1 && c != '\n';) answer.push_back(c);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int report_admin_error(CommandIo& io, std::string_view command, const Error& error) {
  const bool is_locked = error.code() == ErrorCode::unavailable;
  const std::string text =
      error.message() +
      (is_locked ? "; stop the server that uses the folder first, or speak to it with --server URL where the "
                   "command has it"
                 : "");
  // What is not there cannot be read: docs/operations.md counts it as usage.
  const bool is_usage = error.code() == ErrorCode::not_found || error.code() == ErrorCode::already_exists;
  return report_failure(io, command, text, is_usage ? 2 : exit_code_of(error.code()));
}

}  // namespace dendro
