#pragma once

#include <cstdint>
#include <string>

#include "base/time_zone.h"
#include "query/language/query_ast.h"
#include "record/value.h"

namespace dendro {

/// The value of a group key: the start of the bucket that holds `value`, `value` itself without one, null where it has
/// no place in such a bucket. `scratch` holds its text.
Value bucket_value(const Bucket& bucket, const Value& value, const TimeZone& zone, std::string& scratch);
/// Seconds of the bucket that starts at `start`; 0 if it is not one of time.
double bucket_seconds(const Bucket& bucket, const Value& start, const TimeZone& zone);

}  // namespace dendro
