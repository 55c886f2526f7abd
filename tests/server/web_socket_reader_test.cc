#include "server/web_socket_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "server/web_socket_handshake.h"
#include "tests/server/web_socket_frames.h"

namespace dendro {
namespace {

using Kind = WebSocketReader::Kind;

/// What comes out of bytes fed in pieces of `piece` bytes: "text:hello", "failed:1002", ...
std::vector<std::string> read_frames(std::string_view bytes, std::size_t piece, std::size_t message_bytes_max = 100) {
  WebSocketReader reader(message_bytes_max);
  std::vector<std::string> out;
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (auto event = reader.next(); event.kind != Kind::need_more; event = reader.next()) {
      switch (event.kind) {
        case Kind::text:
          out.push_back("text:" + event.payload);
          break;
        case Kind::ping:
          out.push_back("ping:" + event.payload);
          break;
        case Kind::pong:
          out.push_back("pong");
          break;
        case Kind::closed:
          out.push_back("closed:" + std::to_string(event.code));
          break;
        default:
          out.push_back("failed:" + std::to_string(event.code));
      }
    }
  }
  return out;
}

using Events = std::vector<std::string>;

TEST(WebSocketReader, GivesTheSameMessagesHoweverTheBytesAreCut) {
  const std::string bytes =
      masked_frame(WebSocketOpcode::text, "hello") + masked_frame(WebSocketOpcode::text, "fra", false) +
      masked_frame(WebSocketOpcode::ping, "p") + masked_frame(WebSocketOpcode::continuation, "gm", false) +
      masked_frame(WebSocketOpcode::continuation, "ent") + masked_frame(WebSocketOpcode::pong, "") +
      masked_frame(WebSocketOpcode::text, std::string(90, 'x')) +
      masked_frame(WebSocketOpcode::close, std::string("\x03\xE8 bye", 6));
  const Events expected{"text:hello", "ping:p", "text:fragment", "pong", "text:" + std::string(90, 'x'), "closed:1000"};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) EXPECT_EQ(read_frames(bytes, piece), expected) << piece;
}

TEST(WebSocketReader, ReadsLengthsOfTwoAndEightBytes) {
  for (const std::size_t size : {125U, 126U, 65'535U, 65'536U}) {
    const std::string text(size, 'y');
    EXPECT_EQ(read_frames(masked_frame(WebSocketOpcode::text, text), 1000, 1 << 20), Events{"text:" + text}) << size;
  }
}

TEST(WebSocketReader, RefusesWhatTheProtocolForbids) {
  const auto refuses = [](const std::string& bytes, const char* code) {
    for (const std::size_t piece : {std::size_t{1}, bytes.size()}) {
      const Events events = read_frames(bytes, piece);
      ASSERT_FALSE(events.empty()) << code;
      EXPECT_EQ(events.back(), "failed:" + std::string(code));
    }
  };
  const std::string good = masked_frame(WebSocketOpcode::text, "hello");
  std::string unmasked;
  append_web_socket_frame(unmasked, WebSocketOpcode::text, "hello");
  refuses(unmasked, "1002");
  refuses("\xC1" + good.substr(1), "1002");                                           // a reserved bit
  refuses("\x83" + good.substr(1), "1002");                                           // an unknown opcode
  refuses(masked_frame(WebSocketOpcode::continuation, "a"), "1002");                  // of nothing
  refuses(masked_frame(WebSocketOpcode::text, "a", false) + good, "1002");            // within a message
  refuses(masked_frame(WebSocketOpcode::ping, "a", false), "1002");                   // a cut control frame
  refuses(masked_frame(WebSocketOpcode::ping, std::string(126, 'a')), "1002");        // and a long one
  refuses(masked_frame(WebSocketOpcode::close, "\x03"), "1002");                      // half a code
  refuses(masked_frame(WebSocketOpcode::close, std::string("\x03\xED", 2)), "1002");  // 1005
  refuses(std::string("\x81\xFE\x00\x05", 4) + std::string(9, 'a'), "1002");          // not the shortest length
  refuses(masked_frame(WebSocketOpcode::binary, "a"), "1003");
  refuses(masked_frame(WebSocketOpcode::text, "\xC3\x28"), "1007");
  refuses(masked_frame(WebSocketOpcode::text, std::string(101, 'a')), "1009");
  refuses(masked_frame(WebSocketOpcode::text, std::string(60, 'a'), false) +
              masked_frame(WebSocketOpcode::continuation, std::string(41, 'a')),
          "1009");
  refuses(std::string("\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10), "1009");
}

TEST(WebSocketReader, SaysNothingMoreOnceItIsOver) {
  WebSocketReader reader(100);
  reader.feed(masked_frame(WebSocketOpcode::close, "") + masked_frame(WebSocketOpcode::text, "late"));
  EXPECT_EQ(reader.next().kind, Kind::closed);
  EXPECT_EQ(reader.next().kind, Kind::need_more);
}

TEST(WebSocketHandshake, AnswersTheKeyOfTheStandard) {
  EXPECT_EQ(web_socket_accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace dendro
