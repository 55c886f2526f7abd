#include "query/language/query_fault.h"

#include <utility>

#include "base/json_writer.h"
#include "base/utf8.h"

namespace dendro {

std::string QueryFault::detail() const {
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + message;
}

std::string QueryFault::to_json() const {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.member("offset", offset);
  writer.member("size", size);
  writer.member("column", column);
  writer.member("line", line);
  writer.member("expected", expected);
  writer.key("suggestion");
  if (suggestion.empty()) {
    writer.null();
  } else {
    writer.value(suggestion);
  }
  writer.end_object();
  return json;
}

QueryFault fault_at(std::string_view query, std::size_t offset, std::size_t size, std::string message) {
  QueryFault fault;
  fault.message = std::move(message);
  fault.offset = offset;
  fault.size = size;
  const std::string_view before = query.substr(0, offset);
  const std::size_t line_first = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  for (const char c : before) fault.line += c == '\n' ? 1u : 0u;
  fault.column = 1 + count_code_points(before.substr(line_first));
  return fault;
}

std::string fault_text(const QueryFault& fault, std::string_view query) {
  const std::size_t offset = std::min(fault.offset, query.size());
  const std::size_t before = query.substr(0, offset).rfind('\n');
  const std::size_t first = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view line = query.substr(first, query.find('\n', first) - first);
  std::string text = fault.detail() + "\n  " + std::string(line) + "\n  " + std::string(fault.column - 1, ' ') + "^\n";
  if (!fault.suggestion.empty()) text += "did you mean: " + fault.suggestion + "\n";
  return text;
}

}  // namespace dendro
