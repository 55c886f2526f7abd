#include "server/web_socket_io.h"

#include <gtest/gtest.h>

#include "tests/server/web_socket_frames.h"

namespace dendro {
namespace {

struct NotingHandler final : WebSocketHandler {
  void opened(std::shared_ptr<WebSocketOut>) override {}
  void message(std::string text) override { messages.push_back(std::move(text)); }
  void drained() override {}
  void access_lost() override {}
  void stopping() override {}
  void closed() override { is_closed = true; }

  std::vector<std::string> messages;
  bool is_closed = false;
};

struct WebSocketIoFixture : testing::Test, WebSocketWire {
  void start_read() override { is_reading = true; }
  void cancel_read() override { is_read_cancelled = true; }
  void start_write(std::string_view bytes) override { writing = bytes; }
  void drop() override { is_dropped = true; }
  void io_is_over() override { is_over = true; }

  void receive(const std::string& bytes) {
    ASSERT_TRUE(std::exchange(is_reading, false));
    io.received(bytes);
  }
  /// The wire takes `count` bytes of what it was given.
  std::string take(std::size_t count) {
    const std::string taken(writing.substr(0, count));
    writing = {};
    io.written(taken.size());
    return taken;
  }
  static std::string pong(const std::string& payload) {
    std::string bytes;
    append_web_socket_frame(bytes, WebSocketOpcode::pong, payload);
    return bytes;
  }

  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  std::shared_ptr<Loop> loop = std::make_shared<Loop>(clock, random, std::chrono::milliseconds(100));
  std::shared_ptr<NotingHandler> handler = std::make_shared<NotingHandler>();
  WebSocketIo io{loop, handler, *this};
  std::string_view writing;
  bool is_reading = false, is_read_cancelled = false, is_dropped = false, is_over = false;
};

TEST_F(WebSocketIoFixture, WritesWhatTheWireTakesByAndByAndReadsBesideIt) {
  io.open({});
  receive(masked_frame(WebSocketOpcode::ping, "one"));
  receive(masked_frame(WebSocketOpcode::ping, "two"));
  EXPECT_EQ(writing, pong("one")) << "the second waits for the first";
  EXPECT_EQ(take(2), pong("one").substr(0, 2));
  EXPECT_EQ(take(100), pong("one").substr(2));
  EXPECT_EQ(take(100), pong("two"));
  EXPECT_TRUE(is_reading);
  EXPECT_FALSE(is_over);
}

TEST_F(WebSocketIoFixture, IsOverOnlyWhenTheLastBytesAreWritten) {
  io.open({});
  receive(masked_frame(WebSocketOpcode::close, std::string("\x03\xE8", 2)));
  EXPECT_FALSE(is_reading);
  EXPECT_FALSE(is_over);
  EXPECT_TRUE(handler->is_closed);
  take(1);
  EXPECT_FALSE(is_over);
  take(100);
  EXPECT_TRUE(is_over);
  EXPECT_FALSE(is_dropped);
}

TEST_F(WebSocketIoFixture, AFailedReadEndsItWithoutFurtherWrites) {
  io.open(masked_frame(WebSocketOpcode::text, "early"));
  io.received(std::nullopt);
  EXPECT_EQ(handler->messages, (std::vector<std::string>{"early"}));
  EXPECT_TRUE(handler->is_closed);
  EXPECT_TRUE(is_over);
  EXPECT_TRUE(writing.empty());
}

TEST_F(WebSocketIoFixture, AFailedWriteDropsTheWire) {
  io.open({});
  receive(masked_frame(WebSocketOpcode::ping, "one"));
  io.written(std::nullopt);
  EXPECT_TRUE(is_dropped);
  io.received(std::nullopt);  // as the closed socket answers
  EXPECT_TRUE(is_over);
  EXPECT_TRUE(handler->is_closed);
}

TEST_F(WebSocketIoFixture, APeerThatTakesNothingForTooLongIsGivenUp) {
  io.open({});
  const std::chrono::seconds stall(10);
  EXPECT_TRUE(io.sweep(loop->coarse_now() + std::chrono::seconds(11), stall)) << "nothing is being written";
  receive(masked_frame(WebSocketOpcode::ping, "one"));
  EXPECT_TRUE(io.sweep(loop->coarse_now() + stall, stall));
  EXPECT_FALSE(io.sweep(loop->coarse_now() + std::chrono::seconds(11), stall));
}

}  // namespace
}  // namespace dendro
