#include "server/routes/query_problem.h"

#include "base/json_writer.h"
#include "server/http_text.h"

namespace dendro {

HttpResponse query_problem(const QueryFault& fault, const std::string& request_id) {
  const int status = http_status_of(fault.code);
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  writer.member("type", "about:blank");
  writer.member("title", reason_phrase(status));
  writer.member("status", status);
  writer.member("detail", fault.detail());
  writer.member("code", fault.code == ErrorCode::invalid_argument ? std::string_view("query_syntax")
                                                                  : error_code_name(fault.code));
  writer.member("request_id", request_id);
  writer.key("query");
  writer.raw(fault.to_json());
  writer.end_object();
  HttpResponse response = json_response(status, std::move(body));
  response.content_type = "application/problem+json";
  return response;
}

}  // namespace dendro
