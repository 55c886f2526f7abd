#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "io/object_store.h"

namespace dendro {

/// When to give up a walk through many pages.
struct ListLimits {
  CancelToken cancel;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/// Whether an object can be a log at all: no folder marker (empty, key ending in "/"), not in an archive class.
bool is_log_candidate(const ObjectInfo& object);

/// The `count` newest candidates below a prefix, newest first: by LastModified in whole seconds, equal ones by byte
/// order of the key. Walks all pages and holds one of them. May be shorter or empty. Errors: those of the store,
/// cancelled, deadline_exceeded.
Result<std::vector<ObjectInfo>> newest_objects(ObjectStore& store, const std::string& bucket, const std::string& prefix,
                                               std::size_t count, const ListLimits& limits);

}  // namespace dendro
