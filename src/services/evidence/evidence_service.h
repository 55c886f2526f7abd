#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "services/evidence/chain_files.h"
#include "services/evidence/chain_verifier.h"
#include "services/evidence/record_proof.h"
#include "storage/store.h"

namespace dendro {

/// The newest signed statement about a tenant's records: what is anchored elsewhere.
struct ChainHead {
  std::string tenant;
  std::uint64_t index = 0;
  Timestamp time;
  Hash32 hash{};
  std::string signature;
  Hash32 public_key{};
};
/// `{"tenant":..,"index":..,"time":..,"hash":hex,"signature":base64,"public_key":hex}`.
std::string chain_head_json(const ChainHead& head);

/// Where heads go, so that a chain that was cut back or made anew can be told from what it was.
class HeadAnchor {
 public:
  virtual ~HeadAnchor() = default;
  /// On the thread of the service; may wait for a disk. An error: it is tried again, with the head of then.
  virtual Status anchor(const ChainHead& head) = 0;
};

/// Makes proofs of one tenant's records; cheaper for records that lie near each other. Not thread-safe.
class RecordProver {
 public:
  /// What shows that the record is covered, `block` holding it alone.
  /// Errors: not_found (the chain does not cover such records), unavailable (not yet), corruption, io_error.
  Result<RecordProof> prove(const RecordBlock& block);

 private:
  friend class EvidenceService;
  RecordProver(FileSystem& files, std::string folder, TenantId tenant, EvidenceScope scope, Hash32 public_key)
      : files_(files), folder_(std::move(folder)), tenant_(std::move(tenant)), scope_(scope), public_key_(public_key) {}
  Status read_frame(std::uint64_t sequence);

  FileSystem& files_;
  const std::string folder_;
  const TenantId tenant_;
  const EvidenceScope scope_;
  const Hash32 public_key_;
  std::optional<LeafFrame> frame_;  ///< the last that was needed, and what its entry says
  std::vector<Hash32> hashes_;
  SignedEntry entry_;
};

/// Keeps a signed chain over each tenant's records (docs/decisions/0034): a thread reads what was stored since, hashes
/// it and adds an entry. Thread-safe.
class EvidenceService {
 public:
  struct Parts {
    Store& store;
    FileSystem& files;
    std::string folder;  ///< `chain` of the data folder
    const Clock& clock;
    RandomSource& random;
    SignatureKey key;                               ///< Ed25519, private
    std::optional<SignatureKey> previous_key = {};  ///< signs that chains go on with `key`
    EvidenceScope scope = EvidenceScope::audit;
    bool keeps_scope = false;  ///< chains that cover all go on to, whatever `scope` is: for who knows no settings
    std::chrono::milliseconds interval{10'000};
    std::vector<std::shared_ptr<HeadAnchor>> anchors = {};
    std::chrono::milliseconds anchor_interval{0};         ///< between two heads of a tenant at least
    std::function<std::vector<TenantId>()> tenants = {};  ///< that may have records at the start; may be empty
    std::string tenant_folders = {};  ///< whose names are tenants, too, escaped as in segment paths; empty: none
  };
  /// All of `parts` outlives this. Errors: invalid_argument (a key of another kind).
  static Result<std::unique_ptr<EvidenceService>> open(Parts parts);
  ~EvidenceService();

  /// Begins to listen and to write.
  void start();
  /// Ends the thread. Nothing is sealed any more; removals are refused.
  void stop();

  /// Covers everything that the tenant has stored by now, unless a removal is under way. Waits for the disk.
  /// Errors: corruption (the chain or a record is damaged), storage_full, io_error, failed keys as permission_denied.
  Status seal(const TenantId& tenant);
  /// A RemovalWitness: declares in the chain what is about to go.
  Result<std::shared_ptr<void>> before_removal(const Removal& removal);
  /// Nothing where the tenant has no chain. Errors: as seal.
  Result<std::optional<ChainHead>> head(const TenantId& tenant);
  /// Errors: as verify_chain; not_found (there is no chain).
  Result<ChainReport> verify(const TenantId& tenant, std::vector<AnchoredHead> anchored, const WorkWatch& watch);
  /// Outlived by the service.
  std::unique_ptr<RecordProver> prover(const TenantId& tenant) const;
  /// As RecordProver::prove.
  Result<RecordProof> prove(const TenantId& tenant, const RecordBlock& block) { return prover(tenant)->prove(block); }

  /// For /metrics, since the start.
  struct Figures {
    std::uint64_t entries = 0, records = 0, failures = 0, heads_anchored = 0;
    std::uint64_t heads_waiting = 0;  ///< now: tenants with a head to anchor
  };
  Figures figures() const;

 private:
  class Listener;
  struct TenantChain;
  class RemovalGuard;
  explicit EvidenceService(Parts parts, Hash32 public_key);

  void run();
  std::set<TenantId> tenants_at_start() const;
  std::shared_ptr<TenantChain> chain_of(const TenantId& tenant);
  std::string folder_of(const TenantId& tenant) const;
  void report(const TenantId& tenant, const Status& sealed);
  void count_locked(const TenantId& tenant, std::uint64_t entries, std::uint64_t records, const Status& done)
      DENDRO_REQUIRES(mutex_);
  void anchor_due(bool all);
  Status anchor_one(const TenantId& tenant);

  const Parts parts_;
  const Hash32 public_key_;
  std::shared_ptr<Listener> listener_;

  mutable Mutex mutex_;
  CondVar wake_;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::map<TenantId, std::shared_ptr<TenantChain>> chains_ DENDRO_GUARDED_BY(mutex_);
  Figures figures_ DENDRO_GUARDED_BY(mutex_);
  std::set<TenantId> unanchored_ DENDRO_GUARDED_BY(mutex_);  ///< whose chain has grown since its last head was anchored
  std::map<TenantId, std::chrono::nanoseconds> anchored_at_ DENDRO_GUARDED_BY(mutex_);  ///< monotonic
  std::jthread thread_;
};

/// The key of the file; makes one there, for its owner's eyes, if there is none.
/// Errors: invalid_argument (no private Ed25519 key), storage_full, io_error, permission_denied.
Result<SignatureKey> load_evidence_key(FileSystem& files, const std::string& path, RandomSource& random,
                                       bool make_if_missing);
/// The 32 bytes of a key's public half. Errors: invalid_argument (no Ed25519).
Result<Hash32> evidence_public_key(const SignatureKey& key);
/// The folder of a tenant's chain below `chain_folder`.
std::string chain_folder_of(const std::string& chain_folder, const TenantId& tenant);
/// The files of all chains as they are now, by their paths below `folder`, entries before leaves: so many bytes of each
/// are whole. For a backup: what is taken must not be newer than the records beside it. Errors: io_error.
struct ChainFile {
  std::string path;
  std::uint64_t bytes = 0;
};
Result<std::vector<ChainFile>> list_chain_files(FileSystem& files, const std::string& folder);
/// What a scan for the records of a scope asks; null: all of them.
std::shared_ptr<const RecordFilter> scope_filter(EvidenceScope scope);
/// Whether the chain covers this record, going by the label dendro.source.
bool is_in_scope(EvidenceScope scope, const Stream& stream);

/// Sequence numbers that a step of reading looks at: so many records are in memory at most.
inline constexpr std::uint64_t kEvidenceStepSequences = 65'536;

}  // namespace dendro
