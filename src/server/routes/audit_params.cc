#include "server/routes/audit_params.h"

#include <charconv>
#include <string>
#include <utility>

#include "server/routes/audit_reply.h"
#include "services/analyze/analyze_params.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

constexpr std::string_view kQueryPlace = "query";

void add_query_fault(FieldFaults& faults, std::string_view name, std::string message, std::string_view type) {
  faults.push_back({kQueryPlace, {}, std::string(name), std::move(message), type});
}

}  // namespace

std::optional<std::int64_t> audit_number(const HttpRequest& request, std::string_view name, std::int64_t min,
                                         std::int64_t max, FieldFaults& faults) {
  const auto text = request.query_param(name);
  if (!text) return std::nullopt;
  if (!is_integer_text(*text)) {
    add_query_fault(faults, name, "Input should be a valid integer, unable to parse string as an integer",
                    "int_parsing");
    return std::nullopt;
  }
  std::int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data() + (text->front() == '+' ? 1 : 0), end, number);
  const bool is_small = parsed.ec == std::errc::result_out_of_range ? text->front() == '-' : number < min;
  if (is_small) {
    add_query_fault(faults, name, "Input should be greater than or equal to " + std::to_string(min),
                    "greater_than_equal");
    return std::nullopt;
  }
  if (parsed.ec == std::errc::result_out_of_range || number > max) {
    add_query_fault(faults, name, "Input should be less than or equal to " + std::to_string(max), "less_than_equal");
    return std::nullopt;
  }
  return number;
}

bool audit_truth(const HttpRequest& request, std::string_view name, FieldFaults& faults) {
  const auto text = request.query_param(name);
  if (!text) return false;
  const std::optional<bool> word = parse_boolean_word(*text);
  if (!word) {
    add_query_fault(faults, name, "Input should be a valid boolean, unable to interpret input", "bool_parsing");
  }
  return word.value_or(false);
}

AuditFilter audit_filter_of(const HttpRequest& request, FieldFaults& faults) {
  const AuditParam param = [&request](std::string_view name) -> std::optional<std::string> {
    const auto value = request.query_param(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  return read_audit_filter(param, kQueryPlace, faults);
}

AuditPageRequest audit_page_of(const HttpRequest& request, FieldFaults& faults) {
  AuditPageRequest page;
  page.tenant = request.tenant;
  page.now = request.received;
  page.cancel = request.cancel;
  const std::size_t faults_before = faults.size();
  const auto skip = audit_number(request, "skip", 0, kAuditSkipMax, faults);
  if (faults.size() > faults_before && faults.back().type == "less_than_equal") {
    faults.back().message += "; go on with cursor, the next_cursor of the page before";
  }
  page.skip = static_cast<std::uint64_t>(skip.value_or(0));
  const auto limit = audit_number(request, "limit", 1, kAuditPageMax, faults);
  if (faults.size() > faults_before && faults.back().field == "limit" && faults.back().type == "less_than_equal") {
    faults.back().message += "; go on with cursor, the next_cursor of the page before";
  }
  page.limit = static_cast<std::uint64_t>(limit.value_or(kAuditPageDefault));
  page.cursor = request.query_param("cursor").value_or("");
  if (!page.cursor.empty() && page.skip > 0) {
    add_query_fault(faults, "skip", "skip and cursor exclude each other", "value_error");
  }
  return page;
}

void add_filter_params(Route& route) {
  const std::string text = R"({"type":"string"})";
  const std::string time = R"({"type":"string","format":"date-time"})";
  for (RouteParam& param : std::vector<RouteParam>{
           audit_param("action",
                       R"({"type":"string","enum":["CREATE","UPDATE","DELETE","VIEW","LOGIN","LOGOUT","IMPORT",)"
                       R"("EXPORT","READ"]})",
                       "Exactly."),
           audit_param("resource_type", text, "Exactly."), audit_param("resource_id", text, "Exactly."),
           audit_param("severity", R"({"type":"string","enum":["INFO","WARNING","ERROR","CRITICAL"]})", "Exactly."),
           audit_param("session_id", text, "Exactly."),
           audit_param("user_id", text, "`metadata.user_id` or `user_id`, exactly."),
           audit_param("ip_address", text, "Exactly."), audit_param("request_id", text, "Exactly."),
           audit_param("start_time", time, "From then on; without a zone UTC."),
           audit_param("end_time", time, "Up to then, that instant included."),
           audit_param("search", text,
                       "Words, all of which must occur in message, resource type, resource id or a value of the "
                       "metadata, in any case; in double quotes a phrase.")}) {
    route.params.push_back(std::move(param));
  }
}

void add_page_params(Route& route) {
  route.params.push_back(audit_param("skip", R"({"type":"integer","minimum":0,"maximum":10000,"default":0})",
                                     "Logs passed over; further on only by `cursor`."));
  route.params.push_back(
      audit_param("limit", R"({"type":"integer","minimum":1,"maximum":1000,"default":100})", "Logs a page."));
  route.params.push_back(
      audit_param("cursor", R"({"type":"string"})", "`next_cursor` of the page before, with the same filters."));
}

}  // namespace dendro
