#pragma once

#include <string_view>

#include "filter/predicate.h"
#include "services/audit/audit_filter.h"

namespace dendro {

/// Records whose label dendro.source is `source`.
Predicate source_predicate(std::string_view source);
/// `field` is exactly `text`.
Predicate equals_predicate(std::string_view field, std::string_view text);
/// What the engine is asked for a filter, its times aside: exactly the logs that it takes or, with `search`, those and
/// others.
Predicate audit_predicate(const AuditFilter& filter);
/// The times from `start` to `end`, both inclusive where given.
TimeRange inclusive_range(std::optional<Timestamp> start, std::optional<Timestamp> end);

}  // namespace dendro
