#pragma once

// What every Queue promises, run on each implementation:
//   INSTANTIATE_TEST_SUITE_P(Memory, QueueSuite, testing::Values(&make_memory_queue_under_test));

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "io/queue.h"

namespace dendro {

/// An empty queue that takes about a mebibyte, and its time.
class QueueUnderTest {
 public:
  virtual ~QueueUnderTest() = default;
  virtual Queue& queue() = 0;
  virtual void advance(std::chrono::milliseconds span) = 0;
};

using MakeQueueUnderTest = std::unique_ptr<QueueUnderTest> (*)();

class QueueSuite : public testing::TestWithParam<MakeQueueUnderTest> {
 protected:
  using Texts = std::vector<std::string>;
  static constexpr std::chrono::seconds kLease{30};

  void SetUp() override { subject_ = GetParam()(); }

  Queue& queue() { return subject_->queue(); }
  void advance(std::chrono::milliseconds span) { subject_->advance(span); }

  Texts send(const Texts& bodies) {
    std::vector<QueueMessage> messages;
    for (const std::string& body : bodies) messages.push_back({body, {}});
    auto ids = queue().send(messages);
    EXPECT_TRUE(ids.has_value()) << ids.error().message();
    return ids ? *ids : Texts();
  }
  std::vector<ReceivedMessage> receive(std::size_t count_max = kQueueReceiveMax) {
    auto received = queue().receive(count_max, kLease);
    EXPECT_TRUE(received.has_value()) << received.error().message();
    return received ? std::move(*received) : std::vector<ReceivedMessage>();
  }
  static Texts bodies(const std::vector<ReceivedMessage>& messages) {
    Texts texts;
    for (const ReceivedMessage& message : messages) texts.push_back(message.message.body);
    return texts;
  }
  static Texts receipts(const std::vector<ReceivedMessage>& messages) {
    Texts texts;
    for (const ReceivedMessage& message : messages) texts.push_back(message.receipt);
    return texts;
  }
  std::size_t acknowledge(const Texts& receipts) { return queue().acknowledge(receipts).value(); }
  /// Receives the only message until it is dead.
  void wear_out() {
    for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
      ASSERT_EQ(receive().size(), 1u) << i;
      advance(kLease);
    }
  }

 private:
  std::unique_ptr<QueueUnderTest> subject_;
};

TEST_P(QueueSuite, GivesMessagesWholeInTheOrderTheyCame) {
  const std::string binary("\0\xFF\n", 3);
  const QueueMessage first{binary, {{"receiver", "ops"}, {"empty", ""}}};
  const auto ids = queue().send({&first, 1});
  ASSERT_TRUE(ids.has_value());
  send({"second", ""});
  const auto received = receive();
  EXPECT_EQ(bodies(received), (Texts{binary, "second", ""}));
  EXPECT_EQ(received[0].message.attributes, first.attributes);
  EXPECT_EQ(received[0].id, ids->front());
  EXPECT_EQ(received[0].receive_count, 1u);
  EXPECT_EQ((std::set<std::string>{received[0].id, received[1].id, received[2].id}).size(), 3u);
}

TEST_P(QueueSuite, AnEmptyOneAnswersAtOnce) {
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(queue().depth()->waiting, 0u);
  EXPECT_TRUE(queue().dead_letters(10)->empty());
  EXPECT_EQ(queue().redrive().value(), 0u);
}

TEST_P(QueueSuite, GivesTenAtATime) {
  Texts texts;
  for (int i = 0; i < 13; ++i) texts.push_back(std::to_string(i));
  send(texts);
  EXPECT_EQ(receive(3).size(), 3u);
  EXPECT_EQ(receive(100).size(), kQueueReceiveMax);
  EXPECT_TRUE(receive().empty());
}

TEST_P(QueueSuite, WhatIsHeldIsNotGivenAgainUntilItsLeaseEnds) {
  send({"a", "b"});
  EXPECT_EQ(bodies(receive(1)), (Texts{"a"}));
  EXPECT_EQ(bodies(receive()), (Texts{"b"}));
  EXPECT_EQ(queue().depth()->leased, 2u);
  advance(kLease - std::chrono::milliseconds(1));
  EXPECT_TRUE(receive().empty());
  advance(std::chrono::milliseconds(1));
  const auto again = receive();
  EXPECT_EQ(bodies(again), (Texts{"a", "b"}));
  EXPECT_EQ(again[0].receive_count, 2u);
}

TEST_P(QueueSuite, WhatIsAcknowledgedNeverComesBack) {
  send({"a", "b", "c"});
  auto received = receive();
  EXPECT_EQ(acknowledge({received[0].receipt, received[2].receipt, received[2].receipt}), 2u);
  EXPECT_EQ(acknowledge({received[0].receipt}), 0u);
  advance(kLease);
  EXPECT_EQ(bodies(receive()), (Texts{"b"}));
  EXPECT_EQ(queue().depth()->waiting, 0u);
}

TEST_P(QueueSuite, AReceiptEndsWithTheNextReceive) {
  send({"a"});
  const auto first = receive();
  advance(kLease);
  const auto second = receive();
  EXPECT_EQ(acknowledge(receipts(first)), 0u);
  EXPECT_EQ(queue().extend(receipts(first), kLease * 10).value(), 0u);
  EXPECT_EQ(queue().release(receipts(first)).value(), 0u);
  EXPECT_EQ(acknowledge({"", "x", "1", "1-", "-1", "99-99"}), 0u);
  EXPECT_EQ(acknowledge(receipts(second)), 1u);
}

TEST_P(QueueSuite, ALateAcknowledgementHoldsIfNobodyElseReceivedIt) {
  send({"a"});
  const auto received = receive();
  advance(kLease * 2);
  EXPECT_EQ(acknowledge(receipts(received)), 1u);
  EXPECT_TRUE(receive().empty());
}

TEST_P(QueueSuite, ALeaseCanBeExtendedAndGivenBack) {
  send({"a"});
  auto received = receive();
  EXPECT_EQ(queue().extend(receipts(received), kLease * 3).value(), 1u);
  advance(kLease * 2);
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(queue().release(receipts(received)).value(), 1u);
  received = receive();
  EXPECT_EQ(bodies(received), (Texts{"a"}));
  EXPECT_EQ(received[0].receive_count, 2u);
}

TEST_P(QueueSuite, WhatComesBackFiveTimesIsADeadLetterUntilItIsRedriven) {
  send({"poison"});
  wear_out();
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(queue().depth()->dead, 1u);
  const auto letters = queue().dead_letters(10);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_EQ(letters->front().message.body, "poison");
  EXPECT_EQ(letters->front().receive_count, kQueueReceivesMax);
  send({"later"});
  EXPECT_EQ(queue().redrive().value(), 1u);
  const auto again = receive();
  EXPECT_EQ(bodies(again), (Texts{"poison", "later"}));
  EXPECT_EQ(again[0].receive_count, 1u);
  EXPECT_EQ(acknowledge(receipts(again)), 2u);
  EXPECT_EQ(queue().depth()->dead, 0u);
}

TEST_P(QueueSuite, DeadLettersAreListedPageByPageAndLookedAtOneByOne) {
  const Texts ids = send({"a", "b", "c"});
  send({"alive"});
  for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
    ASSERT_EQ(receive(3).size(), 3u);
    advance(kLease);
  }
  const auto first = queue().dead_letters(2);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].id, ids[0]);
  const auto second = queue().dead_letters(2, (*first)[1].id);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ(second->front().message.body, "c");
  EXPECT_TRUE(queue().dead_letters(2, ids[2])->empty());
  EXPECT_EQ(queue().dead_letters(2, "x").error().code(), ErrorCode::invalid_argument);
  EXPECT_EQ(queue().dead_letter(ids[1])->message.body, "b");
  EXPECT_EQ(queue().dead_letter(ids[1])->receive_count, kQueueReceivesMax);
  for (const char* none : {"4", "99", "", "x", "1x"}) {
    EXPECT_EQ(queue().dead_letter(none).error().code(), ErrorCode::not_found) << none;
  }
}

TEST_P(QueueSuite, OneDeadLetterIsRedrivenOrDroppedAndTheOthersStay) {
  const Texts ids = send({"a", "b", "c"});
  for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
    ASSERT_EQ(receive().size(), 3u);
    advance(kLease);
  }
  EXPECT_EQ(queue().redrive(ids[1]).value(), 1u);
  EXPECT_EQ(queue().redrive(ids[1]).value(), 0u) << "it is not dead any more";
  EXPECT_EQ(queue().drop(ids[1]).value(), 0u);
  EXPECT_EQ(queue().drop(ids[0]).value(), 1u);
  EXPECT_EQ(queue().drop(ids[0]).value(), 0u);
  EXPECT_EQ(queue().depth()->dead, 1u);
  const auto again = receive();
  EXPECT_EQ(bodies(again), (Texts{"b"}));
  EXPECT_EQ(again[0].receive_count, 1u);
  EXPECT_EQ(acknowledge(receipts(again)), 1u);
  EXPECT_EQ(queue().drop().value(), 1u) << "without an id all that are dead";
  EXPECT_EQ(queue().drop().value(), 0u);
  EXPECT_EQ(queue().depth()->bytes, 0u);
}

TEST_P(QueueSuite, KnowsWhenTheOldestWasSent) {
  EXPECT_EQ(queue().depth()->oldest, Timestamp());
  send({"old"});
  const Timestamp first = queue().depth()->oldest;
  EXPECT_GT(first, Timestamp());
  advance(kLease);
  send({"young"});
  EXPECT_EQ(queue().depth()->oldest, first);
  EXPECT_EQ(queue().depth()->oldest_dead, Timestamp());
  for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
    ASSERT_EQ(receive(1).size(), 1u);
    advance(kLease);
  }
  EXPECT_EQ(queue().depth()->oldest_dead, first);
  EXPECT_EQ(queue().dead_letters(1)->front().sent, first);
  EXPECT_EQ(queue().depth()->oldest.number() - first.number(), std::chrono::nanoseconds(kLease).count());
}

TEST_P(QueueSuite, TheFifthReceiveCanStillBeAcknowledged) {
  send({"a"});
  for (std::uint32_t i = 1; i < kQueueReceivesMax; ++i) EXPECT_EQ(queue().release(receipts(receive())).value(), 1u);
  const auto last = receive();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].receive_count, kQueueReceivesMax);
  EXPECT_EQ(acknowledge(receipts(last)), 1u);
  EXPECT_EQ(queue().depth()->dead, 0u);
}

TEST_P(QueueSuite, RefusesWhatIsTooLargeAndTakesNothingOfIt) {
  const QueueMessage large{std::string(kQueueMessageBytesMax + 1, 'x'), {}};
  const QueueMessage messages[] = {{"small", {}}, large};
  EXPECT_EQ(queue().send(messages).error().code(), ErrorCode::too_large);
  EXPECT_EQ(queue().send({}).error().code(), ErrorCode::invalid_argument);
  QueueMessage many{"x", {}};
  for (std::size_t i = 0; i <= kQueueAttributesMax; ++i) many.attributes.emplace_back("a", "b");
  EXPECT_EQ(queue().send({&many, 1}).error().code(), ErrorCode::invalid_argument);
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(send({std::string(kQueueMessageBytesMax, 'x')}).size(), 1u);
}

TEST_P(QueueSuite, IsBoundedAndTakesMoreOnceSomeIsDone) {
  const QueueMessage large{std::string(kQueueMessageBytesMax - 100, 'x'), {}};
  int taken = 0;
  while (taken < 100 && queue().send({&large, 1}).has_value()) ++taken;
  ASSERT_GT(taken, 0);
  ASSERT_LT(taken, 100);
  EXPECT_EQ(queue().send({&large, 1}).error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(acknowledge(receipts(receive(1))), 1u);
  EXPECT_TRUE(queue().send({&large, 1}).has_value());
}

TEST_P(QueueSuite, ServesManyThreads) {
  constexpr int kThreads = 4, kEach = 50;
  Mutex mutex;
  std::multiset<std::string> done;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          send({std::to_string(t) + "/" + std::to_string(i)});
          const auto received = receive(2);
          acknowledge(receipts(received));
          MutexLock lock(mutex);
          for (const std::string& body : bodies(received)) done.insert(body);
        }
      });
    }
  }
  for (auto rest = receive(); !rest.empty(); rest = receive()) {
    for (const std::string& body : bodies(rest)) done.insert(body);
  }
  EXPECT_EQ(done.size(), static_cast<std::size_t>(kThreads * kEach));
  EXPECT_EQ(std::set<std::string>(done.begin(), done.end()).size(), done.size()) << "one was given twice";
}

}  // namespace dendro
