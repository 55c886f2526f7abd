#include <thread>

#include "filter/predicate.h"
#include "storage/backup.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

/// A store in use, and what its backups hold.
class LiveBackup : public testing::Test {
 protected:
  LiveBackup() { fixture_.open(); }

  /// Bodies by sequence of a store made of the backup.
  Bodies restored(const std::string& backup) {
    const auto faults = verify_backup(backup, *fixture_.files);
    EXPECT_TRUE(faults.has_value()) << faults.error().message();
    if (faults) EXPECT_TRUE(faults->empty()) << faults->front().text();
    const std::string directory = "/restored" + std::to_string(++restores_);
    const auto report = restore_store(backup, directory, *fixture_.files);
    EXPECT_TRUE(report.has_value()) << report.error().message();
    StoreOptions options = fixture_.options;
    options.directory = directory;
    const auto store = Store::open(options, *fixture_.files, fixture_.clock, fixture_.random);
    EXPECT_TRUE(store.has_value()) << store.error().message();
    return store ? bodies_by_sequence(**store) : Bodies();
  }
  void backup_to(const std::string& to) {
    const auto report = fixture_.store->backup(to, {});
    ASSERT_TRUE(report.has_value()) << report.error().message();
  }

  std::size_t wal_files() {
    const Bodies names = fixture_.list("/wal");
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".wal"); }));
  }
  /// Fills several WAL files.
  void append_much() {
    std::mt19937_64 random(11);
    for (int i = 0; i < 40; ++i) {
      std::string body;
      while (body.size() < 1'000) body.push_back(static_cast<char>('!' + random() % 90));
      ASSERT_TRUE(fixture_.append({body}).has_value());
    }
  }

  StoreFixture fixture_;
  int restores_ = 0;
};

TEST_F(LiveBackup, HoldsWhatWasAcknowledgedInFilesJournalAndDeletions) {
  const TenantId other = make_tenant("other");
  ASSERT_TRUE(fixture_.append({"flushed", "deleted"}).has_value());
  ASSERT_TRUE(fixture_.append(make_request({{"another's"}}, other)).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.append({"journal"}).has_value());
  TextPattern pattern;
  pattern.text = "deleted";
  ASSERT_TRUE(fixture_.store->delete_records(TenantId::default_tenant(), {}, Predicate{FieldTest{"body", pattern}})
                  .has_value());
  const auto report = fixture_.store->backup("/backup", {});
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->segments, 2u);
  EXPECT_EQ(report->records, 3u);
  ASSERT_TRUE(fixture_.append({"later"}).has_value());
  EXPECT_EQ(restored("/backup"), (Bodies{"flushed", "journal"}));
  EXPECT_EQ(fixture_.bodies(), (Bodies{"flushed", "journal", "later"}));
}

TEST_F(LiveBackup, OfAStoreWithNothingInIt) {
  backup_to("/backup");
  EXPECT_EQ(restored("/backup"), Bodies());
}

TEST_F(LiveBackup, KeepsItsFilesWhileOthersGo) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(fixture_.append({"record " + std::to_string(i)}).has_value());
    ASSERT_TRUE(fixture_.store->flush().has_value());
  }
  ASSERT_TRUE(fixture_.append({"journal"}).has_value());
  const Bodies expected = fixture_.bodies();
  // At its first file the flush lets go of the journal; at its first segment everything is merged into another.
  bool has_flushed = false;
  bool has_merged = false;
  WorkWatch watch;
  watch.on_progress = [&](std::uint64_t done, std::uint64_t total) {
    if (done == 0 && !std::exchange(has_flushed, true)) {
      EXPECT_TRUE(fixture_.append({"while it ran"}).has_value());
      EXPECT_TRUE(fixture_.store->flush().has_value());
      EXPECT_TRUE(fixture_.append({"while it ran, too"}).has_value());
    }
    if (done + 6 == total && !std::exchange(has_merged, true)) {
      EXPECT_TRUE(fixture_.store->compact(CompactionScope::all_final).has_value());
    }
  };
  const auto report = fixture_.store->backup("/backup", watch);
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_TRUE(has_flushed);
  EXPECT_TRUE(has_merged);
  EXPECT_EQ(restored("/backup"), expected);
  EXPECT_EQ(fixture_.store->stats().segment_count, 1u);
  EXPECT_EQ(fixture_.list("/t/default/20231114").size(), 1u);  // what was pinned is gone now
  EXPECT_EQ(fixture_.bodies().size(), expected.size() + 2);
  EXPECT_EQ(wal_files(), 1u);  // the one that is open: what was held is let go of
}

TEST_F(LiveBackup, LosesNothingAcknowledgedBeforeItBegan) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::atomic<bool> is_done{false};
  std::atomic<int> acknowledged{0};
  std::thread writer([&] {
    for (int i = 0; !is_done; ++i) {
      ASSERT_TRUE(fixture_.append({"record " + std::to_string(i)}).has_value());
      acknowledged = i + 1;
      if (random() % 4 == 0) ASSERT_TRUE(fixture_.store->flush().has_value());
      if (random() % 16 == 0) ASSERT_TRUE(fixture_.store->compact(CompactionScope::all_final).has_value());
    }
  });
  for (int round = 0; round < 12; ++round) {
    const int before = acknowledged;
    const std::string to = "/backup" + std::to_string(round);
    backup_to(to);
    const Bodies found = restored(to);
    EXPECT_GE(found.size(), static_cast<std::size_t>(before));
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], "record " + std::to_string(i));
  }
  is_done = true;
  writer.join();
}

TEST_F(LiveBackup, EndsWhenCancelledAndIsNoBackupThen) {
  ASSERT_TRUE(fixture_.append({"a"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  WorkWatch watch;
  watch.on_progress = [&watch](std::uint64_t, std::uint64_t) { watch.cancel.cancel(); };
  EXPECT_EQ(fixture_.store->backup("/backup", watch).error().code(), ErrorCode::cancelled);
  EXPECT_EQ(verify_backup("/backup", *fixture_.files).error().code(), ErrorCode::not_found);
  EXPECT_EQ(fixture_.store->backup("/backup", {}).error().code(), ErrorCode::already_exists);
  backup_to("/another");
  ASSERT_TRUE(fixture_.append({"b"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
}

TEST_F(LiveBackup, AFullTargetIsToldAndTheStoreGoesOn) {
  ASSERT_TRUE(fixture_.append({"a"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  FileFaults full;
  full.fail_call = 1;
  full.fail_on = true;
  full.path_part = "/backup/";
  full.code = ErrorCode::storage_full;
  fixture_.files->set_faults(full);
  EXPECT_EQ(fixture_.store->backup("/backup", {}).error().code(), ErrorCode::storage_full);
  EXPECT_TRUE(fixture_.append({"b"}).has_value());
  EXPECT_TRUE(fixture_.store->flush().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"a", "b"}));
}

class LiveVerify : public LiveBackup {
 protected:
  std::vector<std::string> faults() {
    const auto report = fixture_.store->verify({});
    EXPECT_TRUE(report.has_value()) << report.error().message();
    std::vector<std::string> texts;
    if (!report) return texts;
    for (const StorageFault& fault : report->faults) texts.push_back(fault.text());
    return texts;
  }
};

TEST_F(LiveVerify, AWholeStoreIsCleanWhileItWorks) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(fixture_.append({"record " + std::to_string(i)}).has_value());
    if (i % 10 == 3) ASSERT_TRUE(fixture_.store->flush().has_value());
  }
  append_much();
  ASSERT_GT(wal_files(), 2u);
  const auto report = fixture_.store->verify({});
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->is_clean()) << report->faults.front().text();
  EXPECT_EQ(report->segments, 4u);
  EXPECT_EQ(report->records, 34u);
  EXPECT_GT(report->wal_records, 6u);
  ASSERT_TRUE(fixture_.append({"more"}).has_value());
}

TEST_F(LiveVerify, NamesADamagedSegmentAndTheRestIsStillLookedAt) {
  for (const char* body : {"a", "b"}) {
    ASSERT_TRUE(fixture_.append({body}).has_value());
    ASSERT_TRUE(fixture_.store->flush().has_value());
  }
  fixture_.files->damage("/data/t/default/20231114/0000000000000001.seg", 70);
  const std::vector<std::string> told = faults();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("0000000000000001.seg: block at offset 64: "), std::string::npos) << told[0];
  EXPECT_EQ(fixture_.store->verify({})->segments, 2u);
}

TEST_F(LiveVerify, FindsDamageOfTheManifestAndOfClosedWalFiles) {
  append_much();
  const std::uint64_t closed = fixture_.store->condition().wal_files;
  ASSERT_GT(closed, 0u);
  fixture_.files->damage("/data/wal/000001.wal", 200);
  std::vector<std::string> told = faults();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("000001.wal"), std::string::npos) << told[0];
  fixture_.files->damage("/data/MANIFEST-000001", 70);
  told = faults();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_NE(told[0].find("MANIFEST-000001"), std::string::npos) << told[0];
}

TEST_F(LiveVerify, EndsWhenCancelled) {
  ASSERT_TRUE(fixture_.append({"a"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  WorkWatch watch;
  watch.cancel.cancel();
  EXPECT_EQ(fixture_.store->verify(watch).error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace dendro
