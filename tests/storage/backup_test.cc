#include "storage/backup.h"

#include "base/checksum.h"
#include "storage/backup_folder.h"
#include "storage/spool/spool.h"
#include "storage/store_files.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    fixture_.open();
    EXPECT_TRUE(fixture_.append({"a 1", "b 2"}).has_value());
    EXPECT_TRUE(fixture_.store->flush().has_value());
    CommitRequest other = make_request({{"of another"}}, make_tenant("other"));
    other.key = make_key("k");
    EXPECT_TRUE(fixture_.append(std::move(other)).has_value());
    EXPECT_TRUE(fixture_.append({"in the journal"}).has_value());
    expected_ = fixture_.bodies();
    fixture_.close();
  }
  Result<BackupReport> backup(const std::string& to) {
    return backup_store("/data", to, *fixture_.files, fixture_.clock);
  }
  Result<BackupReport> restore(const std::string& to) { return restore_store("/backup", to, *fixture_.files); }

  StoreFixture fixture_;
  Bodies expected_;
};

TEST_F(BackupTest, ARestoredStoreAnswersEqual) {
  const auto made = backup("/backup");
  ASSERT_TRUE(made.has_value()) << made.error().message();
  EXPECT_EQ(made->segments, 1u);
  EXPECT_EQ(made->records, 2u);
  EXPECT_TRUE(verify_backup("/backup", *fixture_.files)->empty());
  const auto restored = restore("/restored");
  ASSERT_TRUE(restored.has_value()) << restored.error().message();
  EXPECT_EQ(restored->files, made->files);
  EXPECT_EQ(restored->bytes, made->bytes);
  EXPECT_EQ(restored->records, made->records);
  fixture_.options.directory = "/restored";
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), expected_);
  EXPECT_EQ(bodies_by_sequence(*fixture_.store, make_tenant("other")), Bodies{"of another"});
  EXPECT_TRUE(fixture_.append({"goes on"}).has_value());
}

TEST_F(BackupTest, QueuesGoWithIt) {
  const auto open_queue = [this](const std::string& store) {
    return Spool::open({store + "/queue/q"}, *fixture_.files, fixture_.clock, fixture_.random).value();
  };
  const QueueMessage messages[] = {{"done", {}}, {"left", {}}};
  {
    const auto queue = open_queue("/data");
    ASSERT_TRUE(queue->send(messages).has_value());
    const auto received = queue->receive(1, std::chrono::seconds(30));
    ASSERT_TRUE(queue->acknowledge({&received->front().receipt, 1}).has_value());
  }
  ASSERT_TRUE(backup("/backup").has_value());
  EXPECT_TRUE(verify_backup("/backup", *fixture_.files)->empty());
  ASSERT_TRUE(restore("/restored").has_value());
  const auto received = open_queue("/restored")->receive(10, std::chrono::seconds(30));
  ASSERT_EQ(received->size(), 1u);
  EXPECT_EQ(received->front().message.body, "left");
  fixture_.files->damage("/backup/queue/q/000001.q", 70);
  const auto faults = verify_backup("/backup", *fixture_.files);
  ASSERT_EQ(faults->size(), 1u);
  EXPECT_EQ(faults->front().file, "/backup/queue/q/000001.q");
}

TEST_F(BackupTest, WhatTheCallerAddsIsListedAndWithoutItThereIsNoBackup) {
  const auto backup_with = [this](const std::string& to, const AddToBackup& add) {
    return backup_store("/data", to, *fixture_.files, fixture_.clock, {}, add);
  };
  const auto failed = backup_with("/none", [](BackupFolder&) { return Status(Error(ErrorCode::io_error, "away")); });
  EXPECT_EQ(failed.error().message(), "away");
  EXPECT_EQ(verify_backup("/none", *fixture_.files).error().code(), ErrorCode::not_found);
  const auto made = backup_with("/backup", [this](BackupFolder& folder) -> Status {
    DENDRO_TRY(write_new_file(*fixture_.files, folder.path_of("more"), "text"));
    return folder.take_written("more");
  });
  ASSERT_TRUE(made.has_value()) << made.error().message();
  ASSERT_TRUE(restore("/restored").has_value());
  EXPECT_EQ(read_whole_file(*fixture_.files, "/restored/more", 10).value(), "text");
  fixture_.files->damage("/backup/more", 0);
  EXPECT_EQ(verify_backup("/backup", *fixture_.files)->size(), 1u);
}

TEST_F(BackupTest, AnotherBackupOfARestoredStoreHoldsTheSame) {
  ASSERT_TRUE(backup("/backup").has_value());
  ASSERT_TRUE(restore("/restored").has_value());
  const auto again = backup_store("/restored", "/backup2", *fixture_.files, fixture_.clock);
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(again->records, 2u);
}

TEST_F(BackupTest, TargetsThatHoldSomethingAreRefused) {
  ASSERT_TRUE(backup("/backup").has_value());
  EXPECT_EQ(backup("/backup").error().code(), ErrorCode::already_exists);
  EXPECT_EQ(restore("/data").error().code(), ErrorCode::already_exists);
  EXPECT_EQ(backup("/data").error().code(), ErrorCode::already_exists);
}

TEST_F(BackupTest, WhatIsNoStoreOrNoBackupIsToldSo) {
  EXPECT_EQ(backup_store("/none", "/backup", *fixture_.files, fixture_.clock).error().code(), ErrorCode::not_found);
  EXPECT_EQ(restore("/restored").error().code(), ErrorCode::not_found);
  fixture_.open();
  EXPECT_EQ(backup("/backup").error().code(), ErrorCode::unavailable);
}

TEST_F(BackupTest, EveryDamagedFileIsNamedAndNothingIsRestored) {
  ASSERT_TRUE(backup("/backup").has_value());
  const std::string list = read_whole_file(*fixture_.files, "/backup/BACKUP", 1 << 20).value();
  std::size_t files = 0;
  for (std::size_t at = list.find('\n') + 1; list.compare(at, 4, "end ") != 0; at = list.find('\n', at) + 1) {
    const std::string line = list.substr(at, list.find('\n', at) - at);
    const std::string path = "/backup/" + line.substr(line.rfind(' ') + 1);
    fixture_.files->damage(path, 0);
    const auto faults = verify_backup("/backup", *fixture_.files);
    ASSERT_TRUE(faults.has_value());
    ASSERT_EQ(faults->size(), 1u) << path;
    EXPECT_EQ(faults->front().file, path);
    const auto restored = restore("/restored");
    ASSERT_FALSE(restored.has_value());
    EXPECT_EQ(restored.error().code(), ErrorCode::corruption);
    EXPECT_NE(restored.error().message().find(path), std::string::npos);
    EXPECT_FALSE(fixture_.files->exists("/restored"));
    fixture_.files->damage(path, 0);
    ++files;
  }
  EXPECT_GE(files, 4u);
  for (std::size_t offset = 0; offset < list.size(); ++offset) {
    fixture_.files->damage("/backup/BACKUP", offset);
    EXPECT_FALSE(verify_backup("/backup", *fixture_.files).has_value()) << offset;
    fixture_.files->damage("/backup/BACKUP", offset);
  }
}

TEST_F(BackupTest, AFailedBackupIsNone) {
  std::size_t without_list = 0;
  for (std::uint64_t call = 1;; ++call) {
    const std::string to = "/backup" + std::to_string(call);
    FileFaults faults;
    faults.fail_call = call;
    faults.fail_on = true;
    fixture_.files->set_faults(faults);
    const auto made = backup(to);
    fixture_.files->set_faults({});
    if (made) break;
    const auto faults_found = verify_backup(to, *fixture_.files);
    // Only the very last sync may fail with BACKUP in place: then it is whole.
    if (faults_found) {
      EXPECT_TRUE(faults_found->empty()) << call;
    }
    without_list += faults_found ? 0 : 1;
    ASSERT_LT(call, 200u);
  }
  EXPECT_GT(without_list, 10u);
}

TEST_F(BackupTest, AFailedRestoreLeavesNoStore) {
  ASSERT_TRUE(backup("/backup").has_value());
  for (std::uint64_t call = 1;; ++call) {
    const std::string to = "/restored" + std::to_string(call);
    FileFaults faults;
    faults.fail_call = call;
    faults.fail_on = true;
    fixture_.files->set_faults(faults);
    const auto restored = restore_store("/backup", to, *fixture_.files);
    fixture_.files->set_faults({});
    if (restored) break;
    ASSERT_LT(call, 200u);
    if (!fixture_.files->exists(to + "/CURRENT")) continue;
    // Only the last steps, the syncs of CURRENT and its folder, may fail with it in place: then it is whole.
    EXPECT_GT(call, 10u);
  }
}

TEST_F(BackupTest, PathsThatLeadOutsideAreRefused) {
  ASSERT_TRUE(backup("/backup").has_value());
  for (const std::string& path : {"../x", "/etc/x", "a/../../x", "./a"}) {
    std::string text = "dendro backup 1 2023-11-14T22:13:20.000Z\n0000000000000000 0 " + path + "\n";
    std::string hash(16, '0');
    std::uint64_t number = xxh3(text, HashSeed(0));
    for (std::size_t i = 16; i-- > 0; number >>= 4) hash[i] = "0123456789abcdef"[number & 15];
    ASSERT_TRUE(replace_file(*fixture_.files, "/backup", "/backup/BACKUP", text + "end " + hash + "\n").has_value());
    EXPECT_EQ(restore("/restored").error().code(), ErrorCode::corruption) << path;
  }
}

}  // namespace
}  // namespace dendro
