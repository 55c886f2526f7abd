#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "io/byte_source.h"
#include "io/object_store.h"
#include "parse/analyze/count_lines.h"
#include "services/analyze/analyze_types.h"

namespace dendro {

/// Opens one input by the name the user gave, still packed.
using OpenInput = std::function<Result<std::unique_ptr<ByteSource>>(const std::string& path)>;

/// Counts the files one after the other and sums them. Blocks. `paths` come from expand_input_paths.
AnalyzeOutcome analyze_files(std::span<const std::string> paths, const OpenInput& open, const AnalyzeRequest& request,
                             const CountRun& run);

/// Counts the newest objects below a prefix (five-systems.md 2.4), each read at the version that was listed; if one has
/// changed or gone since, lists again once. Blocks.
AnalyzeOutcome analyze_objects(ObjectStore& store, const std::string& bucket, const std::string& prefix,
                               const AnalyzeRequest& request, const CountRun& run);

}  // namespace dendro
