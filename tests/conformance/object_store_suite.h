#pragma once

// What every ObjectStore promises, run on each implementation:
//   INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreSuite, testing::Values(&make_local_store_under_test));

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "io/object_store.h"

namespace dendro {

/// An empty bucket in a store whose pages hold three objects at most.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual ObjectStore& store() = 0;
  virtual std::string bucket() const = 0;
  virtual std::string missing_bucket() const = 0;
};

/// Null where the server that it takes is not there: the case is skipped.
using MakeStoreUnderTest = std::unique_ptr<StoreUnderTest> (*)();

class ObjectStoreSuite : public testing::TestWithParam<MakeStoreUnderTest> {
 protected:
  void SetUp() override {
    subject_ = GetParam()();
    if (subject_ == nullptr) GTEST_SKIP() << "no such server: its variable DENDRO_TEST_... is not set";
  }

  ObjectStore& store() { return subject_->store(); }
  std::string bucket() const { return subject_->bucket(); }
  void put(const std::string& key, std::string_view bytes = "x") {
    ASSERT_TRUE(store().put(bucket(), key, bytes).has_value()) << key;
  }

  std::vector<ObjectInfo> list_all(const std::string& prefix, std::size_t* pages = nullptr) {
    std::vector<ObjectInfo> all;
    std::optional<std::string> token;
    do {
      Result<ObjectPage> page = store().list(bucket(), prefix, token);
      EXPECT_TRUE(page.has_value());
      if (!page) return all;
      EXPECT_LE(page->objects.size(), 3u);
      all.insert(all.end(), page->objects.begin(), page->objects.end());
      token = page->continuation_token;
      if (pages != nullptr) ++*pages;
    } while (token);
    return all;
  }
  std::vector<std::string> keys(const std::string& prefix) {
    std::vector<std::string> names;
    for (const ObjectInfo& info : list_all(prefix)) names.push_back(info.key);
    return names;
  }
  Result<std::string> get(const std::string& key, const std::optional<std::string>& etag = std::nullopt) {
    DENDRO_TRY_ASSIGN(const std::unique_ptr<ByteSource> source, store().get(bucket(), key, etag));
    std::string text;
    std::string piece(7, '\0');
    while (true) {
      DENDRO_TRY_ASSIGN(const std::size_t count, source->read(piece));
      if (count == 0) return text;
      text.append(piece, 0, count);
    }
  }

  std::unique_ptr<StoreUnderTest> subject_;
};

TEST_P(ObjectStoreSuite, GivesBackWhatWasPut) {
  put("a.jsonl", "one\ntwo\n");
  put("empty", "");
  EXPECT_EQ(*get("a.jsonl"), "one\ntwo\n");
  EXPECT_EQ(*get("empty"), "");
  put("a.jsonl", "three");
  EXPECT_EQ(*get("a.jsonl"), "three");
}

TEST_P(ObjectStoreSuite, ListsEveryPageInByteOrder) {
  const std::vector<std::string> names = {"a", "a-b", "a.b", "a/b/c", "a/d", "ab", "b/1", "b/2", "b0", "c"};
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (*name != "a") put(*name);
  }
  std::vector<std::string> expected(names.begin() + 1, names.end());
  std::sort(expected.begin(), expected.end());
  std::size_t pages = 0;
  EXPECT_EQ(list_all("", &pages).size(), expected.size());
  EXPECT_EQ(pages, 3u);
  EXPECT_EQ(keys(""), expected);
}

TEST_P(ObjectStoreSuite, PrefixesAreBytesNotFolders) {
  for (const char* name : {"app/1", "app/2", "apple", "b"}) put(name);
  EXPECT_EQ(keys("app"), (std::vector<std::string>{"app/1", "app/2", "apple"}));
  EXPECT_EQ(keys("app/"), (std::vector<std::string>{"app/1", "app/2"}));
  EXPECT_EQ(keys("app/2"), (std::vector<std::string>{"app/2"}));
  EXPECT_EQ(keys("zzz"), std::vector<std::string>{});
}

TEST_P(ObjectStoreSuite, DescribesObjects) {
  put("k", "12345");
  const std::vector<ObjectInfo> all = list_all("k");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].size_bytes, 5u);
  EXPECT_FALSE(all[0].etag.empty());
  EXPECT_GT(all[0].last_modified.number(), 0);
}

TEST_P(ObjectStoreSuite, AnEtagPinsTheContent) {
  put("k", "old");
  const std::string etag = list_all("k")[0].etag;
  EXPECT_EQ(*get("k", etag), "old");
  put("k", "newer");
  const Result<std::string> changed = get("k", etag);
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().code(), ErrorCode::already_exists);
}

TEST_P(ObjectStoreSuite, WhatIsMissingIsNotFound) {
  const auto code = [](const auto& result) { return result ? ErrorCode::internal : result.error().code(); };
  EXPECT_EQ(code(get("nothing")), ErrorCode::not_found);
  EXPECT_EQ(code(get("no/thing")), ErrorCode::not_found);
  EXPECT_EQ(code(store().list(subject_->missing_bucket(), "", std::nullopt)), ErrorCode::not_found);
  EXPECT_EQ(code(store().get(subject_->missing_bucket(), "k", std::nullopt)), ErrorCode::not_found);
  EXPECT_EQ(code(store().put(subject_->missing_bucket(), "k", "x")), ErrorCode::not_found);
}

}  // namespace dendro
