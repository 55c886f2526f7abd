#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "parse/analyze/count_types.h"

namespace dendro {

/// What to analyze for (five-systems.md 2.1); the input is named apart.
struct AnalyzeRequest {
  CountOptions count;
  std::uint64_t threshold = 3;  ///< below 2^63
  std::size_t latest = 1;       ///< objects: the newest so many, summed
};

struct AnalyzeReport {
  CountResult counted;
  bool alert = false;  ///< total >= threshold
  std::uint64_t threshold = 0;
  std::vector<std::string> objects;  ///< keys, newest first, or paths in the order given
};

/// Why an analysis has no result. The kinds are told apart because they differ in text, exit code and HTTP status.
enum class AnalyzeFault : std::uint8_t {
  no_objects,       ///< nothing at the prefix: exit 1, 404
  no_bucket,        ///< exit 1, 404
  store,            ///< the object store refused or failed: exit 1; status by code
  unreadable_file,  ///< exit 2
  input,            ///< the bytes are damaged, or reading broke off: exit 1, 500
};

struct AnalyzeFailure {
  AnalyzeFault fault = AnalyzeFault::input;
  Error error;
  std::string bucket;  ///< of no_bucket
};

/// Objects one request may sum.
inline constexpr std::size_t kAnalyzeLatestMax = 1000;

/// A report, or why there is none.
using AnalyzeOutcome = std::variant<AnalyzeReport, AnalyzeFailure>;

/// What the CLI prints: "S3 bucket 'b' not found.", "An S3 error occurred: AccessDenied: <text>".
std::string failure_text(const AnalyzeFailure& failure);
/// What leaves over HTTP: the same without the text behind an S3 code.
std::string public_failure_text(const AnalyzeFailure& failure);
int failure_exit_code(const AnalyzeFailure& failure);
int failure_http_status(const AnalyzeFailure& failure);

}  // namespace dendro
