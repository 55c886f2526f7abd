#pragma once

#include <string>

#include "apps/command.h"
#include "io/http_client.h"
#include "query/plan/query_request.h"

namespace dendro {

struct RemoteQuery {
  HttpClient& client;
  std::string url;     ///< of the server, without a slash at the end
  std::string token;   ///< Bearer token, or empty
  std::string format;  ///< of the output: ndjson, json, csv, text, table
};

struct RemoteOutcome {
  bool reached_server = true;
  int exit_code = 0;
  std::string why_not_reached;  ///< not yet told to anyone
};

/// POST /api/v1/query: rows go to io.out as they arrive, warnings and failures to io.err.
RemoteOutcome run_remote_query(const RemoteQuery& remote, const QueryRequest& request, CommandIo& io);

}  // namespace dendro
