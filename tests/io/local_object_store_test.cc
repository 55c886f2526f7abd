#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/conformance/memory_object_store.h"
#include "tests/conformance/object_store_suite.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

class LocalUnderTest final : public StoreUnderTest {
 public:
  ObjectStore& store() override { return *store_; }
  std::string bucket() const override { return "file://" + folder_.path(); }
  std::string missing_bucket() const override { return "file://" + folder_.path("missing"); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<ObjectStore> store_ = make_local_object_store(3);
};

class MemoryUnderTest final : public StoreUnderTest {
 public:
  MemoryUnderTest() { store_.make_bucket("logs"); }
  ObjectStore& store() override { return store_; }
  std::string bucket() const override { return "logs"; }
  std::string missing_bucket() const override { return "missing"; }

 private:
  MemoryObjectStore store_{3};
};

std::unique_ptr<StoreUnderTest> make_local() {
  return std::make_unique<LocalUnderTest>();
}
std::unique_ptr<StoreUnderTest> make_memory() {
  return std::make_unique<MemoryUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreSuite, testing::Values(&make_local));
INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreSuite, testing::Values(&make_memory));

class LocalObjectStore : public testing::Test {
 protected:
  ErrorCode get_error(const std::string& key) {
    const auto source = store_->get("file://" + folder_.path("bucket"), key, std::nullopt);
    return source ? ErrorCode::internal : source.error().code();
  }
  std::vector<std::string> keys() {
    std::vector<std::string> names;
    const Result<ObjectPage> page = store_->list("file://" + folder_.path("bucket"), "", std::nullopt);
    for (const ObjectInfo& info : page->objects) names.push_back(info.key);
    return names;
  }
  TemporaryFolder folder_;
  std::unique_ptr<ObjectStore> store_ = make_local_object_store();
};

TEST_F(LocalObjectStore, NeverFollowsLinksOutOfTheBucket) {
  folder_.write("outside/secret", "s");
  folder_.write("bucket/plain", "p");
  std::filesystem::create_symlink(folder_.path("outside/secret"), folder_.path("bucket/link"));
  std::filesystem::create_directory_symlink(folder_.path("outside"), folder_.path("bucket/folder"));
  EXPECT_EQ(keys(), std::vector<std::string>{"plain"});
  EXPECT_EQ(get_error("link"), ErrorCode::not_found);
  EXPECT_NE(get_error("folder/secret"), ErrorCode::internal);
  EXPECT_EQ(get_error("../outside/secret"), ErrorCode::invalid_argument);
  EXPECT_EQ(get_error("/etc/passwd"), ErrorCode::invalid_argument);
  EXPECT_EQ(get_error("a//b"), ErrorCode::invalid_argument);
  EXPECT_FALSE(store_->put("file://" + folder_.path("bucket"), "folder/new", "x").has_value());
}

TEST_F(LocalObjectStore, OnlyRegularFilesAreObjects) {
  folder_.write("bucket/plain", "p");
  ASSERT_EQ(::mkfifo(folder_.path("bucket/pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(folder_.path("bucket/empty"));
  EXPECT_EQ(keys(), std::vector<std::string>{"plain"});
  EXPECT_EQ(get_error("pipe"), ErrorCode::not_found);
  EXPECT_EQ(get_error("empty"), ErrorCode::not_found);
}

TEST_F(LocalObjectStore, OtherBucketNamesAreRefused) {
  EXPECT_EQ(store_->list("logs", "", std::nullopt).error().code(), ErrorCode::unimplemented);
  EXPECT_FALSE(is_local_bucket("file://host/x"));
  EXPECT_TRUE(is_local_bucket("file:///x"));
}

TEST_F(LocalObjectStore, APutThatFailsLeavesNothing) {
  std::filesystem::create_directories(folder_.path("bucket/taken"));
  EXPECT_FALSE(store_->put("file://" + folder_.path("bucket"), "taken", "x").has_value());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path("bucket")), {}), 1);
}

}  // namespace
}  // namespace dendro
