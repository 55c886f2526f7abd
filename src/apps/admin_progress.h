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

 private:
  CommandIo& io_;
  bool is_shown_ = false;
};

/// "dendro admin verify: TEXT" for an error, with what to do about a lock; returns the exit code.
int report_admin_error(CommandIo& io, std::string_view command, const Error& error);

}  // namespace dendro
