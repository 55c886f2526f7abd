#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto_signature.h"
#include "base/result.h"
#include "io/file_system.h"
#include "services/evidence/chain_entry.h"

namespace dendro {

// The files of one tenant's chain, `chain/<tenant>/` of the data folder (docs/formats/chain.md):
//   F1 `entries` only grows. An entry is whole and synced before the next is made;
//   F2 the leaves of an entry are synced before the entry; leaves that no entry follows mean nothing;
//   F3 what a kill left behind the last whole entry is cut when the chain is opened to go on. Anything else that is
//      wrong is never touched.

/// A leaf with what finds its record again.
struct ChainLeaf {
  std::uint64_t sequence = 0;
  std::int64_t timestamp_ns = 0;
  Hash32 hash{};
  friend bool operator==(const ChainLeaf&, const ChainLeaf&) = default;
};

/// What an entry of the kind records covers.
struct LeafFrame {
  std::uint64_t entry_index = 0;
  std::uint64_t entry_offset = 0;  ///< of its frame in `entries`
  Hash32 range_key{};              ///< secret: with it, values that are known can be told from their salted hashes
  std::vector<ChainLeaf> leaves;   ///< by rising sequence number
};

struct SignedEntry {
  ChainEntry entry;
  std::string encoded;
  std::string signature;
  Hash32 hash{};
  std::uint64_t offset = 0;  ///< of its frame
};

/// Reads one tenant's chain. Not thread-safe.
class ChainReader {
 public:
  /// `files` outlives it. Errors: not_found (there is no chain), io_error.
  static Result<ChainReader> open(FileSystem& files, const std::string& folder);

  /// The next entry; nothing at the end, or where the rest can be what a kill left (`torn_bytes`).
  /// Errors: corruption (file and offset), unimplemented, io_error; none can be read behind it.
  Result<std::optional<SignedEntry>> next();
  /// The entry whose frame is there. Errors: as next; corruption too where none is.
  Result<SignedEntry> at(std::uint64_t offset) const;
  std::uint64_t offset() const { return offset_; }
  std::uint64_t torn_bytes() const { return torn_bytes_; }

 private:
  ChainReader(std::string path, std::unique_ptr<RandomReader> file, std::uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}
  Result<std::optional<SignedEntry>> read_at(std::uint64_t offset) const;
  Result<std::string> read(std::uint64_t offset, std::size_t bytes) const;

  std::string path_;
  std::unique_ptr<RandomReader> file_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t torn_bytes_ = 0;
};

/// The frames of leaves of one tenant, by rising sequence number. Not thread-safe.
class LeafReader {
 public:
  /// `files` outlives it. Without leaves there is nothing to read. Errors: io_error.
  static Result<LeafReader> open(FileSystem& files, const std::string& folder);
  /// The next frame; nothing at the end or before a torn one.
  /// Errors: corruption (file and offset; the next call goes on with the next file), io_error.
  Result<std::optional<LeafFrame>> next();
  /// The frame that covers this sequence number, or would. Errors: as next.
  Result<std::optional<LeafFrame>> covering(std::uint64_t sequence);

 private:
  LeafReader(FileSystem& files, std::string folder, std::vector<std::string> names)
      : files_(&files), folder_(std::move(folder)), names_(std::move(names)) {}
  FileSystem* files_;
  std::string folder_;
  std::vector<std::string> names_;
  std::size_t next_file_ = 0;
  std::string bytes_;
  std::size_t at_ = 0;
};

/// Appends to one tenant's chain. Not thread-safe.
class ChainWriter {
 public:
  /// Goes on behind the last whole entry, or makes the folder. Reads all entries once.
  /// Errors: corruption (the chain is damaged: nothing is changed), storage_full, io_error.
  static Result<std::unique_ptr<ChainWriter>> open(FileSystem& files, std::string folder);

  /// Signs and stores it, `previous` and `index` filled in here; durable when this returns. Of ChainRecords with the
  /// leaves and their key. Errors: storage_full, io_error; after one of them open anew.
  Result<SignedEntry> append(ChainEntry entry, const SignatureKey& key, const Hash32& range_key = {},
                             const std::vector<ChainLeaf>& leaves = {});
  /// Removes the leaves of all entries, once their records are gone for good: with them goes what could tell values
  /// from hashes. Errors: io_error.
  Status forget_leaves();
  /// The last entry; nothing in an empty chain.
  const std::optional<SignedEntry>& head() const { return head_; }
  /// Everything up to this sequence number was looked at.
  std::uint64_t sealed_through() const { return sealed_through_; }
  /// `all` once any entry is of it.
  EvidenceScope scope() const { return scope_; }
  /// The key that the next entry must be signed with; nothing in an empty chain.
  const std::optional<Hash32>& public_key() const { return public_key_; }

 private:
  ChainWriter(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  Status recover();
  void take(const SignedEntry& entry);
  Status cut_leaves();
  Status append_leaves(std::uint64_t first, const Hash32& range_key, const std::vector<ChainLeaf>& leaves);

  FileSystem& files_;
  const std::string folder_;
  std::unique_ptr<WritableFile> entries_;
  std::uint64_t entries_bytes_ = 0;
  std::optional<SignedEntry> head_;
  std::uint64_t sealed_through_ = 0;
  std::optional<std::uint64_t> last_records_index_;
  EvidenceScope scope_ = EvidenceScope::audit;
  std::optional<Hash32> public_key_;
  std::string leaf_file_;  ///< name of the last; empty: none
  std::uint64_t leaf_bytes_ = 0;
};

/// A file of leaves ends at the frame that passes this.
inline constexpr std::uint64_t kLeafFileBytes = std::uint64_t{32} << 20;
/// Records of one entry at most: a proof reads and hashes all of them.
inline constexpr std::size_t kChainEntryRecordsMax = 4'096;

}  // namespace dendro
