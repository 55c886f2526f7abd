#include "tests/query/qtest_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace dendro {
namespace {

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

QueryTestFile read_qtest_file(const std::string& path) {
  QueryTestFile file;
  std::ifstream stream(path);
  EXPECT_TRUE(stream.good()) << path;
  std::string now, data;
  std::string line;
  int number = 0;
  const auto next_line = [&] {
    ++number;
    return static_cast<bool>(std::getline(stream, line));
  };
  const auto block = [&] {
    std::vector<std::string> lines;
    while (next_line() && !line.empty()) lines.push_back(line);
    return lines;
  };
  while (next_line()) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (word == "data") {
      for (const std::string& record : block()) file.data[rest] += record + "\n";
      continue;
    }
    if (word == "table") {
      for (const std::string& row : block()) file.tables[rest] += row + "\n";
      continue;
    }
    if (word == "now") now = rest;
    if (word == "on") data = rest;
    if (word == "test") {
      QueryCase& fresh = file.cases.emplace_back();
      fresh.sentence = rest;
      fresh.line = number;
      fresh.now = now;
      fresh.data = data;
    }
    if (file.cases.empty() || word == "on" || word == "now") continue;
    QueryCase& current = file.cases.back();

    if (word == "query")
      current.query += (current.query.empty() ? "" : "\n") + rest;
    else if (word == "tz")
      current.tz = rest;
    else if (word == "order")
      current.order = rest;
    else if (word == "limit")
      current.limit = rest;
    else if (word == "default_field")
      current.default_field = rest;
    else if (word == "fields")
      current.fields = split_words(rest);
    else if (word == "ids")
      current.ids = rest == "none" ? std::vector<std::string>() : split_words(rest);
    else if (word == "rows")
      current.rows = rest == "none" ? std::vector<std::string>() : block();
    else if (word == "unimplemented")
      current.unimplemented = rest;
    else if (word == "suggestion")
      current.suggestion = rest == "-" ? "" : rest;
    else if (word == "canonical")
      current.canonical = rest;
    else if (word == "warning")
      current.warning = rest;
    else if (word == "error") {
      const std::size_t second = rest.find(' ');
      current.error_column = static_cast<std::size_t>(std::stoul(rest.substr(0, second)));
      current.error = rest.substr(second + 1);
    } else {
      EXPECT_TRUE(word == "test") << path << ":" << number << ": unknown word " << word;
    }
  }
  return file;
}

}  // namespace dendro
