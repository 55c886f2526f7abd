#pragma once

#include <memory>
#include <optional>
#include <string>

#include "apps/admin_remote.h"

namespace dendro {

/// The queues of a data folder that no server uses, or of a server. Answers are the documents of the HTTP routes. One
/// thread; calls block. Errors: not_found (no such queue or dead letter), those of the folder or the server.
class QueueAccess {
 public:
  enum class Change : std::uint8_t { retry, drop };
  virtual ~QueueAccess() = default;
  /// `{"items":[..]}`.
  virtual Result<JsonValue> list() = 0;
  /// A page of `{"items":[..],"next_after":..}`; empty `after`: the first.
  virtual Result<JsonValue> dead_letters(const std::string& queue, const std::string& after) = 0;
  virtual Result<JsonValue> dead_letter(const std::string& queue, const std::string& id) = 0;
  /// The one of this id, or all. Gives how many.
  virtual Result<std::uint64_t> change(Change change, const std::string& queue,
                                       const std::optional<std::string>& id) = 0;
};

/// Errors: invalid_argument (both are named, or the URL is none), not_found (no data folder), unavailable (a process
/// uses it), those of Spool::open. Without either the server at kDefaultServerUrl.
Result<std::unique_ptr<QueueAccess>> open_queue_access(AdminPlace place, CommandIo& io);

/// "dendro COMMAND: TEXT", and what to do about a folder that is in use; gives the exit code.
int report_queue_error(CommandIo& io, std::string_view command, const AdminPlace& place, const Error& error);

}  // namespace dendro
