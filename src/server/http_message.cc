#include "server/http_message.h"

#include <algorithm>

#include "server/http_text.h"

namespace dendro {
namespace {

std::optional<std::string_view> first_value(const std::vector<std::pair<std::string, std::string>>& rows,
                                            std::string_view name) {
  const auto row = std::ranges::find_if(rows, [name](const auto& pair) { return pair.first == name; });
  if (row == rows.end()) return std::nullopt;
  return row->second;
}

}  // namespace

void HttpHeaders::set(std::string_view name, std::string value) {
  std::erase_if(rows_, [name](const auto& row) { return equals_folding_case(row.first, name); });
  add(std::string(name), std::move(value));
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const {
  for (const auto& [row_name, value] : rows_) {
    if (equals_folding_case(row_name, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> HttpRequest::query_param(std::string_view name) const {
  return first_value(query, name);
}

std::optional<std::string_view> HttpRequest::path_param(std::string_view name) const {
  return first_value(path_params, name);
}

HttpResponse json_response(int status, std::string json) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(json);
  return response;
}

}  // namespace dendro
