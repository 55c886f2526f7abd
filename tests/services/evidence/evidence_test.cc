// The chain over a tenant's records: that it holds through everything a store does, and that nothing else passes.
#include <gtest/gtest.h>

#include <random>

#include "base/crypto_hash.h"
#include "base/hex.h"
#include "filter/predicate.h"
#include "services/audit/access_trail.h"
#include "services/evidence/evidence_service.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId& kTenant = TenantId::default_tenant();
constexpr const char* kChainFolder = "/data/chain";

SignatureKey seed_key(char byte) {
  return SignatureKey::from_ed25519_seed(std::string(32, byte)).value();
}

Predicate body_is(std::string_view text) {
  return {FieldTest{"body", Equals{Literal::of_string(text)}}};
}

/// Hands on heads; who waits is woken.
class WaitingAnchor final : public HeadAnchor {
 public:
  Status anchor(const ChainHead& head) override {
    MutexLock lock(mutex_);
    heads_.push_back(head);
    came_.notify_all();
    return {};
  }
  bool wait_for(std::size_t count) {
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    MutexLock lock(mutex_);
    while (heads_.size() < count) {
      const auto rest = last - std::chrono::steady_clock::now();
      if (rest <= std::chrono::nanoseconds::zero()) return false;
      came_.wait_for(mutex_, rest);
    }
    return true;
  }
  std::vector<ChainHead> heads() {
    MutexLock lock(mutex_);
    return heads_;
  }

 private:
  Mutex mutex_;
  CondVar came_;
  std::vector<ChainHead> heads_ DENDRO_GUARDED_BY(mutex_);
};

/// A store under a chain of all its records.
struct EvidenceFixture : testing::Test {
  EvidenceFixture() {
    engine.options.removal_witness = [this](const Removal& removal) -> Result<std::shared_ptr<void>> {
      if (service == nullptr || !is_witnessed) return std::shared_ptr<void>();
      return service->before_removal(removal);
    };
    engine.open();
    open_service();
  }
  ~EvidenceFixture() override { service.reset(); }

  EvidenceService::Parts parts() {
    EvidenceService::Parts made{*engine.store, *engine.files, kChainFolder, engine.clock, engine.random, key};
    made.scope = scope;
    return made;
  }
  void open_service() { service = EvidenceService::open(parts()).value(); }
  void reopen() {
    service.reset();
    engine.open();
    open_service();
  }
  void append(const Bodies& bodies) { ASSERT_TRUE(engine.append(bodies).has_value()); }
  void seal() {
    const Status sealed = service->seal(kTenant);
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message();
  }
  ChainReport verify(std::vector<AnchoredHead> anchored = {}) {
    return verify_with(*engine.store, std::move(anchored));
  }
  /// The chain beside the records of another store.
  ChainReport verify_with(Store& store, std::vector<AnchoredHead> anchored = {}) {
    const auto snapshot = store.snapshot(kTenant).value();
    const ChainVerification what{*engine.files, folder(), kTenant, snapshot, std::nullopt, std::move(anchored)};
    const auto report = verify_chain(what, {});
    if (report) return *report;
    ChainReport none;
    none.fault_count = 1;
    none.faults = {report.error().message()};
    return none;
  }
  static std::string folder() { return chain_folder_of(kChainFolder, kTenant); }
  std::string leaf_file() {
    const std::vector<std::string> names = engine.files->list(folder()).value();
    for (const std::string& name : names) {
      if (name.ends_with(".leaves")) return folder() + "/" + name;
    }
    return {};
  }
  AnchoredHead anchored_head() {
    const auto head = service->head(kTenant).value();
    return {head->tenant, head->index, head->hash};
  }
  static std::string faults_of(const ChainReport& report) {
    std::string text;
    for (const std::string& fault : report.faults) text += fault + "\n";
    return text;
  }
  RecordBlock record(const std::string& body) {
    const auto source = engine.store->snapshot(kTenant).value()->scan({});
    for (;;) {
      const auto block = source->next();
      if (!block || !*block) break;
      for (const std::uint32_t row : (*block)->rows) {
        if (body_of((*block)->record(row)) != body) continue;
        RecordBlock alone = **block;
        alone.rows = {row};
        return alone;
      }
    }
    ADD_FAILURE() << "no record " << body;
    return {};
  }

  StoreFixture engine;
  bool is_witnessed = true;
  EvidenceScope scope = EvidenceScope::all;
  SignatureKey key = seed_key('a');
  std::unique_ptr<EvidenceService> service;
};

/// Records of every type of value, nested and plain.
std::shared_ptr<const RecordBatch> mixed_batch(std::mt19937_64& random, std::size_t count) {
  RecordBatchBuilder builder(Timestamp(kTestTime.number() + static_cast<std::int64_t>(random() % 1'000'000)));
  for (std::size_t i = 0; i < count; ++i) {
    builder.begin_record();
    const Timestamp instant(kTestTime.number() + static_cast<std::int64_t>(random() % 3) * kNanosPerDay +
                            static_cast<std::int64_t>(random() % 1'000) * 1'000);
    builder.set_timestamp(instant);
    if (random() % 2 == 0) builder.set_severity(static_cast<SeverityNumber>(random() % 25), random() % 2 == 0);
    const std::string number = std::to_string(random() % 100);
    builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text("s" + number));
    builder.add_leaf(LeafRole::timestamp, "_time", "ts", Value::of_time(instant, 6));
    builder.add_leaf(LeafRole::attribute, "i", "i", Value::of_int64(static_cast<std::int64_t>(random())));
    builder.add_leaf(LeafRole::attribute, "u", "u", Value::of_uint64(random() | (std::uint64_t{1} << 63)));
    builder.add_leaf(LeafRole::attribute, "f", "f", Value::of_float64(static_cast<double>(random() % 1000) / 7));
    builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_number_text("1.0" + number));
    if (random() % 3 == 0) builder.add_leaf(LeafRole::attribute, "z", "z", Value::of_null());
    builder.open_object("o");
    builder.add_leaf(LeafRole::attribute, "o.b", "b", Value::of_bool(random() % 2 == 0));
    builder.add_leaf(LeafRole::attribute, "o.l", "l", Value::of_list("[" + number + ",\"x\"]"));
    builder.add_leaf(LeafRole::attribute, "o.e", "e", Value::of_empty_object());
    builder.close_object();
    builder.add_leaf(LeafRole::attribute, "raw", "raw", Value::of_bytes("\xff\xfe" + number));
    builder.add_leaf(LeafRole::attribute, "day", "day",
                     Value::of_text("2026-11-2" + number.substr(0, 1) + "T10:00:00Z"));
    builder.add_leaf(
        LeafRole::body, "body", "msg",
        Value::of_text("GET /a/" + number + " took " + std::to_string(random() % 500) + " ms from 10.0.0." + number));
    builder.add_label("dendro.source", Value::of_text("test"));
    builder.end_record();
  }
  return builder.finish();
}

TEST(MerkleTree, IsThatOfRfc6962) {
  // The reference vectors of the Certificate Transparency implementation (merkletree tests).
  std::vector<Hash32> leaves;
  for (const char* hex :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(sha256(std::string(1, '\0') + *parse_hex(hex)));
  }
  EXPECT_EQ(to_hex(merkle_root(std::span(leaves).first(1))),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(to_hex(merkle_root(leaves)), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST(MerkleTree, EachPathLeadsToTheRootAndNoOtherDoes) {
  for (std::size_t count = 1; count <= 70; ++count) {
    std::vector<Hash32> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(sha256(std::to_string(i)));
    const Hash32 root = merkle_root(leaves);
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<Hash32> path = merkle_path(leaves, i);
      ASSERT_EQ(root_of_path(leaves[i], i, count, path), root) << count << " " << i;
      EXPECT_NE(root_of_path(leaves[(i + 1) % (count + 1) % count], i, count, path) == root, count > 1);
      EXPECT_NE(root_of_path(leaves[i], (i + 1) % count, count, path) == root, count > 1);
      EXPECT_FALSE(root_of_path(leaves[i], count, count, path));
      path.push_back(root);
      EXPECT_NE(root_of_path(leaves[i], i, count, path), root);
    }
  }
}

TEST(ChainFormat, IsThatOfItsPage) {
  RecordBatchBuilder builder(kTestTime);
  builder.begin_record();
  builder.set_severity(9);
  builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text("api"));
  builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("a"));
  builder.end_record();
  RecordBlock block;
  block.batch = builder.finish();
  block.first_sequence = SequenceNumber(1);
  block.rows = {0};
  Hash32 range_key;
  for (std::size_t i = 0; i < range_key.size(); ++i) range_key[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(to_hex(leaf_of(open_record(block, 0, range_key))),
            "3ff972767e369697f2df443afcd77b2b391a562d7879fc17c1e9ad2b75734022");

  ChainEntry entry;
  entry.index = 1;
  entry.time = kTestTime;
  ChainNewKey key;
  key.public_key.fill(0x11);
  entry.body = key;
  const std::string encoded = encode_chain_entry(entry);
  EXPECT_EQ(encoded, *parse_hex("0104010000000000000000002a36fe9c9717" + std::string(64, '0') + std::string(64, '1')));
  EXPECT_EQ(to_hex(chain_entry_hash(encoded)), "7ac713c65d6727b52f93d3920582c0aa974ee31516ddbd451a0d652f629efd28");
}

TEST(ChainEntry, ComesBackAndNothingElseIsRead) {
  ChainEntry entry;
  entry.index = 7;
  entry.time = kTestTime;
  entry.previous.fill(3);
  const std::vector<decltype(ChainEntry::body)> bodies = {
      ChainBegin{"acme", {1, 2}, {3}}, ChainRecords{EvidenceScope::all, 5, 9, 3, {4}},
      ChainRemoval{RemovalReason::stream_rule, {Timestamp(1), Timestamp(9)}, 77, true, {1, 2, 300}}, ChainNewKey{{9}}};
  for (const auto& body : bodies) {
    entry.body = body;
    const std::string encoded = encode_chain_entry(entry);
    const auto back = decode_chain_entry(encoded);
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(*back, entry);
    EXPECT_FALSE(decode_chain_entry(encoded + "x").has_value());
    for (std::size_t size = 0; size < encoded.size(); ++size) {
      EXPECT_FALSE(decode_chain_entry(encoded.substr(0, size)).has_value()) << size;
    }
  }
  std::string later = encode_chain_entry(entry);
  later[1] = 9;
  EXPECT_EQ(decode_chain_entry(later).error().code(), ErrorCode::unimplemented);
  later[0] = 2;
  EXPECT_EQ(decode_chain_entry(later).error().code(), ErrorCode::unimplemented);
}

TEST_F(EvidenceFixture, HoldsThroughFlushesMergesAndReopening) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 6; ++round) {
    CommitRequest request;
    request.receive_time = Timestamp(kTestTime.number() + round);
    request.batches = {mixed_batch(random, 1 + random() % 50)};
    request.accepted = request.batches.front()->size();
    ASSERT_TRUE(engine.append(std::move(request)).has_value());
    if (round % 2 == 0) seal();
    if (round % 3 == 1) ASSERT_TRUE(engine.store->flush().has_value());
    if (round == 3) reopen();
  }
  seal();
  for (const char* when : {"in memory and segments", "flushed", "merged", "opened again"}) {
    SCOPED_TRACE(when);
    const ChainReport report = verify();
    EXPECT_TRUE(report.is_clean()) << faults_of(report);
    EXPECT_EQ(report.matched, report.covered);
    EXPECT_EQ(report.not_covered, 0U);
    ASSERT_TRUE(engine.store->flush().has_value());
    if (std::string_view(when) == "flushed") ASSERT_TRUE(engine.store->compact(CompactionScope::all_final).has_value());
    if (std::string_view(when) == "merged") reopen();
  }
}

TEST_F(EvidenceFixture, SaysWhatIsNotCoveredYet) {
  append({"a", "b"});
  seal();
  append({"c"});
  EXPECT_EQ(verify().not_covered, 1U);
  EXPECT_EQ(verify().matched, 2U);
  seal();
  EXPECT_EQ(verify().not_covered, 0U);
  EXPECT_EQ(verify().entries, 3U) << "its beginning, and two that cover records";
}

TEST_F(EvidenceFixture, ByDefaultAuditLogsAndTheTrailAreCovered) {
  scope = EvidenceScope::audit;
  open_service();
  append({"plain"});
  seal();
  EXPECT_FALSE(service->head(kTenant).value()) << "a tenant without audit logs has no chain";
  RecordBatchBuilder builder(kTestTime);
  builder.begin_record();
  builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("logged"));
  builder.add_label("dendro.source", Value::of_text("audit"));
  builder.end_record();
  CommitRequest request;
  request.receive_time = kTestTime;
  request.accepted = 1;
  request.batches = {builder.finish()};
  ASSERT_TRUE(engine.append(std::move(request)).has_value());
  seal();
  EXPECT_EQ(verify().covered, 1U);
  EXPECT_TRUE(verify().is_clean()) << faults_of(verify());
  EXPECT_EQ(service->prove(kTenant, record("plain")).error().code(), ErrorCode::not_found);
  EXPECT_TRUE(service->prove(kTenant, record("logged")).has_value());
}

TEST_F(EvidenceFixture, AFlippedByteOfTheChainIsFound) {
  append({"a", "b", "c"});
  seal();
  append({"d"});
  seal();
  const AnchoredHead head = anchored_head();
  service.reset();
  for (const std::string& path : {folder() + "/entries", leaf_file()}) {
    const std::uint64_t size = engine.files->open_reader(path).value()->size().value();
    for (std::uint64_t offset = 0; offset < size; ++offset) {
      engine.files->damage(path, offset, 0x10);
      EXPECT_FALSE(verify({head}).is_clean()) << path << " at " << offset;
      engine.files->damage(path, offset, 0x10);
    }
  }
  EXPECT_TRUE(verify({head}).is_clean());
}

/// The same records in another store, but for one thing.
struct TamperedStore {
  explicit TamperedStore(const std::vector<Bodies>& requests) {
    fixture.open();
    for (const Bodies& bodies : requests) EXPECT_TRUE(fixture.append(bodies).has_value());
  }
  StoreFixture fixture;
};

TEST_F(EvidenceFixture, ARecordThatIsNotWhatItWasIsNamed) {
  append({"a", "b", "c"});
  seal();
  EXPECT_TRUE(verify_with(*TamperedStore({{"a", "b", "c"}}).fixture.store).is_clean());
  const TamperedStore changed({{"a", "B", "c"}});
  const ChainReport report = verify_with(*changed.fixture.store);
  EXPECT_EQ(report.fault_count, 1U);
  EXPECT_NE(faults_of(report).find("number 2) is not what it was"), std::string::npos) << faults_of(report);
  EXPECT_EQ(report.matched, 2U);
}

TEST_F(EvidenceFixture, TwoRecordsThatWereSwappedAreNamed) {
  append({"a", "b", "c"});
  seal();
  const TamperedStore swapped({{"b", "a", "c"}});
  EXPECT_EQ(verify_with(*swapped.fixture.store).fault_count, 2U);
}

TEST_F(EvidenceFixture, ARecordThatIsGoneWithoutADeclarationIsNamed) {
  append({"a", "b", "c"});
  seal();
  is_witnessed = false;
  ASSERT_TRUE(engine.store->delete_records(kTenant, {}, body_is("b")).has_value());
  const ChainReport report = verify();
  EXPECT_EQ(report.fault_count, 1U);
  EXPECT_NE(faults_of(report).find("number 2) is missing"), std::string::npos) << faults_of(report);
}

TEST_F(EvidenceFixture, ARecordThatWasPutInAfterwardsIsNamed) {
  append({"a", "b", "c"});
  is_witnessed = false;
  ASSERT_TRUE(engine.store->delete_records(kTenant, {}, body_is("b")).has_value());
  seal();
  EXPECT_TRUE(verify().is_clean());
  const ChainReport report = verify_with(*TamperedStore({{"a", "b", "c"}}).fixture.store);
  EXPECT_EQ(report.fault_count, 1U);
  EXPECT_NE(faults_of(report).find("was put in afterwards"), std::string::npos) << faults_of(report);
}

TEST_F(EvidenceFixture, ADeletionIsDeclaredAndNothingMoreMayGo) {
  append({"a", "b", "a", "c"});
  ASSERT_TRUE(engine.store->delete_records(kTenant, {}, body_is("a")).has_value());
  for (const char* when : {"hidden", "taken out of the files"}) {
    SCOPED_TRACE(when);
    const ChainReport report = verify();
    EXPECT_TRUE(report.is_clean()) << faults_of(report);
    EXPECT_EQ(report.covered, 4U) << "covered before they went";
    EXPECT_EQ(report.removed, 2U);
    EXPECT_EQ(report.matched, 2U);
    ASSERT_TRUE(engine.store->flush().has_value());
    ASSERT_TRUE(engine.store->compact(CompactionScope::all_final).has_value());
  }
  is_witnessed = false;
  ASSERT_TRUE(engine.store->delete_records(kTenant, {}, body_is("c")).has_value());
  EXPECT_EQ(verify().fault_count, 1U);
}

TEST_F(EvidenceFixture, WhatComesWhileARemovalIsUnderWayIsCoveredBehindIt) {
  append({"a"});
  auto guard = service->before_removal({kTenant, {}, nullptr, RemovalCause::day_retention});
  ASSERT_TRUE(guard.has_value());
  append({"b"});
  seal();
  EXPECT_EQ(verify().not_covered, 1U) << "the removal may take it";
  guard->reset();
  seal();
  EXPECT_EQ(verify().not_covered, 0U);
  EXPECT_TRUE(verify().is_clean()) << faults_of(verify());
}

TEST_F(EvidenceFixture, ADeletionThatCannotBeDeclaredDoesNotHappen) {
  append({"a", "b"});
  seal();
  FileFaults faults;
  faults.fail_call = 1;
  faults.path_part = "entries";
  faults.code = ErrorCode::storage_full;
  engine.files->set_faults(faults);
  const auto deleted = engine.store->delete_records(kTenant, {}, body_is("a"));
  ASSERT_FALSE(deleted.has_value());
  EXPECT_EQ(deleted.error().code(), ErrorCode::storage_full);
  engine.files->set_faults({});
  EXPECT_EQ(engine.bodies(), (Bodies{"a", "b"}));
  EXPECT_TRUE(engine.store->delete_records(kTenant, {}, body_is("a")).has_value());
  EXPECT_TRUE(verify().is_clean()) << faults_of(verify());
  EXPECT_EQ(verify().removed, 1U);
}

TEST_F(EvidenceFixture, ADeclaredRemovalThatDidNotHappenIsARemark) {
  append({"a", "b"});
  ASSERT_TRUE(service->before_removal({kTenant, {}, nullptr, RemovalCause::request}).has_value());
  const ChainReport report = verify();
  EXPECT_TRUE(report.is_clean()) << faults_of(report);
  EXPECT_EQ(report.declared_present, 2U);
}

TEST_F(EvidenceFixture, ADroppedDayIsDeclared) {
  service.reset();
  engine.options.retention.standard.max_age = std::chrono::hours(24);
  engine.options.retention.clock_jump_max = std::chrono::hours(0);
  engine.open();
  open_service();
  CommitRequest request;
  request.receive_time = kTestTime;
  request.accepted = 2;
  request.batches = {make_batch({{"old", Timestamp(kTestTime.number() - 5 * kNanosPerDay)}, {"new", kTestTime}})};
  ASSERT_TRUE(engine.append(std::move(request)).has_value());
  seal();
  ASSERT_TRUE(engine.store->flush().has_value());
  ASSERT_TRUE(engine.store->compact().has_value());
  ASSERT_EQ(engine.bodies(), (Bodies{"new"}));
  const ChainReport report = verify();
  EXPECT_TRUE(report.is_clean()) << faults_of(report);
  EXPECT_EQ(report.removed, 1U);
}

TEST_F(EvidenceFixture, ATenantsDeletionIsDeclaredAndItsChainGoesOn) {
  append({"a", "b"});
  seal();
  ASSERT_TRUE(engine.store->drop_tenant(kTenant).has_value());
  append({"c"});
  seal();
  const ChainReport report = verify();
  EXPECT_TRUE(report.is_clean()) << faults_of(report);
  EXPECT_EQ(report.removed, 2U);
  EXPECT_EQ(report.matched, 1U);
  EXPECT_EQ(engine.files->list(folder()).value().size(), 2U) << "the leaves of what is gone are gone, too";
  reopen();
  append({"d"});
  seal();
  EXPECT_TRUE(verify().is_clean()) << faults_of(verify());
}

TEST_F(EvidenceFixture, EntriesThatWereCutOffAreFoundByTheirLeaves) {
  for (const char* body : {"a", "b", "c"}) {
    append({body});
    seal();
  }
  const std::string path = folder() + "/entries";
  auto reader = ChainReader::open(*engine.files, folder()).value();
  std::vector<std::uint64_t> offsets;
  while (const auto entry = reader.next().value()) offsets.push_back(entry->offset);
  ASSERT_TRUE(engine.files->open_writable(path, OpenMode::open_existing).value()->truncate(offsets[2]).has_value());
  EXPECT_NE(faults_of(verify()).find("the chain was cut back"), std::string::npos) << faults_of(verify());
}

TEST_F(EvidenceFixture, AWriterNeverCutsWhatItCannotRead) {
  append({"a"});
  seal();
  append({"b"});
  seal();
  const std::string path = leaf_file();
  const std::uint64_t size = engine.files->open_reader(path).value()->size().value();
  service.reset();
  engine.files->damage(path, size - 20);
  open_service();
  append({"c"});
  const Status sealed = service->seal(kTenant);
  ASSERT_FALSE(sealed.has_value());
  EXPECT_EQ(sealed.error().code(), ErrorCode::corruption);
  EXPECT_EQ(engine.files->open_reader(path).value()->size().value(), size);
  EXPECT_FALSE(engine.store->delete_records(kTenant, {}, body_is("a")).has_value()) << "it could not be declared";
}

TEST_F(EvidenceFixture, AChainThatWasCutBackOrMadeAnewIsFoundByItsAnchors) {
  append({"a"});
  seal();
  const AnchoredHead early = anchored_head();
  const auto old_disk = engine.files->after_power_cut(engine.files->log_size(), 1);
  append({"b"});
  seal();
  const AnchoredHead late = anchored_head();
  EXPECT_EQ(verify({early, late}).anchored, 2U);
  EXPECT_TRUE(verify({early, late}).is_clean());

  // An old copy of the chain in its place: whole in itself, but shorter than what was anchored.
  const auto snapshot = engine.store->snapshot(kTenant).value();
  const ChainVerification replayed{*old_disk, folder(), kTenant, snapshot, std::nullopt, {early, late}};
  const auto report = verify_chain(replayed, {});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->fault_count, 1U) << faults_of(*report);
  EXPECT_NE(faults_of(*report).find("the chain was cut back"), std::string::npos);

  // The chain made again over other records, by who has the key.
  service.reset();
  const std::vector<std::string> names = engine.files->list(folder()).value();
  for (const std::string& name : names) {
    ASSERT_TRUE(engine.files->remove(folder() + "/" + name).has_value());
  }
  open_service();
  seal();
  append({"d"});
  seal();
  EXPECT_TRUE(verify().is_clean()) << "in itself it is good";
  EXPECT_NE(faults_of(verify({early})).find("the chain was made anew"), std::string::npos)
      << faults_of(verify({early}));
}

TEST_F(EvidenceFixture, WhoeverHasNoKeyCannotGoOnWithTheChain) {
  append({"a"});
  seal();
  key = seed_key('b');
  open_service();
  append({"b"});
  const Status sealed = service->seal(kTenant);
  ASSERT_FALSE(sealed.has_value());
  EXPECT_EQ(sealed.error().code(), ErrorCode::permission_denied);
  EXPECT_TRUE(verify().is_clean());

  EvidenceService::Parts with_old = parts();
  with_old.previous_key = seed_key('a');
  service = EvidenceService::open(std::move(with_old)).value();
  seal();
  EXPECT_TRUE(verify().is_clean()) << faults_of(verify());
  EXPECT_EQ(verify().matched, 2U);
  EXPECT_EQ(verify().public_key, evidence_public_key(seed_key('b')).value());
}

TEST_F(EvidenceFixture, AnotherKeyThanTheTrustedOneIsNamed) {
  append({"a"});
  seal();
  const auto snapshot = engine.store->snapshot(kTenant).value();
  const ChainVerification what{
      *engine.files, folder(), kTenant, snapshot, evidence_public_key(seed_key('x')).value(), {}};
  EXPECT_NE(faults_of(*verify_chain(what, {})).find("not with the one that is trusted"), std::string::npos);
}

TEST_F(EvidenceFixture, PowerCutsAtAnyWriteLeaveAChainThatGoesOn) {
  for (int i = 0; i < 3; ++i) {
    append({"x" + std::to_string(i), "y"});
    seal();
    if (i == 1) ASSERT_TRUE(engine.store->delete_records(kTenant, {}, body_is("y")).has_value());
  }
  const std::size_t end = engine.files->log_size();
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (std::size_t changes = 0; changes <= end; ++changes) {
    SCOPED_TRACE("cut at " + std::to_string(changes));
    StoreFixture after;
    after.files = engine.files->after_power_cut(changes, random());
    if (!after.try_open()) continue;  // the store's own tests say which these are
    EvidenceService::Parts made{*after.store, *after.files, kChainFolder, after.clock, after.random, key};
    made.scope = EvidenceScope::all;
    const auto again = EvidenceService::open(std::move(made)).value();
    const Status sealed = again->seal(kTenant);
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message();
    const ChainVerification what{*after.files, folder(), kTenant, after.store->snapshot(kTenant).value(), {}, {}};
    const auto report = verify_chain(what, {});
    if (!report) {
      EXPECT_EQ(report.error().code(), ErrorCode::not_found) << report.error().message();
      EXPECT_TRUE(after.bodies().empty());
      continue;
    }
    EXPECT_TRUE(report->is_clean()) << faults_of(*report);
    EXPECT_EQ(report->not_covered, 0U);
  }
}

TEST_F(EvidenceFixture, TheThreadCoversWhatComesAndAnchorsTheHead) {
  const auto anchor = std::make_shared<WaitingAnchor>();
  EvidenceService::Parts made = parts();
  made.interval = std::chrono::milliseconds(1);
  made.anchors = {anchor};
  service = EvidenceService::open(std::move(made)).value();
  service->start();
  append({"a"});
  ASSERT_TRUE(anchor->wait_for(1));
  append({"b"});
  ASSERT_TRUE(anchor->wait_for(2));
  service->stop();
  std::string lines;
  for (const ChainHead& head : anchor->heads()) lines += chain_head_json(head) + "\n";
  const auto anchored = read_anchored_heads(lines, kTenant);
  ASSERT_TRUE(anchored.has_value());
  EXPECT_GE(anchored->size(), 2U);
  EXPECT_TRUE(verify(*anchored).is_clean()) << faults_of(verify(*anchored));
  EXPECT_EQ(verify().matched, 2U);
  EXPECT_FALSE(service->before_removal({kTenant, {}, nullptr, RemovalCause::request}).has_value());
}

TEST_F(EvidenceFixture, WhatWasStoredBeforeTheStartIsCoveredForTenantsThatNobodyListed) {
  const TenantId odd = make_tenant("Odd Tenant/7");
  ASSERT_TRUE(engine.append(make_request({{"a"}}, odd)).has_value());
  ASSERT_TRUE(engine.store->flush().has_value());
  const auto anchor = std::make_shared<WaitingAnchor>();
  EvidenceService::Parts made = parts();
  made.anchors = {anchor};
  made.tenant_folders = "/data/t";
  service = EvidenceService::open(std::move(made)).value();
  service->start();
  ASSERT_TRUE(anchor->wait_for(1));
  EXPECT_EQ(anchor->heads().front().tenant, "Odd Tenant/7");
}

TEST_F(EvidenceFixture, AProofStandsAloneAndNothingInItCanBeChanged) {
  const std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {mixed_batch(random, 5)};
  request.accepted = 5;
  ASSERT_TRUE(engine.append(std::move(request)).has_value());
  append({"a", "b"});
  EXPECT_EQ(service->prove(kTenant, record("a")).error().code(), ErrorCode::unavailable) << "there is no chain yet";
  seal();
  append({"late"});
  EXPECT_EQ(service->prove(kTenant, record("late")).error().code(), ErrorCode::unavailable);
  const Hash32 trusted = evidence_public_key(key).value();
  const auto source = engine.store->snapshot(kTenant).value()->scan({});
  for (;;) {
    const auto block = source->next().value();
    if (!block) break;
    for (const std::uint32_t row : block->rows) {
      RecordBlock alone = *block;
      alone.rows = {row};
      if (body_of(alone.record(row)) == "late") continue;
      const auto proof = service->prove(kTenant, alone);
      ASSERT_TRUE(proof.has_value()) << proof.error().message();
      const auto parsed = parse_record_proof(record_proof_json(*proof));
      ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
      const auto proven = check_record_proof(*parsed, trusted);
      ASSERT_TRUE(proven.has_value()) << proven.error().message();
      EXPECT_EQ(proven->record_id, to_record_id(alone.position(row)));
    }
  }
  const RecordProof good = *service->prove(kTenant, record("b"));
  const auto is_good = [&trusted](const RecordProof& proof) { return check_record_proof(proof, trusted).has_value(); };
  const auto changed = [&good](const std::function<void(RecordProof&)>& change) {
    RecordProof proof = good;
    change(proof);
    return proof;
  };
  ASSERT_TRUE(is_good(good));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.record.fields[0].value[0] ^= 1; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.record.fields[0].name.back() ^= 1; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.record.fields[0].salt[3] ^= 1; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.record.fields.pop_back(); })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { std::swap(proof.record.fields[0], proof.record.fields[1]); })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.record.head[1] ^= 1; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { ++proof.leaf_index; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.path[0][0] ^= 1; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.entry.back() ^= 1; })));
  EXPECT_FALSE(is_good(changed([](RecordProof& proof) { proof.signature[0] ^= 1; })));
  EXPECT_FALSE(check_record_proof(good, evidence_public_key(seed_key('x')).value()).has_value());
  EXPECT_FALSE(parse_record_proof("{}").has_value());
  EXPECT_FALSE(parse_record_proof("no").has_value());
}

TEST_F(EvidenceFixture, AFieldCanBeWithheldFromAProof) {
  append({"a secret body"});
  seal();
  RecordProof proof = *service->prove(kTenant, record("a secret body"));
  withhold_fields(proof, [](std::string_view path) { return path == "body"; });
  const std::string json = record_proof_json(proof);
  EXPECT_EQ(json.find("secret"), std::string::npos) << json;
  const auto proven = check_record_proof(*parse_record_proof(json), evidence_public_key(key).value());
  ASSERT_TRUE(proven.has_value()) << proven.error().message();
  bool was_withheld = false;
  for (const auto& [path, text] : proven->fields) {
    if (path == "body") was_withheld = !text;
    if (path == "service.name") EXPECT_EQ(text, "api");
  }
  EXPECT_TRUE(was_withheld);
}

TEST(EvidenceKey, IsMadeOnceForItsOwnersEyes) {
  MemoryFileSystem files;
  SystemRandom random;
  EXPECT_FALSE(load_evidence_key(files, "/data/chain/key.pem", random, false).has_value());
  const auto made = load_evidence_key(files, "/data/chain/key.pem", random, true);
  ASSERT_TRUE(made.has_value()) << made.error().message();
  const auto again = load_evidence_key(files, "/data/chain/key.pem", random, true);
  EXPECT_EQ(evidence_public_key(*made).value(), evidence_public_key(*again).value());
  EXPECT_FALSE(files.exists("/data/chain/key.pem.tmp"));
}

TEST(AnchoredHeads, AreReadALineEachAndOthersTenantsLeftOut) {
  const std::string hash(64, 'a');
  const std::string text = "{\"tenant\":\"default\",\"index\":3,\"hash\":\"" + hash +
                           "\"}\n\n{\"tenant\":\"x\",\"index\":1,\"hash\":\"" + hash + "\"}\n";
  const auto heads = read_anchored_heads(text, kTenant);
  ASSERT_TRUE(heads.has_value());
  ASSERT_EQ(heads->size(), 1U);
  EXPECT_EQ(heads->front().index, 3U);
  const auto bad = read_anchored_heads(text + "nonsense\n", kTenant);
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(bad.error().message().find("line 4"), std::string::npos);
}

}  // namespace
}  // namespace dendro
