#pragma once

// What every RecordSink promises, run on each implementation:
//   INSTANTIATE_TEST_SUITE_P(Memory, RecordSinkSuite, testing::Values(&make_memory_sink_under_test));

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "record/record_batch_builder.h"
#include "record/record_sink.h"

namespace dendro {

/// An empty sink, and a way to look into it.
class SinkUnderTest {
 public:
  virtual ~SinkUnderTest() = default;
  virtual RecordSink& sink() = 0;
  /// Sequence numbers and bodies of a tenant's records, in order of sequence.
  virtual std::vector<std::pair<SequenceNumber, std::string>> records(const TenantId& tenant) = 0;
};

using MakeSinkUnderTest = std::unique_ptr<SinkUnderTest> (*)();

class RecordSinkSuite : public testing::TestWithParam<MakeSinkUnderTest> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }

  RecordSink& sink() { return subject_->sink(); }
  std::vector<std::string> bodies(const TenantId& tenant = TenantId::default_tenant()) {
    std::vector<std::string> out;
    for (auto& [sequence, body] : subject_->records(tenant)) out.push_back(body);
    return out;
  }
  std::vector<std::uint64_t> sequences(const TenantId& tenant = TenantId::default_tenant()) {
    std::vector<std::uint64_t> out;
    for (auto& [sequence, body] : subject_->records(tenant)) out.push_back(sequence.number());
    return out;
  }

  static std::shared_ptr<const RecordBatch> batch(const std::vector<std::string>& bodies) {
    RecordBatchBuilder builder(Timestamp(1000));
    for (const std::string& body : bodies) {
      builder.begin_record();
      builder.add_leaf(LeafRole::body, "body", "body", Value::of_text(body));
      builder.end_record();
    }
    return builder.finish();
  }
  static CommitRequest request(const std::vector<std::vector<std::string>>& batches) {
    CommitRequest request;
    request.receive_time = Timestamp(1000);
    for (const auto& bodies : batches) request.batches.push_back(batch(bodies));
    request.accepted = 7;
    request.rejected = 2;
    return request;
  }
  static CommitRequest keyed(const std::string& key, const std::string& content, const std::string& body) {
    CommitRequest keyed = request({{body}});
    keyed.key = BatchKey{batch_key_id(keyed.tenant, "test", key), batch_key_id(keyed.tenant, "content", content)};
    return keyed;
  }

 private:
  std::unique_ptr<SinkUnderTest> subject_;
};

TEST_P(RecordSinkSuite, KeepsBatchesOfARequestInOrderWithoutAGap) {
  const auto first = append_and_wait(sink(), request({{"a", "b"}, {"c"}}));
  const auto second = append_and_wait(sink(), request({{"d"}}));
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(second->first_sequence, first->first_sequence.next(3));
  EXPECT_EQ(bodies(), (std::vector<std::string>{"a", "b", "c", "d"}));
  const std::uint64_t start = first->first_sequence.number();
  EXPECT_GE(start, 1u);
  EXPECT_EQ(sequences(), (std::vector<std::uint64_t>{start, start + 1, start + 2, start + 3}));
}

TEST_P(RecordSinkSuite, RepeatsWhatTheRequestSaid) {
  const auto reply = append_and_wait(sink(), request({{"a"}}));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->accepted, 7u);
  EXPECT_EQ(reply->rejected, 2u);
  EXPECT_EQ(reply->receive_time, Timestamp(1000));
  EXPECT_FALSE(reply->replayed);
}

TEST_P(RecordSinkSuite, RefusesARequestWithoutABatchAtOnce) {
  bool was_called = false;
  const Status refused = sink().append(CommitRequest(), [&](const Result<CommitReply>&) { was_called = true; });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
  EXPECT_FALSE(was_called);
}

TEST_P(RecordSinkSuite, CommittedRecordsAreVisibleWhenDoneRuns) {
  std::promise<std::vector<std::string>> seen;
  const Status taken = sink().append(request({{"a"}}), [&](const Result<CommitReply>&) { seen.set_value(bodies()); });
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(seen.get_future().get(), (std::vector<std::string>{"a"}));
}

TEST_P(RecordSinkSuite, StoresARequestWithAKeyOnceAndRepeatsTheFirstReply) {
  const auto first = append_and_wait(sink(), keyed("k", "content", "a"));
  ASSERT_TRUE(append_and_wait(sink(), request({{"between"}})).has_value());
  const auto again = append_and_wait(sink(), keyed("k", "content", "a"));
  ASSERT_TRUE(first.has_value() && again.has_value());
  EXPECT_FALSE(first->replayed);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->first_sequence, first->first_sequence);
  EXPECT_EQ(again->accepted, 7u);
  EXPECT_EQ(again->rejected, 2u);
  EXPECT_EQ(again->receive_time, Timestamp(1000));
  EXPECT_EQ(bodies(), (std::vector<std::string>{"a", "between"}));
}

TEST_P(RecordSinkSuite, RefusesAKnownKeyWithOtherContent) {
  ASSERT_TRUE(append_and_wait(sink(), keyed("k", "content", "a")).has_value());
  const auto other = append_and_wait(sink(), keyed("k", "other content", "b"));
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code(), ErrorCode::already_exists);
  EXPECT_EQ(bodies(), (std::vector<std::string>{"a"}));
}

TEST_P(RecordSinkSuite, TakesEqualContentWithoutAKeyTwice) {
  ASSERT_TRUE(append_and_wait(sink(), request({{"a"}})).has_value());
  ASSERT_TRUE(append_and_wait(sink(), request({{"a"}})).has_value());
  EXPECT_EQ(bodies(), (std::vector<std::string>{"a", "a"}));
}

TEST_P(RecordSinkSuite, KeepsTenantsAndTheirKeysApart) {
  const TenantId other = TenantId::parse("other").value();
  CommitRequest theirs = keyed("k", "content", "theirs");
  theirs.tenant = other;
  ASSERT_TRUE(append_and_wait(sink(), keyed("k", "content", "mine")).has_value());
  const auto reply = append_and_wait(sink(), std::move(theirs));
  ASSERT_TRUE(reply.has_value());
  EXPECT_FALSE(reply->replayed);
  EXPECT_EQ(bodies(), (std::vector<std::string>{"mine"}));
  EXPECT_EQ(bodies(other), (std::vector<std::string>{"theirs"}));
}

TEST_P(RecordSinkSuite, AnswersManyAtOnceEachOnceAndRetriesInFlightWithTheFirst) {
  constexpr int kRequests = 200;
  std::vector<std::future<Result<CommitReply>>> replies;
  for (int i = 0; i < kRequests; ++i) {
    auto promise = std::make_shared<std::promise<Result<CommitReply>>>();
    replies.push_back(promise->get_future());
    const std::string key = std::to_string(i / 2);  // each twice
    const Status taken = sink().append(keyed(key, "content", key),
                                       [promise](Result<CommitReply> reply) { promise->set_value(std::move(reply)); });
    ASSERT_TRUE(taken.has_value());
  }
  std::vector<CommitReply> got;
  for (auto& reply : replies) {
    Result<CommitReply> result = reply.get();
    ASSERT_TRUE(result.has_value());
    got.push_back(*result);
  }
  for (std::size_t i = 0; i < got.size(); i += 2) {
    EXPECT_EQ(got[i].first_sequence, got[i + 1].first_sequence);
    EXPECT_NE(got[i].replayed, got[i + 1].replayed);
  }
  EXPECT_EQ(bodies().size(), kRequests / 2u);
}

}  // namespace dendro
