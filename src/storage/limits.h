#pragma once

#include <cstddef>
#include <cstdint>

#include "record/limits.h"

namespace dendro {

/// Encoded bytes of all batches of one request: a body of 64 MiB (clients.md 2.8) must fit, and records of a few bytes
/// encode to several times their size. Below the default queue, or such a request could never be queued.
inline constexpr std::size_t kMaxRequestBytes = std::size_t{192} << 20;
/// What stands around a batch in a frame: tenant (128), key, counts, times. Rounded up.
inline constexpr std::size_t kMaxFrameMetaBytes = 1'024;
/// Payload of a WAL frame. LZ4 is used only where it saves, so it never adds.
inline constexpr std::size_t kMaxFramePayloadBytes = kMaxBatchBytes + kMaxFrameMetaBytes;
/// A WAL file is at most the configured size or one request, whichever is more; a reader refuses more than this.
inline constexpr std::uint64_t kMaxWalFileBytes = std::uint64_t{1} << 30;
/// Bytes of one group commit: about 30 ms of a slow disk; more would only add to the latency of the first in the group.
inline constexpr std::size_t kMaxGroupBytes = std::size_t{8} << 20;

/// A filter of a deletion as the manifest keeps it: each live one is compiled at opening and runs over every record.
inline constexpr std::size_t kMaxTombstonePredicateBytes = std::size_t{256} << 10;

/// An edit group of the manifest; the snapshot of 100,000 segments is about 20 MB.
inline constexpr std::uint32_t kMaxEditGroupBytes = std::uint32_t{256} << 20;
inline constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{1} << 30;

/// A row group ends at kMaxBatchRecords records or this many bytes of their values, whichever comes first
/// (engine.md 2.4).
inline constexpr std::size_t kRowGroupBytes = std::size_t{32} << 20;
/// What a reader allocates for one block at most: one column may be nearly all of a row group, which may end with one
/// record of the largest size, and packed integers may take ten bytes for a digit.
inline constexpr std::size_t kMaxSegmentBlockPlainBytes = std::size_t{96} << 20;
/// DICT, DIRECTORY or META of a segment: kTemplateTableBytesMax of templates a column, or 100,000 batch keys.
inline constexpr std::size_t kMaxSegmentSectionBytes = std::size_t{1} << 30;
/// Text of all templates of one column of a segment; beyond it, values of new templates are kept whole.
inline constexpr std::size_t kTemplateTableBytesMax = std::size_t{32} << 20;

}  // namespace dendro
