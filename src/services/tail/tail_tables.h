#pragma once

#include <memory>

#include "query/plan/lookup_tables.h"
#include "services/tail/tail_memory.h"

namespace dendro {

/// Tables for tails, which hold them as long as they run: each counts in `memory` until its tail is gone. Errors: those
/// of `tables`; resource_exhausted (no room).
std::shared_ptr<const LookupTables> make_tail_tables(std::shared_ptr<const LookupTables> tables,
                                                     std::shared_ptr<const TailMemory> memory);

}  // namespace dendro
