#pragma once

#include <string>
#include <variant>

#include "server/http_message.h"
#include "services/analyze/analyze_types.h"

namespace dendro {

/// The checked parameters of GET /analyze and /notify.
struct AnalyzeQuery {
  std::string bucket;
  std::string prefix;
  bool strict = false;
  AnalyzeRequest request;
};

/// The parameters, or the JSON array that names every faulty one (five-systems.md 1.5).
std::variant<AnalyzeQuery, std::string> read_analyze_query(const HttpRequest& request);

}  // namespace dendro
