#include "query/plan/query_context.h"

#include <algorithm>

namespace dendro {

void QueryContext::warn_once(QueryWarning warning) {
  const bool is_known = std::any_of(warnings.begin(), warnings.end(), [&warning](const QueryWarning& known) {
    return known.code == warning.code && known.offset == warning.offset && known.message == warning.message;
  });
  if (!is_known) warnings.push_back(std::move(warning));
}

}  // namespace dendro
