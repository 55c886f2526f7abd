#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/http_client.h"

namespace dendro {

/// What became of one body.
struct IngestOutcome {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  bool replayed = false;
  std::vector<std::string> errors;  ///< "record 17: parse_error: ..."; the first ones
};

/// Where `dendro ingest` sends bodies. Not thread-safe.
class IngestTarget {
 public:
  virtual ~IngestTarget() = default;
  /// `key`: equal for equal retries. Errors: those of the server or store, final (retries are done inside).
  virtual Result<IngestOutcome> send(const std::string& body, std::string_view content_type,
                                     const std::string& key) = 0;
};

/// How bodies are read: the parameters of `POST /api/v1/ingest`, comma lists as they are there.
struct IngestReading {
  std::string format, time_field, body_field, severity_field, stream_fields;  ///< empty: the default
  std::vector<std::pair<std::string, std::string>> resource;                  ///< labels of every record
};

/// A server at `url` (http://host:port). Busy, unavailable and full answers are tried again, with growing pauses and
/// Retry-After honoured, for up to `patience`.
std::unique_ptr<IngestTarget> make_server_target(HttpClient& client, const std::string& url, const std::string& token,
                                                 const IngestReading& reading, std::chrono::seconds patience);

/// A data folder that no server holds. Opens it now.
Result<std::unique_ptr<IngestTarget>> open_folder_target(const std::string& directory, const IngestReading& reading);

}  // namespace dendro
