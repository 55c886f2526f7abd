#include "server/response_writer.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

std::string head_of(const HttpResponse& response, ResponseContext context = {}) {
  std::string out;
  append_response_head(out, response, context);
  return out;
}

TEST(ResponseWriter, LeavesFramingToTheServer) {
  HttpResponse response;
  response.headers.add("Content-Length", "99");
  response.headers.add("transfer-encoding", "chunked");
  response.headers.add("Connection", "keep-alive");
  response.headers.add("X-Mine", "1");
  const std::string head = head_of(response, {.content_length = 3, .keep_alive = false});
  EXPECT_EQ(head.find("99"), std::string::npos);
  EXPECT_EQ(head.find("chunked"), std::string::npos);
  EXPECT_EQ(head.find("keep-alive"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Mine: 1\r\n"), std::string::npos);
}

TEST(ResponseWriter, AValueCannotSplitTheReply) {
  HttpResponse response;
  response.headers.add("X-A", "1\r\nX-Evil: 2\r\n\r\nbody");
  response.headers.add("X-B\r\nX-Evil", "2");
  const std::string head = head_of(response);
  EXPECT_EQ(head.find("\r\nX-Evil"), std::string::npos);
  EXPECT_EQ(head.find("\r\n\r\n"), head.size() - 4);
}

TEST(ResponseWriter, BodilessRepliesHaveNeitherLengthNorType) {
  HttpResponse response;
  response.status = 204;
  response.content_type = "text/plain";
  const std::string head = head_of(response, {.framing = BodyFraming::none});
  EXPECT_EQ(head.find("\r\nContent-Length"), std::string::npos);
  EXPECT_EQ(head.find("\r\nContent-Type"), std::string::npos);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 204 No Content\r\n"));
}

TEST(ResponseWriter, HandlersMayChooseTheirCaching) {
  HttpResponse response;
  EXPECT_NE(head_of(response).find("Cache-Control: no-store\r\n"), std::string::npos);
  response.headers.add("cache-control", "no-cache");
  EXPECT_EQ(head_of(response).find("no-store"), std::string::npos);
}

TEST(ResponseWriter, WritesChunks) {
  std::string out;
  append_chunk(out, "");
  EXPECT_EQ(out, "");
  append_chunk(out, std::string(31, 'x'));
  EXPECT_EQ(out, "1f\r\n" + std::string(31, 'x') + "\r\n");
}

}  // namespace
}  // namespace dendro
