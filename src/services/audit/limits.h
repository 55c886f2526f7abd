#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dendro {

// What the audit log service takes and gives (five-systems.md 4.3 to 4.5).

inline constexpr std::size_t kAuditBulkLogsMax = 10'000;
inline constexpr std::size_t kAuditBulkBytesMax = std::size_t{16} << 20;
/// One log as sent: with what masking and searching add it still fits a batch twice over (record/limits.h).
inline constexpr std::size_t kAuditLogBytesMax = std::size_t{1} << 20;
/// Objects and lists inside each other, so that every client can read back what was stored.
inline constexpr std::size_t kAuditDepthMax = 256;
inline constexpr std::size_t kAuditRetryKeyCharactersMax = 128;

inline constexpr std::uint64_t kAuditPageDefault = 100;
inline constexpr std::uint64_t kAuditPageMax = 1'000;
/// Of the logs of a page; more than that is exported.
inline constexpr std::size_t kAuditPageBytesMax = std::size_t{64} << 20;
inline constexpr std::uint64_t kAuditSkipMax = 10'000;
inline constexpr std::chrono::seconds kAuditReadTime{30};
/// An export may take as long as its reader does; a day ends one that nobody reads.
inline constexpr std::chrono::hours kAuditExportTime{24};
inline constexpr std::int64_t kAuditDailyDaysMax = 30;
/// Days of a clean-up: a hundred years, which every clock minus it can hold.
inline constexpr std::int64_t kAuditCleanupDaysMax = 36'500;
/// Distinct resource types that statistics tell apart: about 10 MB of names.
inline constexpr std::size_t kAuditResourceTypesMax = 100'000;

/// Of one parameter of a use in the trail (a query, mostly), and of all its parameters.
inline constexpr std::size_t kTrailValueBytesMax = std::size_t{8} << 10;
inline constexpr std::size_t kTrailParamsBytesMax = std::size_t{32} << 10;

/// Words and phrases of `search`, and bytes of one: each becomes a regular expression (filter/regex.h).
inline constexpr std::size_t kAuditSearchTermsMax = 32;
inline constexpr std::size_t kAuditSearchTermBytesMax = 1'000;

/// What may wait for a reader of the stream; beyond it logs are dropped and counted.
inline constexpr std::size_t kAuditStreamFramesMax = 1'000;
inline constexpr std::size_t kAuditStreamBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kAuditStreamsPerTenant = 100;
/// Logs read at once for the streams of a tenant, or for one that resumes.
inline constexpr std::size_t kAuditStreamPageLogs = 500;
/// Streams look into the store at most this often.
inline constexpr std::chrono::milliseconds kAuditStreamTurn{20};

/// How often logs that have outlived their tenant's `retention_days` are looked for.
inline constexpr std::chrono::hours kAuditRetentionTurn{1};

}  // namespace dendro
