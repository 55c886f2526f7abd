#pragma once

#include <memory>
#include <string>

#include "apps/command.h"
#include "base/json_document.h"
#include "base/result.h"
#include "io/http_client.h"

namespace CLI {
class App;
}

namespace dendro {

/// What a command is told about where the store is: a folder, or a server that uses one.
struct AdminPlace {
  std::string data, server, token;
};
/// Adds --data, --server and --token.
void add_place_options(CLI::App& app, AdminPlace& place);
/// Nothing unless exactly one of folder and server is named. "name the folder ..., or the server ..."
std::string_view place_fault(const AdminPlace& place);

/// The administration routes of a running server. One thread; calls block.
class AdminRemote {
 public:
  /// With the token that command_token gives. Errors: invalid_argument (the URL, the token's place).
  static Result<AdminRemote> open(const AdminPlace& place, CommandIo& io);

  /// The JSON of a 2xx answer, null of one without a body. Errors: those of HttpClient; for other answers what the
  /// problem says, its code by the status: invalid_argument (400, 404, 405), permission_denied, already_exists, else
  /// unavailable.
  Result<JsonValue> call(const std::string& method, const std::string& path, const std::string& body = {});
  /// An answer of any status; `document` is null where it has no JSON.
  struct Answer {
    int status = 0;
    JsonValue document;
    bool is_json = false;
  };
  /// Errors: those of HttpClient.
  Result<Answer> exchange(const std::string& method, const std::string& path, const std::string& body = {});
  /// Starts a job and follows it to its end, with progress on stderr; gives its `result`. Interrupted, it goes on.
  /// Errors: those of call; io_error (it failed; what it says); cancelled.
  Result<JsonValue> run_job(const std::string& path, const std::string& body, CommandIo& io);

 private:
  AdminRemote(std::unique_ptr<HttpClient> client, std::string url, std::string token)
      : client_(std::move(client)), url_(std::move(url)), token_(std::move(token)) {}
  std::unique_ptr<HttpClient> client_;
  std::string url_;
  std::string token_;
};

/// Members of an answer; "" and 0 where there is none.
std::string text_of(const JsonValue& object, std::string_view name);
std::uint64_t count_of(const JsonValue& object, std::string_view name);

/// "dendro admin backup: TEXT"; 2 for invalid_argument, else 1.
int report_remote_error(CommandIo& io, std::string_view command, const Error& error);

}  // namespace dendro
