#pragma once

#include <string>

#include "services/search/running_queries.h"
#include "storage/store.h"

namespace dendro {

// What /metrics says of the parts below the server, in Prometheus' text form. Thread-safe.

void append_store_metrics(std::string& out, const Store& store);
void append_query_metrics(std::string& out, const RunningQueries& queries);

}  // namespace dendro
