#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "tests/server/test_server.h"

namespace dendro {
namespace {

/// Gives the pieces it was made with, each from within `next`, then the end or an error.
class ListStream final : public ResponseStream {
 public:
  ListStream(std::deque<std::string> pieces, std::optional<Error> end)
      : pieces_(std::move(pieces)), end_(std::move(end)) {}
  void next(std::function<void(Piece)> done) override {
    if (pieces_.empty()) {
      done(end_ ? Piece(*end_) : Piece(std::optional<std::string>()));
      return;
    }
    std::string piece = std::move(pieces_.front());
    pieces_.pop_front();
    done(Piece(std::optional<std::string>(std::move(piece))));
  }

 private:
  std::deque<std::string> pieces_;
  const std::optional<Error> end_;
};

/// Gives 64 KiB pieces for ever, from a worker, and counts them.
class EndlessStream final : public ResponseStream {
 public:
  EndlessStream(WorkerPool& workers, std::atomic<std::size_t>& pieces, TestEvent& gone)
      : workers_(workers), pieces_(pieces), gone_(gone) {}
  ~EndlessStream() override { gone_.set(); }
  void next(std::function<void(Piece)> done) override {
    const Status queued = workers_.submit([this, done = std::move(done)] {
      ++pieces_;
      done(Piece(std::optional<std::string>(std::string(65536, 'z'))));
    });
    EXPECT_TRUE(queued);
  }

 private:
  WorkerPool& workers_;
  std::atomic<std::size_t>& pieces_;
  TestEvent& gone_;
};

/// Waits with its first piece until it is told.
class WaitingStream final : public ResponseStream {
 public:
  explicit WaitingStream(std::function<void(std::function<void(Piece)>)> hand_out) : hand_out_(std::move(hand_out)) {}
  void next(std::function<void(Piece)> done) override { hand_out_(std::move(done)); }

 private:
  const std::function<void(std::function<void(Piece)>)> hand_out_;
};

HttpResponse stream_response(std::unique_ptr<ResponseStream> stream) {
  HttpResponse response;
  response.content_type = "application/x-ndjson";
  response.stream = std::move(stream);
  return response;
}

HttpResponse list_response(std::deque<std::string> pieces, std::optional<Error> end = std::nullopt) {
  return stream_response(std::make_unique<ListStream>(std::move(pieces), std::move(end)));
}

TEST(HttpStream, SendsPiecesAsChunksAndKeepsTheConnection) {
  TestServer server;
  server.add_plain("GET", "/rows", [](const HttpRequest&) { return list_response({"one\n", "", "two\n"}); });
  server.start();
  RawClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    const RawReply reply = client.ask(get("/rows"));
    EXPECT_EQ(reply.field("transfer-encoding"), "chunked");
    EXPECT_EQ(reply.body, "one\ntwo\n") << "an empty piece does not end the body";
    EXPECT_TRUE(reply.is_whole);
  }
}

TEST(HttpStream, EndsByClosingInHttp10) {
  TestServer server;
  server.add_plain("GET", "/rows", [](const HttpRequest&) { return list_response({"one\n", "two\n"}); });
  server.start();
  RawClient client(server.port());
  const RawReply reply = client.ask("GET /rows HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(reply.field("transfer-encoding"), "");
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_EQ(reply.body, "one\ntwo\n");
}

TEST(HttpStream, ErrorCutsTheReplyWithoutLastChunk) {
  TestServer server;
  server.add_plain("GET", "/rows",
                   [](const HttpRequest&) { return list_response({"one\n"}, Error(ErrorCode::io_error, "disk")); });
  server.start();
  RawClient client(server.port());
  const RawReply reply = client.ask(get("/rows"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "one\n");
  EXPECT_FALSE(reply.is_whole);
}

TEST(HttpStream, HeadOfAStreamHasNoBody) {
  TestServer server;
  server.add_plain("GET", "/rows", [](const HttpRequest&) { return list_response({"one\n"}); });
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.send("HEAD /rows HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_reply(true).status, 200);
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST(HttpStream, ShowsAPieceBeforeTheNextIsThere) {
  TestServer server;
  std::function<void(ResponseStream::Piece)> pending;
  TestEvent asked;
  std::atomic<int> calls = 0;
  server.add_plain("GET", "/rows", [&](const HttpRequest&) {
    return stream_response(std::make_unique<WaitingStream>([&](std::function<void(ResponseStream::Piece)> done) {
      if (calls++ == 0) {
        done(ResponseStream::Piece(std::optional<std::string>("first")));
        return;
      }
      pending = std::move(done);
      asked.set();
    }));
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/rows"));
  EXPECT_EQ(client.read_head().status, 200);
  EXPECT_EQ(client.read_some(), "5\r\nfirst\r\n");
  ASSERT_TRUE(asked.wait());
  std::exchange(pending, nullptr)(ResponseStream::Piece(std::optional<std::string>()));
  EXPECT_EQ(client.read_some(), "0\r\n\r\n");
}

TEST(HttpStream, WaitsForASlowPeerAndEndsWithIt) {
  TestServer server;
  std::atomic<std::size_t> pieces = 0;
  TestEvent gone;
  server.add_plain("GET", "/rows", [&](const HttpRequest&) {
    return stream_response(std::make_unique<EndlessStream>(server.workers, pieces, gone));
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/rows"));
  EXPECT_EQ(client.read_head().status, 200);
  std::size_t before = 0;
  do {  // the sockets' buffers fill, then the pieces stop
    before = pieces;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  } while (pieces != before);
  EXPECT_LT(pieces, 1000U) << "64 MB went into the buffers of a peer that reads nothing";
  client.close();
  EXPECT_TRUE(gone.wait());
}

TEST(HttpStream, CancelsARunningHandlerWithinASecondOfAReset) {
  TestServer server;
  TestEvent started;
  TestEvent stopped;
  server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest> request, Responder respond) {
    const Status queued = server.workers.submit([&, request, respond] {
      started.set();
      while (!request->cancel.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      respond(plain_text("too late"));
      stopped.set();
    });
    EXPECT_TRUE(queued);
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/slow"));
  ASSERT_TRUE(started.wait());
  client.reset();
  EXPECT_TRUE(stopped.wait());
}

TEST(HttpStream, CancelsARunningHandlerAfterTheGraceOfAFin) {
  TestServer server;
  TestEvent started;
  TestEvent stopped;
  std::atomic<bool> was_early = false;
  server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest> request, Responder respond) {
    const Status queued = server.workers.submit([&, request, respond] {
      started.set();
      while (!request->cancel.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      was_early = server.clock.monotonic() < std::chrono::milliseconds(400);
      stopped.set();
    });
    EXPECT_TRUE(queued);
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/slow"));
  ASSERT_TRUE(started.wait());
  client.close();
  while (!stopped.wait_briefly()) server.advance(std::chrono::milliseconds(100));
  EXPECT_FALSE(was_early);
}

TEST(HttpStream, StreamsOutliveThePeerWhileAPieceIsOutstanding) {
  TestServer server;
  std::function<void(ResponseStream::Piece)> pending;
  TestEvent asked;
  server.add("GET", "/rows", [&](std::shared_ptr<const HttpRequest> request, Responder respond) {
    respond(
        stream_response(std::make_unique<WaitingStream>([&, request](std::function<void(ResponseStream::Piece)> done) {
          pending = std::move(done);
          asked.set();
        })));
  });
  server.start();
  {
    RawClient client(server.port());
    client.send(get("/rows"));
    ASSERT_TRUE(asked.wait());
    client.reset();
  }
  server.server->stop(std::chrono::milliseconds(0));
  std::exchange(pending, nullptr)(ResponseStream::Piece(std::optional<std::string>("late")));
}

}  // namespace
}  // namespace dendro
