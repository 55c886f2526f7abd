#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/route.h"
#include "server/routes/query_params.h"

namespace dendro {

/// Room for a query of 64 KiB with escapes, and the other members.
inline constexpr std::uint64_t kQueryBodyBytesMax = std::uint64_t{512} << 10;

/// A row of the group "Search" on the platform listener, errors as problems, permission `search`.
Route search_route(std::string method, std::string path, std::string operation_id, std::string summary);
/// Makes it take a JSON body: that of a query, and `more_members` (`"by":{..},"top":{..}`, or nothing).
void take_query_body(Route& route, std::string_view more_members, std::string example);
/// JSON Schema of the body of a query (ui.md 11.2).
std::string query_schema(std::string_view more_members = {});
/// The 400 of a wrong query or parameter, and the 501 of what the language does not have yet.
RouteReply query_problem_reply();
RouteReply query_unbuilt_reply();

/// The error of read_query_call as a problem, with `errors` where a member is to blame.
HttpResponse param_problem(const Error& error, const QueryParamFault& fault, const std::string& request_id);

}  // namespace dendro
