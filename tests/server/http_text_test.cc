#include "server/http_text.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

TEST(HttpText, FoldsAsciiCaseOnly) {
  EXPECT_TRUE(equals_folding_case("Content-LENGTH", "content-length"));
  EXPECT_FALSE(equals_folding_case("a", "ab"));
  EXPECT_FALSE(equals_folding_case("\xC3\x84", "\xC3\xA4"));
  EXPECT_FALSE(equals_folding_case("[", "{"));
}

TEST(HttpText, DecodesPercentEscapesAndKeepsBadOnes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc%2f", PlusSign::literal), "a b/c/");
  EXPECT_EQ(percent_decode("a+b", PlusSign::literal), "a+b");
  EXPECT_EQ(percent_decode("a+b", PlusSign::blank), "a b");
  EXPECT_EQ(percent_decode("%", PlusSign::literal), "%");
  EXPECT_EQ(percent_decode("%4", PlusSign::literal), "%4");
  EXPECT_EQ(percent_decode("%zz%41", PlusSign::literal), "%zzA");
}

TEST(HttpText, SplitsQueriesKeepingOrderAndDuplicates) {
  EXPECT_EQ(parse_query_text("b=1&a=2&b=3"), (Rows{{"b", "1"}, {"a", "2"}, {"b", "3"}}));
  EXPECT_EQ(parse_query_text("a&&b=&=c"), (Rows{{"a", ""}, {"b", ""}, {"", "c"}}));
  EXPECT_EQ(parse_query_text("q=a%26b=c"), (Rows{{"q", "a&b=c"}}));
  EXPECT_EQ(parse_query_text(""), Rows{});
}

TEST(HttpText, SplitsLists) {
  EXPECT_EQ(split_list(" a , b,,\tc"), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_TRUE(split_list(" , ").empty());
}

TEST(HttpText, EscapesHtml) {
  std::string out;
  append_html(out, "<a href=\"x\" title='y'>&</a>");
  EXPECT_EQ(out, "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
}

}  // namespace
}  // namespace dendro
