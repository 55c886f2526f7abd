#include "query/query_fault.h"

#include "base/json_writer.h"

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
  writer.key("expected");
  writer.begin_array();
  for (const std::string& item : expected) writer.value(item);
  writer.end_array();
  writer.key("suggestion");
  if (suggestion.empty()) {
    writer.null();
  } else {
    writer.value(suggestion);
  }
  writer.end_object();
  return json;
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
