#include "query/language/lexer.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

std::vector<std::string> texts(std::string_view query, LexMode mode = LexMode::plain) {
  std::vector<std::string> found;
  const Lexer lexer(query);
  for (Token token = lexer.lex(0, mode); token.kind != TokenKind::end; token = lexer.lex(token.end(), mode)) {
    if (token.kind == TokenKind::bad) {
      found.push_back("bad: " + token.problem);
      break;
    }
    found.push_back(token.is_text() ? token.text : std::string(query.substr(token.offset, token.size)));
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(Lexer, WordsHoldWhatTheyMay) {
  EXPECT_EQ(texts("foo-bar /api/v1 10.0.0.1 a@b.c"), (Texts{"foo-bar", "/api/v1", "10.0.0.1", "a@b.c"}));
  EXPECT_EQ(texts("a:=b|c"), (Texts{"a", ":", "=", "b", "|", "c"}));
  EXPECT_EQ(texts("x*>=y!=z!~q<=~"), (Texts{"x", "*", ">=", "y", "!=", "z", "!~", "q", "<=", "~"}));
}

TEST(Lexer, ValuesMayHoldColonsAndSigns) {
  EXPECT_EQ(texts("2026-11-20T10:02", LexMode::value), (Texts{"2026-11-20T10:02"}));
  EXPECT_EQ(texts("fe80::1 -5 +3", LexMode::value), (Texts{"fe80::1", "-5", "+3"}));
  EXPECT_EQ(texts("-5"), (Texts{"-", "5"}));
}

TEST(Lexer, StringsKnowTheirEscapes) {
  EXPECT_EQ(texts(R"("a\"b" 'c\'d' "\x41\u00e9\n\t\r\/\\")"), (Texts{"a\"b", "c'd", "A\xC3\xA9\n\t\r/\\"}));
  EXPECT_EQ(texts(R"(`a\"b`)"), (Texts{"a\\\"b"}));
  EXPECT_EQ(texts(R"("a\qb")"), (Texts{R"(bad: unknown escape "\q"; known are \\ \" \' \/ \n \t \r \xHH \uHHHH)"}));
  EXPECT_EQ(texts(R"("\ud800")").size(), 1u);
  EXPECT_EQ(texts("'abc"), (Texts{"bad: this string is never closed"}));
  EXPECT_EQ(texts("\"abc\\"), (Texts{"bad: this string is never closed"}));
}

TEST(Lexer, CommentsReachToTheEndOfTheLine) {
  EXPECT_EQ(texts("a # b | c\nd a#b"), (Texts{"a", "d", "a#b"}));
  EXPECT_EQ(texts("#"), Texts{});
}

TEST(Lexer, SavedFilters) {
  EXPECT_EQ(Lexer("$errors").lex(0, LexMode::plain).kind, TokenKind::saved);
  EXPECT_EQ(Lexer("$errors").lex(0, LexMode::value).kind, TokenKind::word) << "behind a colon it is text";
}

}  // namespace
}  // namespace dendro
