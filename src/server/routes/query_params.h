#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.h"
#include "base/result.h"
#include "query/plan/query_request.h"
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

/// Members that a route takes beside those of a query.
struct QueryExtras {
  std::vector<std::string_view> names;
  std::map<std::string, JsonValue, std::less<>> values;  ///< out: those of the body that are there and not null

  /// Errors: invalid_argument and `fault`, of another kind or outside [min, max]; `otherwise` where it is absent.
  Result<std::string> text(std::string_view name, std::string otherwise, QueryParamFault& fault) const;
  Result<std::uint64_t> count(std::string_view name, std::uint64_t otherwise, std::uint64_t min, std::uint64_t max,
                              QueryParamFault& fault) const;
};

/// Reads the JSON body of POST (ui.md 11.2), or the parameters of GET; `format` is a parameter of both and wins over
/// `Accept`. `now` is when the request was received. Errors: invalid_argument and `fault`; unimplemented (`gap`,
/// `source`).
/// `extras`: what else the route knows; of parameters they are passed over.
Result<QueryCall> read_query_call(const HttpRequest& request, QueryParamFault& fault, QueryExtras* extras = nullptr);

}  // namespace dendro
