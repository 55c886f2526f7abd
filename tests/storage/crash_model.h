#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dendro {

struct CrashModelOptions {
  std::uint64_t seed = 0;
  std::string ignore_syncs_of;  ///< syncs of such paths are lost: the model must then notice, or it proves nothing
  int steps = 25;
  int cuts = 6;  ///< places at which the power is cut, each followed by a second cut behind recovery
};

/// Runs a random workload (appends alone and in groups, with and without retry keys, of several batches, of three
/// tenants; flushes, clean closings, kills) on a store over files in memory, cuts power at random places, opens what
/// the disk then holds and compares with a plain list of requests: nothing acknowledged lost, nothing doubled, each
/// request whole or not at all. Gives the first thing that is wrong.
std::optional<std::string> run_crash_model(const CrashModelOptions& options);

/// First seed and count of seeds: from DENDRO_SEED (then one) and DENDRO_SEEDS, else 1 and `count`.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t count = 0;
};
SeedRange seeds_from_environment(std::uint64_t count);

}  // namespace dendro
