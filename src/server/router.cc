#include "server/router.h"

#include <algorithm>
#include <map>
#include <set>

#include "server/http_text.h"

namespace dendro {

/// One segment of a path: what may follow it, and the rows that end here.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
  std::unique_ptr<Node> param;
  std::vector<const Route*> rows;
};

namespace {

std::vector<std::string_view> split_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_param(std::string_view segment) {
  return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}

std::string allow_text(const std::vector<const Route*>& rows) {
  std::set<std::string> methods;
  for (const Route* row : rows) {
    methods.insert(row->method);
    if (row->method == "GET") methods.insert("HEAD");
  }
  std::string text;
  for (const std::string& method : methods) text += (text.empty() ? "" : ", ") + method;
  return text;
}

std::vector<std::pair<std::string, std::string>> name_params(const Route& route, std::vector<std::string> captured) {
  std::vector<std::pair<std::string, std::string>> params;
  std::size_t next = 0;
  for (const std::string_view segment : split_segments(route.path)) {
    if (!is_param(segment)) continue;
    params.emplace_back(segment.substr(1, segment.size() - 2), std::move(captured[next++]));
  }
  return params;
}

}  // namespace

Router::Router() = default;
Router::~Router() = default;

Result<std::unique_ptr<Router>> Router::build(const RouteTable& routes) {
  std::unique_ptr<Router> router(new Router());
  std::set<std::string_view> ids;
  for (const Route& route : routes) {
    if (!route.operation_id.empty() && !ids.insert(route.operation_id).second) {
      return Error(ErrorCode::invalid_argument,
                   "route table: operation_id " + route.operation_id + " stands there twice");
    }
    for (std::size_t i = 0; i < kProfileCount; ++i) {
      const auto profile = static_cast<Profile>(i);
      if ((route.on & profile_bit(profile)) != 0) DENDRO_TRY(router->add(profile, route));
    }
  }
  return router;
}

Status Router::add(Profile profile, const Route& route) {
  if (!route.path.starts_with('/')) {
    return Error(ErrorCode::invalid_argument, "route table: path " + route.path + " does not begin with a slash");
  }
  auto& root = roots_[static_cast<std::size_t>(profile)];
  if (!root) root = std::make_unique<Node>();
  Node* node = root.get();
  for (const std::string_view segment : split_segments(route.path)) {
    auto& slot = is_param(segment) ? node->param : node->fixed[std::string(segment)];
    if (!slot) slot = std::make_unique<Node>();
    node = slot.get();
  }
  for (const Route* row : node->rows) {
    if (row->method != route.method) continue;
    return Error(ErrorCode::invalid_argument, "route table: two rows answer " + route.method + " " + route.path +
                                                  " on " + std::string(profile_name(profile)));
  }
  node->rows.push_back(&route);
  if (route.path.find('{') == std::string::npos) fixed_paths_[static_cast<std::size_t>(profile)][route.path] = node;
  return {};
}

/// The node where `segments` end; a fixed segment is tried before a {name}, and given up where it leads nowhere.
const Router::Node* Router::descend(const Node& node, const std::vector<std::string>& segments, std::size_t index,
                                    std::vector<std::string>& captured) {
  if (index == segments.size()) return node.rows.empty() ? nullptr : &node;
  if (const auto found = node.fixed.find(segments[index]); found != node.fixed.end()) {
    if (const Node* end = descend(*found->second, segments, index + 1, captured)) return end;
  }
  if (!node.param || segments[index].empty()) return nullptr;
  captured.push_back(segments[index]);
  if (const Node* end = descend(*node.param, segments, index + 1, captured)) return end;
  captured.pop_back();
  return nullptr;
}

const Router::Node* Router::find_node(Profile profile, std::string_view path,
                                      std::vector<std::string>& captured) const {
  const FixedPaths& fixed = fixed_paths_[static_cast<std::size_t>(profile)];
  if (const auto found = fixed.find(path); found != fixed.end()) return found->second;
  const auto& root = roots_[static_cast<std::size_t>(profile)];
  if (!root || !path.starts_with('/')) return nullptr;
  std::vector<std::string> segments;
  for (const std::string_view segment : split_segments(path)) {
    segments.push_back(percent_decode(segment, PlusSign::literal));
  }
  return descend(*root, segments, 0, captured);
}

Router::Match Router::find(Profile profile, std::string_view method, std::string_view path) const {
  Match match;
  std::vector<std::string> captured;
  const Node* const node = find_node(profile, path, captured);
  if (node == nullptr) return match;
  match.is_cors = profile == Profile::ingest &&
                  std::ranges::any_of(node->rows, [](const Route* row) { return row->cors_on_ingest; });
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route* row : node->rows) {
    if (row->method != wanted) continue;
    match.route = row;
    if (!captured.empty()) match.path_params = name_params(*row, std::move(captured));
    return match;
  }
  match.allow = allow_text(node->rows);
  return match;
}

}  // namespace dendro
