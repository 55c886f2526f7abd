#include "query/plan/lookup_tables.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/file_system.h"
#include "query/rows/subquery_rows.h"

namespace dendro {
namespace {

/// The cells of a table as JSON, a line a row, its columns first.
std::string shown(const SubqueryRows& table) {
  std::string text;
  for (const std::string& column : table.shape.columns) text += column + ";";
  for (const TableRow& row : table.rows.table) {
    text += "\n";
    for (const Cell& cell : row) {
      append_value_json(text, cell.value());
      text += ";";
    }
  }
  return text;
}

std::string read(std::string_view name, std::string_view text) {
  const auto table = parse_lookup_table(name, text);
  return table.has_value() ? shown(**table) : table.error().message();
}

TEST(LookupTable, ReadsCsvWithQuotesLinesAndNumbers) {
  EXPECT_EQ(read("t.csv", "a,b\n1,\"x\ny\"\n007,\n-1.50,\"q\"\"q\"\n"),
            "a;b;\n1;\"x\\ny\";\n\"007\";null;\n-1.50;\"q\\\"q\";");
  EXPECT_EQ(read("t.csv",
                 "\xEF\xBB\xBF"
                 "a\r\n\r\n1\r\n"),
            "a;\n1;")
      << "a mark of byte order, blank lines";
}

TEST(LookupTable, NamesTheLineOfWhatIsWrong) {
  EXPECT_EQ(read("t.csv", "a,b\n1,2\n1,\"x"), "table \"t.csv\", line 3: a quotation mark is out of place");
  EXPECT_EQ(read("t.csv", "a,a\n"), "table \"t.csv\", line 1: two columns \"a\"");
  EXPECT_EQ(read("t.csv", "a,\n"), "table \"t.csv\", line 1: a column has no name");
  EXPECT_EQ(read("t.ndjson", "{\"a\":1}\n[1]\n"), "table \"t.ndjson\", line 2: not a JSON object");
}

TEST(LookupTable, HasBounds) {
  std::string wide;
  for (std::size_t i = 0; i <= kMaxLookupColumns; ++i) wide += "c" + std::to_string(i) + ",";
  EXPECT_EQ(read("t.csv", wide + "z\n"), "table \"t.csv\", line 1: more than 256 columns");
  std::string tall = "a\n";
  for (std::size_t i = 0; i <= kMaxLookupRows; ++i) tall += "1\n";
  const auto table = parse_lookup_table("t.csv", tall);
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().code(), ErrorCode::too_large);
}

TEST(LookupTables, AFolderShowsNothingElse) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "dendro_lookup_tables_test";
  std::filesystem::create_directories(folder / "inner");
  std::ofstream(folder / "t.csv") << "a,b\n1,2\n";
  std::ofstream(folder / "inner" / "t.csv") << "a\n";
  std::ofstream(folder / ".hidden.csv") << "a\n";
  const auto files = make_posix_file_system();
  const auto tables = make_folder_lookup_tables(*files, folder.string());
  ASSERT_TRUE(tables->find("t.csv").has_value());
  EXPECT_EQ(shown(**tables->find("t.csv")), "a;b;\n1;2;");
  for (const char* name : {"inner/t.csv", "../t.csv", "/etc/passwd", ".hidden.csv", "..", "", "inner"}) {
    const auto refused = tables->find(name);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().message().find(folder.string()), std::string::npos) << refused.error().message();
  }
  EXPECT_TRUE(make_path_lookup_tables(*files)->find((folder / "inner" / "t.csv").string()).has_value());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dendro
