#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/route.h"

namespace dendro {

/// Rows that answer on `profile`, by group in the order groups first appear; within a group in table order.
struct RouteGroup {
  std::string name;
  std::vector<const Route*> rows;
};
std::vector<RouteGroup> group_routes(const RouteTable& routes, Profile profile);

/// OpenAPI 3.1 document of what answers on `profile`, compact JSON. Each operation names its permission in
/// `x-dendro-permission`. Texts of the rows that are JSON already go in as they are.
std::string make_openapi(const RouteTable& routes, Profile profile, std::string_view version);

}  // namespace dendro
