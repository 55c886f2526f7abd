#include "apps/tail_printer.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace dendro {
namespace {

using Views = std::vector<std::string_view>;

TEST(EventReader, GivesTheSameEventsHoweverTheBytesAreCut) {
  const std::string bytes =
      "event: hello\nid: 7\ndata: {}\n\n: ping\n\nevent:rows\r\ndata: a\r\ndata: b\r\n\r\nid: 9\n\nevent: rows\ndata: "
      "cut";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EventReader reader;
    std::vector<ServerEvent> events;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      for (ServerEvent& event : reader.feed(std::string_view(bytes).substr(at, piece)))
        events.push_back(std::move(event));
    }
    ASSERT_EQ(events.size(), 2U) << piece;
    EXPECT_EQ(events[0].name, "hello");
    EXPECT_EQ(events[0].id, "7");
    EXPECT_EQ(events[0].data, "{}");
    EXPECT_EQ(events[1].name, "rows");
    EXPECT_EQ(events[1].data, "a\nb");
  }
}

TEST(SplitJsonArray, LeavesElementsAsTheyAreWritten) {
  EXPECT_EQ(split_json_array("[]"), Views{});
  EXPECT_EQ(split_json_array(R"([{"a":1.50}],"x":[3])"), Views{R"({"a":1.50})"});
  EXPECT_EQ(split_json_array(R"([{"a":"],}\"{["},{"b":[1,2,{}]},3])"),
            (Views{R"({"a":"],}\"{["})", R"({"b":[1,2,{}]})", "3"}));
  EXPECT_EQ(split_json_array("[{\"a\""), Views{}) << "what is cut gives nothing";
}

/// What the printer wrote to a file.
struct Printed {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), &std::fclose};
  std::string text() const {
    std::rewind(file.get());
    std::string bytes(4096, '\0');
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
    return bytes;
  }
};

TEST(TailPrinter, PrintsRowsOnOneStreamAndGapsOnTheOther) {
  const Printed out, err;
  TailPrinter printer(TailOutput::text, out.file.get(), err.file.get());
  const std::string row = R"({"_time":"2026-11-20T10:00:00.000000000Z","severity":"error","body":"a\u001bb","n":1})";
  ASSERT_TRUE(printer.print({"rows", "5", R"({"type":"rows","rows":[)" + row + R"(,{"n":1}],"rate_per_s":2})"}));
  ASSERT_TRUE(printer.print({"gap", "6", R"({"count":3,"from_cursor":"5","to_cursor":"6","reason":"rate"})"}));
  ASSERT_TRUE(printer.print({"end", "", R"({"type":"end","reason":"shutdown"})"}));
  EXPECT_EQ(out.text(), "2026-11-20T10:00:00.000000000Z error a b\n{\"n\":1}\n");
  EXPECT_EQ(err.text(), "-- gap: 3 records left out (rate), cursors 5 to 6\n");
  EXPECT_EQ(printer.end_reason(), "shutdown");
  const Printed lines;
  TailPrinter ndjson(TailOutput::ndjson, lines.file.get(), err.file.get());
  ASSERT_TRUE(ndjson.print({"rows", "5", R"({"rows":[{"n":1.50},{"n":2}]})"}));
  EXPECT_EQ(lines.text(), "{\"n\":1.50}\n{\"n\":2}\n");
}

/// What a printer writes to its output.
std::string printed(TailTables tables, const std::vector<ServerEvent>& events) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  {
    TailPrinter printer(TailOutput::text, out, stderr, tables);
    for (const ServerEvent& event : events) EXPECT_TRUE(printer.print(event).has_value());
  }
  std::fclose(out);
  std::string found(text, size);
  std::free(text);
  return found;
}

TEST(TailPrinter, DrawsATableInThePlaceOfTheOneBefore) {
  const ServerEvent first{"table", "1",
                          R"({"columns":["pod","n"],"rows":[{"pod":"a\u001b[1m","n":7}],"complete":true})"};
  const ServerEvent second{"table", "2",
                           R"({"columns":["pod","n"],"rows":[{"pod":"a","n":10},{"n":2}],"complete":true})"};
  EXPECT_EQ(printed(TailTables::in_place, {first, second}),
            "\r\033[J"
            "pod    n\na [1m  7\n1 row, Ctrl-C ends\n"
            "\033[A\033[A\033[A\r\033[J"
            "pod   n\na    10\n-     2\n2 rows, Ctrl-C ends\n");
  EXPECT_EQ(printed(TailTables::one_below_the_other, {second}), "{\"pod\":\"a\",\"n\":10}\n{\"n\":2}\n");
}

}  // namespace
}  // namespace dendro
