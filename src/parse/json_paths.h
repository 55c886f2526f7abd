#pragma once

#include <string>
#include <vector>

#include "parse/json_reader.h"

namespace dendro {

/// Calls `visit(const std::string& path, const Value&) -> bool` for each value of the object that was read last, its
/// members' keys joined by dots, in the order of the text, until it returns false.
template <typename Visit>
void for_each_json_path(const JsonReader& json, Visit&& visit) {
  std::string path;
  std::vector<std::size_t> outer;
  for (const JsonNode& node : json.nodes()) {
    if (node.kind == JsonNode::Kind::close) {
      path.resize(outer.back());
      outer.pop_back();
      continue;
    }
    const std::size_t before = path.size();
    if (!path.empty()) path.push_back('.');
    path += node.key;
    if (node.kind == JsonNode::Kind::open) {
      outer.push_back(before);
      continue;
    }
    if (!visit(path, node.value)) return;
    path.resize(before);
  }
}

}  // namespace dendro
