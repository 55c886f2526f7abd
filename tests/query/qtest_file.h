#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

// The format of *.qtest files. Lines; `#` at the start is a comment, blank lines separate.
//
//   data NAME            the JSON records on the next lines, up to a blank line, are the set NAME
//   table NAME           the lines up to a blank line are a table for `lookup`
//   now TIME             of the tests that follow
//   test SENTENCE        begins a test
//   on NAME              the set it queries; stays until the next `on`
//   query TEXT           one line; several `query` lines are one text with line feeds
//   tz, order, limit, fields, default_field VALUE
// and what is expected, one of:
//   ids a7 a5            the field `id` of each row, in order; `ids none`
//   rows                 the lines up to a blank line are the rows, in order, byte by byte; `rows none`
//   error COLUMN TEXT    a syntax error
//   unimplemented TEXT   known to the language, not built yet; TEXT is part of the message
// and besides:
//   suggestion TEXT      of the error; `-` for none
//   warning CODE         among those of the answer
//   canonical TEXT       of the whole query

struct QueryCase {
  std::string sentence, data, now, query, tz, order, limit, default_field;
  std::vector<std::string> fields;
  std::optional<std::vector<std::string>> ids, rows;
  std::optional<std::string> error, unimplemented, suggestion, canonical, warning;
  std::size_t error_column = 0;
  int line = 0;
};

struct QueryTestFile {
  std::map<std::string, std::string> data;
  std::map<std::string, std::string, std::less<>> tables;
  std::vector<QueryCase> cases;
};

/// Reads a file; a mistake in it is a test failure.
QueryTestFile read_qtest_file(const std::string& path);

}  // namespace dendro
