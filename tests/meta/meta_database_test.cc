#include "meta/meta_database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

constexpr MetaMigration kTwoSteps[] = {
    {"things", "CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER) STRICT;"},
    {"colours", "ALTER TABLE things ADD COLUMN colour TEXT; UPDATE things SET colour = 'grey';"},
};

std::unique_ptr<MetaDatabase> open_meta(const std::string& path, std::span<const MetaMigration> steps = kTwoSteps) {
  auto database = MetaDatabase::open(path, steps);
  EXPECT_TRUE(database.has_value()) << database.error().message();
  return std::move(database).value();
}

Status add_thing(MetaDatabase& database, const std::string& name, std::int64_t size) {
  return database.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("INSERT INTO things (name, size) VALUES (?, ?)", {name, size}));
    return {};
  });
}

std::int64_t count_things(MetaDatabase& database) {
  const auto counted = database.transact([](MetaTransaction& meta) -> Result<std::int64_t> {
    DENDRO_TRY_ASSIGN(const auto row, meta.row("SELECT COUNT(*) FROM things"));
    return row->integer(0);
  });
  EXPECT_TRUE(counted.has_value());
  return *counted;
}

TEST(MetaDatabase, KeepsWhatWasCommittedInAFileOfItsOwner) {
  const TemporaryFolder folder;
  const std::string path = folder.path("meta.db");
  ASSERT_TRUE(add_thing(*open_meta(path), "a'; DROP TABLE things; --", 7).has_value());
  const auto again = open_meta(path);
  const auto row = again->transact([](MetaTransaction& meta) {
    return meta.row("SELECT name, size, colour, NULL FROM things WHERE size > ?", {std::int64_t{6}});
  });
  ASSERT_TRUE(row.has_value() && row->has_value());
  EXPECT_EQ((*row)->text(0), "a'; DROP TABLE things; --");
  EXPECT_EQ((*row)->integer(1), 7);
  EXPECT_TRUE((*row)->is_null(2));
  EXPECT_TRUE((*row)->is_null(3));
  EXPECT_EQ((*row)->text(1), "");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST(MetaDatabase, AFailureRollsBackAndSaysWhatItWas) {
  const TemporaryFolder folder;
  const auto database = open_meta(folder.path("meta.db"));
  ASSERT_TRUE(add_thing(*database, "one", 1).has_value());
  const Status failed = database->transact([](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("INSERT INTO things (name, size) VALUES (?, ?)", {"two", std::int64_t{2}}));
    DENDRO_TRY(meta.change("INSERT INTO things (name, size) VALUES (?, ?)", {"one", std::int64_t{1}}));
    return {};
  });
  EXPECT_EQ(failed.error().code(), ErrorCode::already_exists);
  EXPECT_EQ(count_things(*database), 1);
  const auto bad = database->transact([](MetaTransaction& meta) { return meta.rows("SELECT nothing FROM nowhere"); });
  EXPECT_EQ(bad.error().code(), ErrorCode::internal);
  const auto places = database->transact([](MetaTransaction& meta) { return meta.rows("SELECT ?"); });
  EXPECT_EQ(places.error().code(), ErrorCode::internal);
}

TEST(MetaDatabase, TakesOldFilesFurtherAndRefusesLaterOnes) {
  const TemporaryFolder folder;
  const std::string path = folder.path("meta.db");
  {
    const auto old = open_meta(path, std::span(kTwoSteps).first(1));
    ASSERT_TRUE(add_thing(*old, "old", 1).has_value());
  }
  const auto row =
      open_meta(path)->transact([](MetaTransaction& meta) { return meta.row("SELECT colour FROM things"); });
  EXPECT_EQ((*row)->text(0), "grey");
  const auto refused = MetaDatabase::open(path, std::span(kTwoSteps).first(1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::unimplemented);
  EXPECT_NE(refused.error().message().find("schema version 2"), std::string::npos) << refused.error().message();
}

TEST(MetaDatabase, AMigrationThatFailsChangesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.path("meta.db");
  constexpr MetaMigration kBroken[] = {kTwoSteps[0], {"broken", "CREATE TABLE extra (x TEXT); CREATE TABEL oops;"}};
  const auto failed = MetaDatabase::open(path, kBroken);
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(failed.error().message().find("migration broken"), std::string::npos);
  const auto tables = open_meta(path)->transact(
      [](MetaTransaction& meta) { return meta.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"); });
  EXPECT_EQ(tables->size(), 1u);
}

TEST(MetaDatabase, AFileThatIsNoDatabaseIsCorruption) {
  const TemporaryFolder folder;
  const std::string path = folder.write("meta.db", std::string(4096, 'x'));
  const auto opened = MetaDatabase::open(path, kTwoSteps);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption) << opened.error().message();
}

TEST(MetaDatabase, ServesManyThreadsOneTransactionAtATime) {
  const TemporaryFolder folder;
  const auto database = open_meta(folder.path("meta.db"));
  ASSERT_TRUE(add_thing(*database, "counter", 0).has_value());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 25; ++j) {
          EXPECT_TRUE(database
                          ->transact([](MetaTransaction& meta) -> Status {
                            DENDRO_TRY_ASSIGN(const auto row, meta.row("SELECT size FROM things"));
                            DENDRO_TRY(meta.change("UPDATE things SET size = ?", {row->integer(0) + 1}));
                            return {};
                          })
                          .has_value());
        }
      });
    }
  }
  const auto row = database->transact([](MetaTransaction& meta) { return meta.row("SELECT size FROM things"); });
  EXPECT_EQ((*row)->integer(0), 100);
}

TEST(MetaDatabase, BacksUpAConsistentCopy) {
  const TemporaryFolder folder;
  const auto database = open_meta(folder.path("meta.db"));
  ASSERT_TRUE(add_thing(*database, "kept", 1).has_value());
  ASSERT_TRUE(database->back_up(folder.path("copy.db")).has_value());
  ASSERT_TRUE(add_thing(*database, "later", 2).has_value());
  EXPECT_EQ(count_things(*open_meta(folder.path("copy.db"))), 1);
  EXPECT_EQ(database->back_up(folder.path("copy.db")).error().code(), ErrorCode::already_exists);
}

TEST(MetaSchema, IsTakenByANewFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(MetaDatabase::open(folder.path("meta.db"), meta_schema()).has_value());
}

}  // namespace
}  // namespace dendro
