#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "meta/saved_queries.h"
#include "query/language/saved_filters.h"

namespace dendro {

/// A tenant's saved queries as filters: `$name` is the query saved under that name. One that has pipes is no filter and
/// fails where it is used. `saved` outlives it. Looks at the disk.
std::shared_ptr<const SavedFilters> make_saved_filters(const SavedQueries& saved, const TenantId& tenant);

/// Names that begin with `prefix` and can be written behind `$` as they are, in their order.
std::vector<std::string> saved_filter_names(const SavedQueries& saved, const TenantId& tenant, std::string_view prefix);

}  // namespace dendro
