#pragma once

#include <cstddef>
#include <cstdint>

namespace dendro {

/// Records of one batch, and so of one WAL frame and one row group (engine.md 2.4, 3.1).
inline constexpr std::size_t kMaxBatchRecords = 65'536;
/// Encoded bytes of one batch: a frame must fit the WAL file's 32 MiB with room to spare, and a reader's buffer
/// (engine.md 2.2).
inline constexpr std::size_t kMaxBatchBytes = std::size_t{8} << 20;
/// One record, as sent (clients.md 2.8). Below kMaxBatchBytes, so that a record always fits a batch.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{4} << 20;
/// Leaves of a record; what is beyond stays as one JSON text in `dendro.more` (clients.md 2.8).
inline constexpr std::size_t kMaxRecordFields = 2'048;
/// Bytes of a field's path.
inline constexpr std::size_t kMaxFieldNameBytes = 512;
/// Levels of nested objects that are flattened; deeper ones stay one JSON text (engine.md 2.0).
inline constexpr int kMaxRecordDepth = 32;

}  // namespace dendro
