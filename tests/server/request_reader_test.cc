#include "server/request_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace dendro {
namespace {

using Outcomes = std::vector<std::string>;

constexpr std::uint64_t kBodyBytesMax = 64;

/// Reads what the reader can make of the bytes it has; "POST /a body" for a request, "refused 400" at the end.
void drain_reader(RequestReader& reader, Outcomes& out) {
  while (true) {
    switch (reader.next()) {
      case RequestReader::Event::need_more:
        return;
      case RequestReader::Event::head:
        reader.start_body({.bytes_max = kBodyBytesMax});
        break;
      case RequestReader::Event::complete:
        out.push_back(reader.head().method + " " + reader.head().path + " " + reader.take_body());
        break;
      case RequestReader::Event::refused:
        out.push_back("refused " + std::to_string(reader.refusal().status));
        return;
    }
  }
}

/// Feeds `bytes` in pieces that end at `cuts`.
Outcomes read_in_pieces(std::string_view bytes, std::vector<std::size_t> cuts, std::size_t head_bytes_max = 32768) {
  RequestReader reader(head_bytes_max);
  Outcomes out;
  std::size_t first = 0;
  cuts.push_back(bytes.size());
  for (const std::size_t cut : cuts) {
    while (first < cut) {
      const std::span<char> room = reader.prepare();
      const std::size_t count = std::min(room.size(), cut - first);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(first), count, room.begin());
      reader.commit(count);
      first += count;
      drain_reader(reader, out);
      if (!out.empty() && out.back().starts_with("refused")) return out;
    }
  }
  return out;
}

/// The outcome of the bytes, which must be the same whole, byte by byte and cut in two at any place.
Outcomes read_requests(std::string_view bytes) {
  const Outcomes whole = read_in_pieces(bytes, {});
  std::vector<std::size_t> everywhere(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) everywhere[i] = i;
  EXPECT_EQ(read_in_pieces(bytes, everywhere), whole) << "byte by byte: " << bytes;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    EXPECT_EQ(read_in_pieces(bytes, {cut}), whole) << "cut at " << cut << ": " << bytes;
  }
  return whole;
}

const std::string kGood = "POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";
const std::string kNext = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// Alone, and as the second of three pipelined requests: one answer each, and nothing behind a refusal is read.
void expect_refused(const std::string& request, int status) {
  const std::string refused = "refused " + std::to_string(status);
  EXPECT_EQ(read_requests(request), Outcomes{refused}) << request;
  EXPECT_EQ(read_requests(kGood + request + kNext), (Outcomes{"POST /good ok", refused})) << request;
}

void expect_taken(const std::string& request, const std::string& outcome) {
  EXPECT_EQ(read_requests(request), Outcomes{outcome}) << request;
  EXPECT_EQ(read_requests(kGood + request + kNext), (Outcomes{"POST /good ok", outcome, "GET /next "})) << request;
}

std::string with_lines(const std::string& lines, const std::string& body = {}) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body;
}

// stack.md 3.3, row by row.

TEST(RequestReader, RefusesTransferCodingsOtherThanChunked) {
  for (const char* coding :
       {"gzip", "xchunked", "identity", "gzip, chunked", "chunked, gzip", "gzip\r\nTransfer-Encoding: chunked"}) {
    expect_refused(with_lines(std::string("Transfer-Encoding: ") + coding + "\r\n", "0\r\n\r\n"), 501);
  }
}

TEST(RequestReader, RefusesChunkedTwiceAndInHttp10) {
  expect_refused(with_lines("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400);
  expect_refused(with_lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400);
  expect_refused(with_lines("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), 400);
  expect_refused(with_lines("Transfer-Encoding: \r\n", "0\r\n\r\n"), 400);
  expect_refused("POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

TEST(RequestReader, RefusesMissingDoubledAndMalformedHost) {
  expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400);
  expect_taken("GET / HTTP/1.0\r\n\r\n", "GET / ");
}

TEST(RequestReader, RefusesRepeatedContentLength) {
  expect_refused(with_lines("Content-Length: 5, 5\r\n", "hello"), 400);
  expect_refused(with_lines("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400);
  expect_refused(with_lines("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400);
}

TEST(RequestReader, RefusesMalformedContentLength) {
  for (const char* length : {"+5", "-5", "0x5", "", "5 5", "5;", "18446744073709551616", "99999999999999999999999"}) {
    expect_refused(with_lines(std::string("Content-Length: ") + length + "\r\n", "hello"), 400);
  }
}

TEST(RequestReader, RefusesContentLengthBesideTransferEncoding) {
  expect_refused(with_lines("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400);
  expect_refused(with_lines("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400);
}

TEST(RequestReader, RefusesFoldedHeaderLines) {
  expect_refused(with_lines("X-A: b\r\n c\r\n"), 400);
  expect_refused(with_lines("X-A: b\r\n\tc\r\n"), 400);
  expect_refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400);
}

TEST(RequestReader, RefusesBareLineEnds) {
  expect_refused("GET / HTTP/1.1\nHost: a\n\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\rHost: a\r\n\r\n", 400);
}

TEST(RequestReader, RefusesControlsAndBlanksWhereTheyDoNotBelong) {
  expect_refused(with_lines("X-A : b\r\n"), 400);
  expect_refused(with_lines("X A: b\r\n"), 400);
  expect_refused(with_lines(std::string("X-A: b\0c\r\n", 10)), 400);
  expect_refused(with_lines("X-\x01: b\r\n"), 400);
  expect_refused(with_lines("no colon\r\n"), 400);
  expect_refused(with_lines(": b\r\n"), 400);
  expect_refused("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  expect_refused("GET  /a HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  expect_refused("GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

TEST(RequestReader, LowerCaseMethodIsAnotherMethod) {
  expect_taken("get /a HTTP/1.1\r\nHost: a\r\n\r\n", "get /a ");
}

TEST(RequestReader, PathOfAbsoluteTargetCounts) {
  expect_taken("GET http://b.example:80/p?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /p ");
  expect_taken("GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n", "GET / ");
  expect_refused("GET http:///p HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  expect_refused("GET ftp://b/p HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  expect_refused("CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

TEST(RequestReader, HighBytesInTheTargetPass) {
  expect_taken("GET /gr\xC3\xBC HTTP/1.1\r\nHost: a\r\n\r\n", "GET /gr\xC3\xBC ");
}

TEST(RequestReader, SkipsOneEmptyLineBeforeARequest) {
  expect_taken("\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a ");
  expect_refused("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

TEST(RequestReader, RefusesHttp2AndUnknownVersions) {
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  expect_refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
  expect_refused("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505);
  expect_refused("GET / HTTP/11\r\nHost: a\r\n\r\n", 400);
  expect_refused("GET /\r\nHost: a\r\n\r\n", 400);
}

TEST(RequestReader, KnowsOneExpectationOnly) {
  expect_refused(with_lines("Expect: something\r\n"), 417);
  RequestReader reader(32768);
  const std::string request = with_lines("Expect: 100-Continue\r\nContent-Length: 3\r\n");
  std::ranges::copy(request, reader.prepare().begin());
  reader.commit(request.size());
  ASSERT_EQ(reader.next(), RequestReader::Event::head);
  EXPECT_TRUE(reader.head().expects_continue);
}

TEST(RequestReader, RefusesUnknownAndStackedContentCodings) {
  expect_refused(with_lines("Content-Encoding: br\r\nContent-Length: 2\r\n", "ab"), 415);
  expect_refused(with_lines("Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n", "ab"), 415);
  expect_refused(with_lines("Content-Encoding: gzip\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n", "ab"), 415);
  expect_taken(with_lines("Content-Encoding: identity\r\nContent-Length: 2\r\n", "ab"), "POST /x ab");
}

TEST(RequestReader, ReadsSizedBodies) {
  expect_taken(with_lines("Content-Length: 11\r\n", "hello world"), "POST /x hello world");
  expect_taken(with_lines("Content-Length: 0\r\n"), "POST /x ");
  expect_taken(with_lines("Content-Length: 007\r\n", "seven!!"), "POST /x seven!!");
  expect_taken(with_lines(""), "POST /x ");
}

TEST(RequestReader, ReadsChunkedBodiesAndDropsTrailers) {
  const std::string lines = "Transfer-Encoding: chunked\r\n";
  expect_taken(with_lines(lines, "5\r\nhello\r\n6;ext=\"v\"\r\n world\r\n0\r\n\r\n"), "POST /x hello world");
  expect_taken(with_lines(lines, "0\r\n\r\n"), "POST /x ");
  expect_taken(with_lines("Transfer-Encoding: Chunked\r\n", "00A\r\n0123456789\r\n000\r\nX-Trailer: 1\r\n\r\n"),
               "POST /x 0123456789");
}

TEST(RequestReader, RefusesMalformedChunks) {
  const std::string lines = "Transfer-Encoding: chunked\r\n";
  for (const char* body :
       {"x\r\nhello\r\n0\r\n\r\n", "-1\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\rX0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "11111111111111111\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n", "\r\n5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n"}) {
    expect_refused(with_lines(lines, body), 400);
  }
}

TEST(RequestReader, RefusesBodiesOverTheLimit) {
  const std::string big(kBodyBytesMax + 1, 'x');
  expect_refused(with_lines("Content-Length: 65\r\n", big), 413);
  expect_refused(with_lines("Transfer-Encoding: chunked\r\n",
                            "20\r\n" + std::string(32, 'x') + "\r\n21\r\n" + std::string(33, 'x') + "\r\n0\r\n\r\n"),
                 413);
  expect_taken(with_lines("Content-Length: 64\r\n", std::string(64, 'x')), "POST /x " + std::string(64, 'x'));
}

TEST(RequestReader, RefusesHeadsOverTheLimitWholeOrNot) {
  const std::string fits = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100, 'x') + "\r\n\r\n";
  EXPECT_EQ(read_in_pieces(fits, {}, fits.size()), Outcomes{"GET / "});
  EXPECT_EQ(read_in_pieces(fits, {}, fits.size() - 1), Outcomes{"refused 431"});
  EXPECT_EQ(read_in_pieces(fits.substr(0, 100), {}, 99), Outcomes{"refused 431"});
  EXPECT_EQ(read_in_pieces("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x'), {}),
            Outcomes{"refused 431"});
}

TEST(RequestReader, RefusesEndlessChunkHeadersAndTrailers) {
  const std::string head = with_lines("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(read_in_pieces(head + "5;" + std::string(100'000, 'x'), {}), Outcomes{"refused 431"});
  EXPECT_EQ(read_in_pieces(head + "0\r\nX: " + std::string(100'000, 'x'), {}), Outcomes{"refused 431"});
}

TEST(RequestReader, DiscardsABodyWithoutKeepingIt) {
  RequestReader reader(32768);
  const std::string request = with_lines("Content-Length: 5\r\n", "hello");
  std::ranges::copy(request, reader.prepare().begin());
  reader.commit(request.size());
  ASSERT_EQ(reader.next(), RequestReader::Event::head);
  reader.start_body({.bytes_max = 5, .discard = true});
  ASSERT_EQ(reader.next(), RequestReader::Event::complete);
  EXPECT_EQ(reader.body_bytes(), 5U);
  EXPECT_EQ(reader.take_body(), "");
  EXPECT_TRUE(reader.is_between_requests());
}

TEST(RequestReader, KeepAliveFollowsVersionAndConnection) {
  const auto keep_alive = [](const std::string& request) {
    RequestReader reader(32768);
    std::ranges::copy(request, reader.prepare().begin());
    reader.commit(request.size());
    EXPECT_EQ(reader.next(), RequestReader::Event::head);
    return reader.head().is_keep_alive;
  };
  EXPECT_TRUE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(keep_alive("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"));
}

}  // namespace
}  // namespace dendro
