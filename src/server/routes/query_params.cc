#include "server/routes/query_params.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/json_document.h"
#include "server/http_text.h"

namespace dendro {
namespace {

/// Longest a caller may ask for; the default is 30 s (query-language.md 9.2).
constexpr std::int64_t kTimeoutMsMax = 600'000;

/// One value as it came: a JSON value, or the text of a parameter. Reads it as what a member needs.
class QueryParam {
 public:
  QueryParam(std::string_view name, const JsonValue& json) : name_(name), json_(&json) {}
  QueryParam(std::string_view name, std::string_view text) : name_(name), text_(text) {}

  std::string_view name() const { return name_; }
  bool is_null() const { return json_ != nullptr && json_->is_null(); }

  std::optional<std::string> text() const {
    if (json_ == nullptr) return std::string(text_);
    if (const auto string = json_->as_string()) return std::string(*string);
    return std::nullopt;
  }
  /// A time: text, or an epoch number.
  std::optional<std::string> time() const {
    if (json_ != nullptr) {
      if (const auto number = json_->as_int()) return std::to_string(*number);
    }
    return text();
  }
  std::optional<std::int64_t> count() const {
    if (json_ != nullptr) return json_->as_int();
    std::int64_t number = 0;
    const char* end = text_.data() + text_.size();
    const auto result = std::from_chars(text_.data(), end, number);
    return !text_.empty() && result.ec == std::errc() && result.ptr == end ? std::optional(number) : std::nullopt;
  }
  std::optional<bool> flag() const {
    if (json_ != nullptr) return json_->as_bool();
    if (text_ == "true" || text_ == "1") return true;
    return text_ == "false" || text_ == "0" ? std::optional(false) : std::nullopt;
  }
  std::optional<std::vector<std::string>> names() const {
    std::vector<std::string> names;
    if (json_ == nullptr) {
      for (const std::string_view name : split_list(text_)) names.emplace_back(name);
      return names;
    }
    if (!json_->is_array()) return std::nullopt;
    for (const JsonValue& element : json_->elements()) {
      const auto name = element.as_string();
      if (!name) return std::nullopt;
      names.emplace_back(*name);
    }
    return names;
  }

 private:
  std::string_view name_;
  const JsonValue* json_ = nullptr;
  std::string_view text_;
};

/// Puts parameters into a QueryCall.
class CallReader {
 public:
  CallReader(QueryCall& call, QueryParamFault& fault) : call_(call), fault_(fault) {}

  Status take(const QueryParam& param) {
    if (param.is_null()) return {};
    QueryRequest& request = call_.request;
    const std::string_view name = param.name();
    if (name == "query") return set(param, param.text(), request.query, "must be a string");
    if (name == "start") return set(param, param.time(), request.start, "must be a time");
    if (name == "end") return set(param, param.time(), request.end, "must be a time");
    if (name == "tz") return set(param, param.text(), request.tz, "must be a string");
    if (name == "cursor") return set(param, param.text(), request.cursor, "must be a string");
    if (name == "default_field") return set(param, param.text(), request.default_field, "must be a string");
    if (name == "fields") return set(param, param.names(), request.fields, "must be a list of names");
    if (name == "progress") return set(param, param.flag(), request.progress, "must be true or false");
    if (name == "explain") return take_explain(param);
    if (name == "exact") return set(param, param.flag(), request.exact, "must be true or false");
    if (name == "limit") return take_limit(param);
    if (name == "clip_bytes") return take_clip_bytes(param);
    if (name == "timeout_ms") return take_timeout(param);
    if (name == "order") return take_order(param);
    if (name == "format") return take_format(param);
    if (name == "cache" || name == "tenant") return {};
    if (name == "gap" || name == "source")
      return Error(ErrorCode::unimplemented, std::string(name) + " is not built yet");
    return fail(param, "is not known here");
  }

 private:
  Error fail(const QueryParam& param, std::string message) {
    fault_ = {std::string(param.name()), std::move(message)};
    return Error(ErrorCode::invalid_argument, fault_.field + " " + fault_.message);
  }
  template <typename T>
  Status set(const QueryParam& param, std::optional<T> value, T& member, const char* need) {
    if (!value) return fail(param, need);
    member = std::move(*value);
    return {};
  }
  Status take_explain(const QueryParam& param) {
    const auto word = param.text();
    if (word == "plan" || word == "analyze") {
      call_.request.explain = word == "plan" ? ExplainMode::plan : ExplainMode::analyze;
      return {};
    }
    const auto flag = param.flag();
    if (!flag) return fail(param, "must be true, false, \"plan\" or \"analyze\"");
    call_.request.explain = *flag ? ExplainMode::analyze : ExplainMode::no;
    return {};
  }
  Status take_limit(const QueryParam& param) {
    const auto count = param.count();
    if (!count || *count < 0) return fail(param, "must be a whole number, 0 for all rows");
    call_.request.limit = static_cast<std::uint64_t>(*count);
    return {};
  }
  Status take_clip_bytes(const QueryParam& param) {
    const auto count = param.count();
    if (!count || *count < 0) return fail(param, "must be a whole number, 0 to clip nothing");
    call_.request.clip_bytes = static_cast<std::uint64_t>(*count);
    return {};
  }
  Status take_timeout(const QueryParam& param) {
    const auto count = param.count();
    if (!count || *count < 1) return fail(param, "must be a whole number above 0");
    call_.request.timeout = std::chrono::milliseconds(std::min(*count, kTimeoutMsMax));
    return {};
  }
  Status take_order(const QueryParam& param) {
    const auto order = param.text();
    if (order != "asc" && order != "desc") return fail(param, "must be \"asc\" or \"desc\"");
    call_.request.order = *order == "asc" ? ScanOrder::oldest_first : ScanOrder::newest_first;
    return {};
  }
  Status take_format(const QueryParam& param) {
    const auto name = param.text();
    const auto format = name ? parse_output_format(*name) : std::nullopt;
    if (!format) return fail(param, "must be ndjson, json, csv, text or table");
    call_.format = *format;
    return {};
  }

  QueryCall& call_;
  QueryParamFault& fault_;
};

OutputFormat format_of_accept(const HttpRequest& request) {
  for (const std::string_view range : split_list(request.headers.find("Accept").value_or(""))) {
    const std::string_view type = trim_blanks(range.substr(0, range.find(';')));
    if (equals_folding_case(type, "application/x-ndjson")) return OutputFormat::ndjson;
    if (equals_folding_case(type, "application/json")) return OutputFormat::json;
    if (equals_folding_case(type, "text/csv")) return OutputFormat::csv;
    if (equals_folding_case(type, "text/plain")) return OutputFormat::text;
  }
  return OutputFormat::ndjson;
}

}  // namespace

Result<std::string> QueryExtras::text(std::string_view name, std::string otherwise, QueryParamFault& fault) const {
  const auto found = values.find(name);
  if (found == values.end()) return otherwise;
  if (const auto text = found->second.as_string()) return std::string(*text);
  fault = {std::string(name), "must be a string"};
  return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
}

Result<std::uint64_t> QueryExtras::count(std::string_view name, std::uint64_t otherwise, std::uint64_t min,
                                         std::uint64_t max, QueryParamFault& fault) const {
  const auto found = values.find(name);
  if (found == values.end()) return otherwise;
  const auto number = found->second.as_int();
  if (number && *number >= 0 && static_cast<std::uint64_t>(*number) >= min &&
      static_cast<std::uint64_t>(*number) <= max)
    return static_cast<std::uint64_t>(*number);
  fault = {std::string(name), "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max)};
  return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
}

Result<QueryCall> read_query_call(const HttpRequest& request, QueryParamFault& fault, QueryExtras* extras) {
  QueryCall call;
  call.request.now = request.received;
  call.format = format_of_accept(request);
  CallReader reader(call, fault);
  const auto is_extra = [extras](std::string_view name) {
    return extras != nullptr && std::find(extras->names.begin(), extras->names.end(), name) != extras->names.end();
  };
  if (request.method == "POST") {
    DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
    if (!body.is_object())
      return Error(ErrorCode::invalid_argument, "the body must be an object, not " + std::string(body.kind_text()));
    for (const auto& [name, value] : body.members()) {
      if (!is_extra(name)) {
        DENDRO_TRY(reader.take(QueryParam(name, value)));
      } else if (!value.is_null()) {
        extras->values[name] = value;
      }
    }
  }
  for (const auto& [name, text] : request.query) {
    if (!is_extra(name)) DENDRO_TRY(reader.take(QueryParam(name, std::string_view(text))));
  }
  return call;
}

}  // namespace dendro
