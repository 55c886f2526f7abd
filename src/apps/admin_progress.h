#pragma once

#include <cstdint>
#include <string>

#include "apps/command.h"
#include "base/error.h"

namespace dendro {

/// A line on stderr that is written over again and again while files are worked on; nothing unless it is a terminal.
class AdminProgress {
 public:
  explicit AdminProgress(CommandIo& io) : io_(io) {}
  /// Wipes the line.
  ~AdminProgress();
  AdminProgress(const AdminProgress&) = delete;
  AdminProgress& operator=(const AdminProgress&) = delete;
  void show(const std::string& file, std::uint64_t files_done, std::uint64_t files_total);
  /// Of work whose files nobody names.
  void show_counts(std::uint64_t done, std::uint64_t total);

 private:
  CommandIo& io_;
  bool is_shown_ = false;
};

/// True if somebody sits at a terminal who can be asked.
bool can_ask(const CommandIo& io);
/// Asks "QUESTION [y/N]" on stderr and reads one line.
bool is_agreed(CommandIo& io, std::string_view question);

/// "dendro admin verify: TEXT" for an error, with what to do about a lock; returns the exit code.
int report_admin_error(CommandIo& io, std::string_view command, const Error& error);

}  // namespace dendro
