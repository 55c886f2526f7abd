#pragma once

#include <vector>

#include "base/random.h"
#include "base/worker_pool.h"
#include "server/route.h"
#include "services/entries/entry_store.h"

namespace dendro {

/// S1 (five-systems.md 3.1-3.3): POST /, GET / on the `ingest` profile, GET /recent. The arguments outlive the routes.
std::vector<Route> make_entries_routes(WorkerPool& pool, EntryStore& store, RandomSource& random);

}  // namespace dendro
