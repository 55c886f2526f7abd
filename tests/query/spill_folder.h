#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/memory_file_system.h"
#include "query/plan/query_engine.h"

namespace dendro {

/// A folder in memory for the temporary files of queries.
struct SpillFolder {
  std::shared_ptr<MemoryFileSystem> files = std::make_shared<MemoryFileSystem>();

  /// `above_bytes`: of memory that sorts and groups may keep before they write files.
  void use_for(QueryRunOptions& options, std::uint64_t above_bytes) const {
    auto place = std::make_shared<SpillPlace>();
    place->files = files;
    place->directory = "spill";
    options.limits.spill = std::move(place);
    options.limits.spill_above_bytes = above_bytes;
  }
  std::vector<std::string> names() const {
    const auto names = files->list("spill");
    return names ? *names : std::vector<std::string>();
  }
};

}  // namespace dendro
