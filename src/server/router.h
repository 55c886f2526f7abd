#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "server/route.h"

namespace dendro {

/// Finds the row of the route table that answers. Immutable after `build`, hence thread-safe.
class Router {
 public:
  struct Match {
    const Route* route =
        nullptr;  ///< null: no row for this method (see `allow`) or none for this path (`allow` is empty)
    std::vector<std::pair<std::string, std::string>> path_params;
    std::string allow;     ///< "GET, HEAD": the methods of a path that is known; empty with `route`
    bool is_cors = false;  ///< some row of this path answers any origin on this profile
  };

  /// Borrows `routes`, which must outlive the router unchanged.
  /// Errors: invalid_argument (a path without leading slash, two rows for one method, path and profile, an operation_id
  /// twice).
  static Result<std::unique_ptr<Router>> build(const RouteTable& routes);
  ~Router();

  /// `path` as sent; its segments are percent-decoded one by one, so that "%2F" never splits one.
  Match find(Profile profile, std::string_view method, std::string_view path) const;

 private:
  struct Node;
  Router();
  Status add(Profile profile, const Route& route);
  const Node* find_node(Profile profile, std::string_view path, std::vector<std::string>& captured) const;
  static const Node* descend(const Node& node, const std::vector<std::string>& segments, std::size_t index,
                             std::vector<std::string>& captured);

  /// Paths without {names} lead to their node at once; they win over all others anyway.
  using FixedPaths = std::map<std::string, const Node*, std::less<>>;

  std::array<std::unique_ptr<Node>, kProfileCount> roots_;
  std::array<FixedPaths, kProfileCount> fixed_paths_;
};

}  // namespace dendro
