#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "query/query_request.h"
#include "server/http_message.h"

namespace dendro {

/// What a call of /api/v1/query asks for.
struct QueryCall {
  QueryRequest request;
  OutputFormat format = OutputFormat::ndjson;
};

/// A member of the body, or a parameter, that is wrong.
struct QueryParamFault {
  std::string field, message;
};

/// Reads the JSON body of POST (ui.md 11.2), or the parameters of GET; `format` is a parameter of both and wins over
/// `Accept`. `now` is when the request was received. Errors: invalid_argument and `fault`; unimplemented (`gap`,
/// `source`).
Result<QueryCall> read_query_call(const HttpRequest& request, QueryParamFault& fault);

}  // namespace dendro
