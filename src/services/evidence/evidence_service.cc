#include "services/evidence/evidence_service.h"

#include <algorithm>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/thread_priority.h"
#include "filter/compiled_filter.h"
#include "filter/field_name.h"
#include "services/audit/access_trail.h"
#include "services/audit/audit_predicate.h"
#include "services/audit/audit_record.h"
#include "services/evidence/record_leaf.h"
#include "storage/store_paths.h"

namespace dendro {
namespace {

/// Behind whoever waits for an answer, before the compactor.
constexpr int kEvidenceNice = 10;
constexpr std::chrono::milliseconds kEvidenceTurnMin{1};
constexpr std::uint64_t kKeyFileBytesMax = std::uint64_t{64} << 10;

/// A record to be covered, before its leaf is made: the key of its entry is not known yet.
struct Uncovered {
  std::uint64_t sequence = 0;
  std::uint32_t row = 0;
  std::size_t block = 0;
};

/// Records of a range of sequence numbers, by rising number.
struct UncoveredStep {
  std::vector<RecordBlock> blocks;
  std::vector<Uncovered> records;
};

Result<UncoveredStep> read_step(const Snapshot& snapshot, EvidenceScope scope, SequenceRange sequences) {
  UncoveredStep step;
  ScanRequest request;
  request.sequences = sequences;
  request.order = ScanOrder::oldest_first;
  request.filter = scope_filter(scope);
  const auto source = snapshot.scan(std::move(request));
  for (;;) {
    DENDRO_TRY_ASSIGN(auto block, source->next());
    if (!block) break;
    for (const std::uint32_t row : block->rows) {
      step.records.push_back({block->sequence(row).number(), row, step.blocks.size()});
    }
    step.blocks.push_back(std::move(*block));
  }
  std::ranges::sort(step.records, {}, &Uncovered::sequence);
  return step;
}

Hash32 random_hash(RandomSource& random) {
  Hash32 bytes;
  random.fill(bytes);
  return bytes;
}

/// The tenant whose folder has this name; nothing if none can have it.
std::optional<TenantId> unescaped_tenant(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      text.push_back(name[i]);
      continue;
    }
    const auto byte = parse_hex(name.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    text.append(*byte);
    i += 2;
  }
  auto tenant = TenantId::parse(text);
  if (!tenant || StorePaths::escape_tenant(*tenant) != name) return std::nullopt;
  return std::move(*tenant);
}

RemovalReason reason_of(RemovalCause cause) {
  switch (cause) {
    case RemovalCause::request:
      break;
    case RemovalCause::stream_rule:
      return RemovalReason::stream_rule;
    case RemovalCause::day_retention:
      return RemovalReason::day_retention;
    case RemovalCause::tenant:
      return RemovalReason::tenant;
  }
  return RemovalReason::request;
}

}  // namespace

// ---- what was committed ----

/// Remembers whose records came. Thread-safe.
class EvidenceService::Listener final : public EveryCommitListener {
 public:
  explicit Listener(EvidenceScope scope) : scope_(scope) {}
  void on_commit(const TenantId& tenant, const std::vector<CommittedBatch>& batches) override {
    const bool is_ours = std::ranges::any_of(batches, [this](const CommittedBatch& committed) {
      return std::ranges::any_of(committed.batch->streams(),
                                 [this](const Stream& stream) { return is_in_scope(scope_, stream); });
    });
    if (!is_ours) return;
    MutexLock lock(mutex_);
    tenants_.insert(tenant);
  }
  void add(const TenantId& tenant) {
    MutexLock lock(mutex_);
    tenants_.insert(tenant);
  }
  std::set<TenantId> take() {
    MutexLock lock(mutex_);
    return std::exchange(tenants_, {});
  }

 private:
  const EvidenceScope scope_;
  Mutex mutex_;
  std::set<TenantId> tenants_ DENDRO_GUARDED_BY(mutex_);
};

// ---- one tenant ----

/// One writer at a time, which keeps the lock over its reading and its syncs: the others have nothing to do before it.
struct EvidenceService::TenantChain {
  TenantChain(const Parts& from, const Hash32& key, TenantId of, std::string in)
      : parts(from), public_key(key), tenant(std::move(of)), folder(std::move(in)) {}

  struct Added {
    std::uint64_t entries = 0, records = 0;
  };

  Status seal(Added& added) {
    MutexLock lock(mutex);
    return seal_locked(added);
  }

  /// Counts the removal as under way until end_removal(), whatever becomes of it.
  Status begin_removal(const Removal& removal, Added& added) {
    MutexLock lock(mutex);
    const Status sealed = seal_locked(added);
    ++removals;
    DENDRO_TRY(sealed);
    if (writer == nullptr || !writer->head()) return {};
    return declare_locked(removal, added);
  }
  void end_removal() {
    MutexLock lock(mutex);
    --removals;
  }

  Result<std::optional<ChainHead>> head() {
    MutexLock lock(mutex);
    if (writer == nullptr && !parts.files.exists(folder)) return std::optional<ChainHead>();
    DENDRO_TRY(open_locked());
    if (!writer->head()) return std::optional<ChainHead>();
    const SignedEntry& last = *writer->head();
    return std::optional(
        ChainHead{tenant.text(), last.entry.index, last.entry.time, last.hash, last.signature, *writer->public_key()});
  }

  EvidenceScope scope_locked() const DENDRO_REQUIRES(mutex) {
    return parts.keeps_scope && writer != nullptr && writer->head() ? writer->scope() : parts.scope;
  }

  Status open_locked() DENDRO_REQUIRES(mutex) {
    if (writer != nullptr) return {};
    DENDRO_TRY_ASSIGN(writer, ChainWriter::open(parts.files, folder));
    looked_through = writer->sealed_through();
    if (!writer->public_key() || *writer->public_key() == public_key) return {};
    Status changed = change_key_locked();
    if (!changed) writer = nullptr;
    return changed;
  }

  Status change_key_locked() DENDRO_REQUIRES(mutex) {
    if (parts.previous_key) {
      DENDRO_TRY_ASSIGN(const Hash32 previous, evidence_public_key(*parts.previous_key));
      if (previous == *writer->public_key()) {
        return append_locked({0, parts.clock.now(), {}, ChainNewKey{public_key}}, {}, {}, *parts.previous_key);
      }
    }
    return Error(ErrorCode::permission_denied, "the chain of tenant " + tenant.text() +
                                                   " is signed with another key, " + to_hex(*writer->public_key()) +
                                                   ": name it in audit.chain_key_previous_file to change keys");
  }

  Status append_locked(ChainEntry entry, const Hash32& range_key, const std::vector<ChainLeaf>& leaves)
      DENDRO_REQUIRES(mutex) {
    return append_locked(std::move(entry), range_key, leaves, parts.key);
  }
  Status append_locked(ChainEntry entry, const Hash32& range_key, const std::vector<ChainLeaf>& leaves,
                       const SignatureKey& key) DENDRO_REQUIRES(mutex) {
    const auto made = writer->append(std::move(entry), key, range_key, leaves);
    if (made) return {};
    writer = nullptr;  // what its files hold is looked at anew
    return made.error();
  }

  Status seal_locked(Added& added) DENDRO_REQUIRES(mutex) {
    if (removals > 0) return {};
    DENDRO_TRY_ASSIGN(const auto snapshot, parts.store.snapshot(tenant));
    const std::uint64_t last = snapshot->last_sequence().number();
    if (writer != nullptr || parts.files.exists(folder)) DENDRO_TRY(open_locked());
    if (last > looked_through + kEvidenceStepSequences) DENDRO_TRY(skip_others_locked(*snapshot));
    while (looked_through < last) {
      const std::uint64_t end = std::min(last, looked_through + kEvidenceStepSequences);
      DENDRO_TRY_ASSIGN(
          const UncoveredStep step,
          read_step(*snapshot, scope_locked(), {SequenceNumber(looked_through + 1), SequenceNumber(end + 1)}));
      DENDRO_TRY(cover_locked(step, added));
      looked_through = end;
    }
    return {};
  }

  /// Of millions of records none may be of the scope: one scan tells, instead of one a step.
  Status skip_others_locked(const Snapshot& snapshot) DENDRO_REQUIRES(mutex) {
    ScanRequest request;
    request.sequences.first = SequenceNumber(looked_through + 1);
    request.filter = scope_filter(scope_locked());
    DENDRO_TRY_ASSIGN(const auto block, snapshot.scan(std::move(request))->next());
    if (!block) looked_through = snapshot.last_sequence().number();
    return {};
  }

  Status cover_locked(const UncoveredStep& step, Added& added) DENDRO_REQUIRES(mutex) {
    if (step.records.empty()) return {};
    DENDRO_TRY(open_locked());
    if (!writer->head()) {
      const ChainBegin begin{tenant.text(), parts.random.bytes16(), public_key};
      DENDRO_TRY(append_locked({0, parts.clock.now(), {}, begin}, {}, {}));
      ++added.entries;
    }
    for (std::size_t first = 0; first < step.records.size(); first += kChainEntryRecordsMax) {
      const std::size_t count = std::min(kChainEntryRecordsMax, step.records.size() - first);
      const Hash32 range_key = random_hash(parts.random);
      std::vector<ChainLeaf> leaves;
      std::vector<Hash32> hashes;
      for (std::size_t i = first; i < first + count; ++i) {
        const Uncovered& one = step.records[i];
        const RecordBlock& block = step.blocks[one.block];
        hashes.push_back(leaf_of(open_record(block, one.row, range_key)));
        leaves.push_back({one.sequence, block.batch->timestamp(one.row).number(), hashes.back()});
      }
      const ChainRecords records{scope_locked(), writer->sealed_through() + 1, leaves.back().sequence, count,
                                 merkle_root(hashes)};
      DENDRO_TRY(append_locked({0, parts.clock.now(), {}, records}, range_key, leaves));
      ++added.entries;
      added.records += count;
    }
    return {};
  }

  Status declare_locked(const Removal& removal, Added& added) DENDRO_REQUIRES(mutex) {
    ChainRemoval declared;
    declared.reason = reason_of(removal.cause);
    declared.range = removal.range;
    declared.up_to = writer->sealed_through();
    if (removal.filter == nullptr) {
      declared.is_whole = true;
      ++added.entries;
      DENDRO_TRY(append_locked({0, parts.clock.now(), {}, declared}, {}, {}));
      return removal.cause == RemovalCause::tenant ? writer->forget_leaves() : Status();
    }
    DENDRO_TRY_ASSIGN(const std::vector<std::uint64_t> sequences, find_locked(removal));
    for (std::size_t first = 0; first < sequences.size(); first += kRemovalSequencesMax) {
      const auto begin = sequences.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kRemovalSequencesMax, sequences.size() - first));
      declared.sequences.assign(begin, end);
      DENDRO_TRY(append_locked({0, parts.clock.now(), {}, declared}, {}, {}));
      ++added.entries;
    }
    return {};
  }

  /// Sequence numbers of covered records that the removal takes, rising.
  Result<std::vector<std::uint64_t>> find_locked(const Removal& removal) DENDRO_REQUIRES(mutex) {
    DENDRO_TRY_ASSIGN(const auto snapshot, parts.store.snapshot(tenant));
    ScanRequest request;
    request.range = removal.range;
    request.sequences.last = SequenceNumber(writer->sealed_through() + 1);
    request.filter = removal.filter;
    const auto source = snapshot->scan(std::move(request));
    std::vector<std::uint64_t> sequences;
    for (;;) {
      const auto block = source->next();
      // Of what is damaged nobody knows what goes with it: it is no damage more if it is missing later.
      if (!block && block.error().code() == ErrorCode::corruption) continue;
      if (!block) return block.error();
      if (!*block) break;
      for (const std::uint32_t row : (*block)->rows) {
        if (is_in_scope(writer->scope(), (*block)->record(row).stream())) {
          sequences.push_back((*block)->sequence(row).number());
        }
      }
    }
    std::ranges::sort(sequences);
    return sequences;
  }

  const Parts& parts;
  const Hash32& public_key;
  const TenantId tenant;
  const std::string folder;

  Mutex mutex;
  std::unique_ptr<ChainWriter> writer DENDRO_GUARDED_BY(mutex);
  std::uint64_t looked_through DENDRO_GUARDED_BY(mutex) = 0;  ///< numbers behind may hold records to cover
  int removals DENDRO_GUARDED_BY(mutex) = 0;                  ///< under way: what they take must not be covered now
};

/// Lives as long as a removal is under way.
class EvidenceService::RemovalGuard {
 public:
  RemovalGuard(std::shared_ptr<TenantChain> chain, std::shared_ptr<Listener> listener)
      : chain_(std::move(chain)), listener_(std::move(listener)) {}
  RemovalGuard(const RemovalGuard&) = delete;
  RemovalGuard& operator=(const RemovalGuard&) = delete;
  ~RemovalGuard() {
    chain_->end_removal();
    listener_->add(chain_->tenant);
  }

 private:
  const std::shared_ptr<TenantChain> chain_;
  const std::shared_ptr<Listener> listener_;
};

// ---- the service ----

EvidenceService::EvidenceService(Parts parts, Hash32 public_key)
    : parts_(std::move(parts)), public_key_(public_key), listener_(std::make_shared<Listener>(parts_.scope)) {}

EvidenceService::~EvidenceService() {
  stop();
}

Result<std::unique_ptr<EvidenceService>> EvidenceService::open(Parts parts) {
  DENDRO_TRY_ASSIGN(const Hash32 public_key, evidence_public_key(parts.key));
  return std::unique_ptr<EvidenceService>(new EvidenceService(std::move(parts), public_key));
}

void EvidenceService::start() {
  parts_.store.listeners().add_to_all(listener_);
  thread_ = std::jthread([this] { run(); });
}

void EvidenceService::stop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  anchor_due(true);
}

void EvidenceService::run() {
  lower_thread_priority(kEvidenceNice);
  std::set<TenantId> tenants = tenants_at_start();
  for (;;) {
    tenants.merge(listener_->take());
    for (const TenantId& tenant : std::exchange(tenants, {})) {
      const Status sealed = seal(tenant);
      report(tenant, sealed);
      if (!sealed) tenants.insert(tenant);  // again at the next turn
      MutexLock lock(mutex_);
      if (is_stopping_) break;
    }
    anchor_due(false);
    MutexLock lock(mutex_);
    if (!is_stopping_) wake_.wait_for(mutex_, std::max(parts_.interval, kEvidenceTurnMin));
    if (is_stopping_) return;
  }
}

std::set<TenantId> EvidenceService::tenants_at_start() const {
  std::set<TenantId> tenants = {TenantId::default_tenant()};
  if (parts_.tenants) {
    for (TenantId& tenant : parts_.tenants()) tenants.insert(std::move(tenant));
  }
  for (const std::string& folder : {parts_.folder, parts_.tenant_folders}) {
    const auto names =
        folder.empty() ? Result<std::vector<std::string>>(std::vector<std::string>()) : parts_.files.list(folder);
    if (!names) continue;  // it is not there yet
    for (const std::string& name : *names) {
      if (auto tenant = unescaped_tenant(name)) tenants.insert(std::move(*tenant));
    }
  }
  return tenants;
}

void EvidenceService::report(const TenantId& tenant, const Status& sealed) {
  if (sealed) return;
  log(LogLevel::error, "evidence", "records could not be covered by the chain; trying again",
      {{"tenant", tenant.text()}, {"reason", sealed.error().message()}});
}

std::string EvidenceService::folder_of(const TenantId& tenant) const {
  return chain_folder_of(parts_.folder, tenant);
}

std::shared_ptr<EvidenceService::TenantChain> EvidenceService::chain_of(const TenantId& tenant) {
  MutexLock lock(mutex_);
  auto& chain = chains_[tenant];
  if (chain == nullptr) chain = std::make_shared<TenantChain>(parts_, public_key_, tenant, folder_of(tenant));
  return chain;
}

Status EvidenceService::seal(const TenantId& tenant) {
  const auto chain = chain_of(tenant);
  TenantChain::Added added;
  Status sealed = chain->seal(added);
  MutexLock lock(mutex_);
  count_locked(tenant, added.entries, added.records, sealed);
  return sealed;
}

void EvidenceService::count_locked(const TenantId& tenant, std::uint64_t entries, std::uint64_t records,
                                   const Status& done) {
  figures_.entries += entries;
  figures_.records += records;
  if (!done) ++figures_.failures;
  if (entries > 0 && !parts_.anchors.empty()) unanchored_.insert(tenant);
}

void EvidenceService::anchor_due(bool all) {
  std::vector<TenantId> due;
  {
    MutexLock lock(mutex_);
    const auto now = parts_.clock.monotonic();
    for (const TenantId& tenant : unanchored_) {
      const auto last = anchored_at_.find(tenant);
      if (all || last == anchored_at_.end() || now - last->second >= parts_.anchor_interval) due.push_back(tenant);
    }
    for (const TenantId& tenant : due) unanchored_.erase(tenant);
  }
  for (const TenantId& tenant : due) {
    const Status anchored = anchor_one(tenant);
    MutexLock lock(mutex_);
    anchored_at_[tenant] = parts_.clock.monotonic();
    if (anchored) {
      ++figures_.heads_anchored;
      continue;
    }
    unanchored_.insert(tenant);
    log(LogLevel::error, "evidence", "a head could not be anchored; trying again",
        {{"tenant", tenant.text()}, {"reason", anchored.error().message()}});
  }
}

Status EvidenceService::anchor_one(const TenantId& tenant) {
  DENDRO_TRY_ASSIGN(const auto newest, head(tenant));
  if (!newest) return {};
  Status all;
  for (const auto& anchor : parts_.anchors) {
    if (Status done = anchor->anchor(*newest); !done) all = std::move(done);
  }
  return all;
}

Result<std::shared_ptr<void>> EvidenceService::before_removal(const Removal& removal) {
  {
    MutexLock lock(mutex_);
    if (is_stopping_) return Error(ErrorCode::unavailable, "the server stops: nothing is removed now");
  }
  const auto chain = chain_of(removal.tenant);
  TenantChain::Added added;
  const Status declared = chain->begin_removal(removal, added);
  std::shared_ptr<void> guard = std::make_shared<RemovalGuard>(chain, listener_);
  MutexLock lock(mutex_);
  count_locked(removal.tenant, added.entries, added.records, declared);
  if (declared) return guard;
  return Error(declared.error()).with_context("the removal could not be declared in the chain");
}

Result<std::optional<ChainHead>> EvidenceService::head(const TenantId& tenant) {
  return chain_of(tenant)->head();
}

Result<ChainReport> EvidenceService::verify(const TenantId& tenant, std::vector<AnchoredHead> anchored,
                                            const WorkWatch& watch) {
  // First what is not covered yet, so that the answer is about now; a chain that cannot go on is looked at all the
  // same.
  report(tenant, seal(tenant));
  DENDRO_TRY_ASSIGN(const auto snapshot, parts_.store.snapshot(tenant));
  ChainVerification what{parts_.files, folder_of(tenant), tenant, snapshot, public_key_, std::move(anchored)};
  return verify_chain(what, watch);
}

std::unique_ptr<RecordProver> EvidenceService::prover(const TenantId& tenant) const {
  return std::unique_ptr<RecordProver>(
      new RecordProver(parts_.files, folder_of(tenant), tenant, parts_.scope, public_key_));
}

// ---- proofs ----

Status RecordProver::read_frame(std::uint64_t sequence) {
  const bool is_at_hand =
      frame_ && frame_->leaves.front().sequence <= sequence && sequence <= frame_->leaves.back().sequence;
  if (is_at_hand) return {};
  frame_.reset();
  if (!files_.exists(folder_)) return {};
  DENDRO_TRY_ASSIGN(LeafReader leaves, LeafReader::open(files_, folder_));
  DENDRO_TRY_ASSIGN(auto frame, leaves.covering(sequence));
  if (!frame) return {};
  DENDRO_TRY_ASSIGN(const ChainReader entries, ChainReader::open(files_, folder_));
  DENDRO_TRY_ASSIGN(entry_, entries.at(frame->entry_offset));
  hashes_.clear();
  for (const ChainLeaf& one : frame->leaves) hashes_.push_back(one.hash);
  frame_ = std::move(frame);
  return {};
}

Result<RecordProof> RecordProver::prove(const RecordBlock& block) {
  const std::uint32_t row = block.rows.front();
  const std::uint64_t sequence = block.sequence(row).number();
  DENDRO_TRY(read_frame(sequence));
  const auto leaf = frame_ ? std::ranges::lower_bound(frame_->leaves, sequence, {}, &ChainLeaf::sequence)
                           : std::vector<ChainLeaf>::iterator();
  if (!frame_ || leaf == frame_->leaves.end() || leaf->sequence != sequence) {
    if (is_in_scope(scope_, block.record(row).stream())) {
      return Error(ErrorCode::unavailable, "the chain does not cover this record yet: ask again in some seconds");
    }
    return Error(ErrorCode::not_found, "the chain does not cover records of this kind: audit.chain says which");
  }
  RecordProof proof;
  proof.tenant = tenant_.text();
  proof.record = open_record(block, row, frame_->range_key);
  proof.leaf_index = static_cast<std::uint64_t>(leaf - frame_->leaves.begin());
  proof.path = merkle_path(hashes_, proof.leaf_index);
  proof.entry = entry_.encoded;
  proof.signature = entry_.signature;
  proof.public_key = public_key_;
  // What is handed out must hold: a record that was changed gets no proof.
  if (const auto checked = check_record_proof(proof, std::nullopt); !checked) {
    return Error(ErrorCode::corruption, "a record and its chain do not fit: " + checked.error().message());
  }
  return proof;
}

EvidenceService::Figures EvidenceService::figures() const {
  MutexLock lock(mutex_);
  Figures figures = figures_;
  figures.heads_waiting = unanchored_.size();
  return figures;
}

std::string chain_head_json(const ChainHead& head) {
  std::string out, signature;
  append_base64(signature, head.signature);
  JsonWriter json(out);
  json.begin_object();
  json.member("tenant", head.tenant);
  json.member("index", head.index);
  json.member("time", to_rfc3339(head.time));
  json.member("hash", to_hex(head.hash));
  json.member("signature", signature);
  json.member("public_key", to_hex(head.public_key));
  json.end_object();
  return out;
}

Result<Hash32> evidence_public_key(const SignatureKey& key) {
  DENDRO_TRY_ASSIGN(const std::string bytes, key.ed25519_public_bytes());
  return *hash_from_bytes(bytes);
}

Result<SignatureKey> load_evidence_key(FileSystem& files, const std::string& path, RandomSource& random,
                                       bool make_if_missing) {
  if (make_if_missing && !files.exists(path)) {
    const Hash32 seed = random_hash(random);
    DENDRO_TRY_ASSIGN(const SignatureKey made, SignatureKey::from_ed25519_seed(hash_bytes(seed)));
    DENDRO_TRY_ASSIGN(const std::string pem, made.private_pem());
    const std::string folder = path.substr(0, path.rfind('/'));
    DENDRO_TRY(files.create_directories(folder));
    const std::string unfinished = path + ".tmp";
    if (files.exists(unfinished)) DENDRO_TRY(files.remove(unfinished));
    DENDRO_TRY_ASSIGN(const auto file, files.open_writable(unfinished, OpenMode::create_private));
    const std::string_view text = pem;
    DENDRO_TRY(file->write_at(0, {&text, 1}));
    DENDRO_TRY(file->sync());
    DENDRO_TRY(files.rename(unfinished, path));
    DENDRO_TRY(files.sync_directory(folder));
  }
  DENDRO_TRY_ASSIGN(const std::string pem, read_whole_file(files, path, kKeyFileBytesMax));
  auto key = SignatureKey::from_pem(pem);
  if (!key) return Error(ErrorCode::invalid_argument, path + ": " + key.error().message());
  if (key->algorithm() != SignatureAlgorithm::eddsa || !key->sign("")) {
    return Error(ErrorCode::invalid_argument,
                 path + " holds no private Ed25519 key: openssl genpkey -algorithm ed25519");
  }
  return std::move(*key);
}

std::string chain_folder_of(const std::string& chain_folder, const TenantId& tenant) {
  return chain_folder + "/" + StorePaths::escape_tenant(tenant);
}

Result<std::vector<ChainFile>> list_chain_files(FileSystem& files, const std::string& folder) {
  std::vector<ChainFile> listed;
  const auto names = files.list(folder);
  if (!names && names.error().code() == ErrorCode::not_found) return listed;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (name.ends_with(".tmp")) continue;
    std::vector<std::string> inner = {name};
    if (const auto within = files.list(folder + "/" + name)) {
      inner.clear();
      for (const std::string& one : *within) inner.push_back(name + "/" + one);
    }
    // "entries" is not above the names of leaves, which are hex digits; it must be measured first.
    std::ranges::partition(inner, [](const std::string& path) { return path.ends_with("/entries"); });
    for (std::string& path : inner) {
      DENDRO_TRY_ASSIGN(const auto file, files.open_reader(folder + "/" + path));
      DENDRO_TRY_ASSIGN(const std::uint64_t bytes, file->size());
      listed.push_back({std::move(path), bytes});
    }
  }
  return listed;
}

std::shared_ptr<const RecordFilter> scope_filter(EvidenceScope scope) {
  if (scope == EvidenceScope::all) return nullptr;
  return compile_filter(any_of({source_predicate(kAuditSource), source_predicate(kAccessTrailSource)}));
}

bool is_in_scope(EvidenceScope scope, const Stream& stream) {
  if (scope == EvidenceScope::all) return true;
  const StreamLabel* source = stream.find(kSourceLabel);
  return source != nullptr && (source->value.text == kAuditSource || source->value.text == kAccessTrailSource);
}

}  // namespace dendro
