#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "record/limits.h"

namespace dendro {

/// Bounds of one record (clients.md 2.8).
struct RecordLimits {
  std::size_t record_bytes = kMaxRecordBytes;   ///< as sent; over it: record_too_large
  std::size_t name_bytes = kMaxFieldNameBytes;  ///< of a dotted path; over it: name_too_long
  std::size_t fields = kMaxRecordFields;        ///< leaves; further ones go into one JSON text, `dendro.more`
  int depth = kMaxRecordDepth;  ///< objects inside objects that are flattened; deeper ones stay JSON text
};

/// What a sender or listener may say about the way from foreign names to the record (clients.md 2.6, 3.2).
struct MappingOptions {
  /// Dotted paths that are tried before the table of clients.md 2.6; the first one present wins.
  std::vector<std::string> time_fields;
  std::vector<std::string> body_fields;
  std::vector<std::string> severity_fields;
  /// Paths, or first parts of paths, that become stream labels, instead of `service host cloud ..`. Names that begin
  /// with `dendro.` are ours and never become labels this way.
  std::optional<std::vector<std::string>> stream_fields;
  /// Labels of each record beside its own (`resource.<name>=`, dendro.source); one the record has under that path wins.
  std::vector<std::pair<std::string, std::string>> labels;
  std::int32_t default_offset_s = 0;            ///< of times without a zone, east of UTC
  std::optional<std::chrono::seconds> age_max;  ///< before the receive time; over it: too_old. Nothing: any age
  std::chrono::seconds lead_max = std::chrono::hours(48);  ///< behind the receive time; over it: too_new
  RecordLimits limits;
};

}  // namespace dendro
