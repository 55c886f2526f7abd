// Where heads of chains go: to a file, a bucket, an address.
#include "services/evidence/head_anchors.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/hex.h"
#include "base/hmac.h"
#include "base/mutex.h"
#include "io/memory_file_system.h"
#include "io/memory_queue.h"

namespace dendro {
namespace {

ChainHead head_of(std::uint64_t index) {
  ChainHead head;
  head.tenant = "acme";
  head.index = index;
  head.hash.fill(static_cast<std::uint8_t>(index));
  head.signature = std::string(64, 's');
  return head;
}

TEST(FileAnchor, AppendsALineAHead) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/anchors").has_value());
  const auto anchor = make_file_anchor(files, "/anchors/heads.ndjson");
  ASSERT_TRUE(anchor->anchor(head_of(1)).has_value());
  ASSERT_TRUE(make_file_anchor(files, "/anchors/heads.ndjson")->anchor(head_of(2)).has_value());
  const std::string text = read_whole_file(files, "/anchors/heads.ndjson", 1 << 20).value();
  EXPECT_EQ(text, chain_head_json(head_of(1)) + "\n" + chain_head_json(head_of(2)) + "\n");
  const auto heads = read_anchored_heads(text, TenantId::parse("acme").value());
  ASSERT_TRUE(heads.has_value());
  EXPECT_EQ(heads->back().hash, head_of(2).hash);
  FileFaults faults;
  faults.fail_sync = 1;
  files.set_faults(faults);
  EXPECT_FALSE(anchor->anchor(head_of(3)).has_value());
}

TEST(ObjectAnchor, PutsAnObjectAHead) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("dendro-anchors-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto objects = make_local_object_store();
  const auto anchor = make_object_anchor(*objects, "file://" + folder.string());
  const Status put = anchor->anchor(head_of(12));
  EXPECT_TRUE(put.has_value()) << put.error().message();
  std::ifstream stream(folder / "acme" / "00000000000000000012.json");
  std::string line;
  std::getline(stream, line);
  EXPECT_EQ(line, chain_head_json(head_of(12)));
  std::filesystem::remove_all(folder);
  EXPECT_FALSE(make_object_anchor(*objects, "file:///nowhere/at/all")->anchor(head_of(1)).has_value());
}

/// Answers what it is told to, and keeps what was sent.
class FakeReceiver final : public HttpClient {
 public:
  explicit FakeReceiver(std::vector<int> statuses) : statuses_(std::move(statuses)) {}
  Result<HttpClientReply> exchange(const HttpClientRequest& request, const HttpBodySink&) override {
    MutexLock lock(mutex_);
    requests_.push_back(request);
    came_.notify_all();
    const std::size_t turn = requests_.size() - 1;
    const int status = turn < statuses_.size() ? statuses_[turn] : 204;
    if (status == 0) return Error(ErrorCode::unavailable, "connection refused");
    HttpClientReply reply;
    reply.status = status;
    return reply;
  }
  bool wait_for(std::size_t count) {
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    MutexLock lock(mutex_);
    while (requests_.size() < count) {
      const auto rest = last - std::chrono::steady_clock::now();
      if (rest <= std::chrono::nanoseconds::zero()) return false;
      came_.wait_for(mutex_, rest);
    }
    return true;
  }
  std::vector<HttpClientRequest> requests() {
    MutexLock lock(mutex_);
    return requests_;
  }

 private:
  const std::vector<int> statuses_;
  Mutex mutex_;
  CondVar came_;
  std::vector<HttpClientRequest> requests_ DENDRO_GUARDED_BY(mutex_);
};

TEST(WebhookAnchor, SendsEachHeadUntilItIsTaken) {
  FakeReceiver receiver({0, 500, 200});
  SystemClock clock;
  MemoryQueue queue(clock);
  {
    const auto anchor =
        make_webhook_anchor({receiver, queue, "https://anchors.example.org/x", "key", std::chrono::milliseconds(1)});
    ASSERT_TRUE(anchor->anchor(head_of(1)).has_value());
    ASSERT_TRUE(receiver.wait_for(3)) << "twice refused, then taken";
    ASSERT_TRUE(anchor->anchor(head_of(2)).has_value());
    ASSERT_TRUE(receiver.wait_for(4));
  }
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(requests[i].body, chain_head_json(head_of(1)));
  EXPECT_EQ(requests[3].body, chain_head_json(head_of(2)));
  EXPECT_EQ(requests[0].method, "POST");
  const std::string signature = "sha256=" + to_hex(hmac_sha256("key", requests[0].body));
  bool is_signed = false;
  for (const auto& [name, value] : requests[0].headers)
    is_signed = is_signed || (name == "X-Dendro-Signature" && value == signature);
  EXPECT_TRUE(is_signed);
  EXPECT_EQ(queue.depth().value().waiting + queue.depth().value().dead, 0U);
}

TEST(WebhookAnchor, WhatWasNotTakenWaitsForTheNextStart) {
  FakeReceiver away(std::vector<int>(100, 0));
  SystemClock clock;
  MemoryQueue queue(clock);
  {
    const auto anchor = make_webhook_anchor({away, queue, "https://anchors.example.org/x", {}, std::chrono::hours(1)});
    ASSERT_TRUE(anchor->anchor(head_of(1)).has_value());
    ASSERT_TRUE(away.wait_for(1));
  }
  FakeReceiver receiver({});
  const auto anchor = make_webhook_anchor({receiver, queue, "https://anchors.example.org/x"});
  EXPECT_TRUE(receiver.wait_for(1));
  EXPECT_EQ(receiver.requests().front().body, chain_head_json(head_of(1)));
}

}  // namespace
}  // namespace dendro
