#include "server/routes/analyze_query.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "services/analyze/analyze_params.h"

namespace dendro {
namespace {

/// Faults in the order they were found, as the 422 array has them.
class ParamFaults {
 public:
  void add(std::string_view name, std::string_view message, std::string_view type) {
    json_.begin_object();
    json_.key("loc");
    json_.begin_array();
    json_.value("query");
    json_.value(name);
    json_.end_array();
    json_.member("msg", message);
    json_.member("type", type);
    json_.end_object();
    any_ = true;
  }
  bool any() const { return any_; }
  std::string take() { return "[" + text_ + "]"; }

 private:
  std::string text_;
  JsonWriter json_{text_};
  bool any_ = false;
};

/// A whole number from `min` to `max`; notes a fault otherwise.
std::uint64_t read_number(std::string_view name, std::string_view text, std::uint64_t min, std::uint64_t max,
                          ParamFaults& faults) {
  const std::optional<std::uint64_t> number = parse_threshold(text);
  if (number && *number >= min && *number <= max) return *number;
  const bool below = text.starts_with('-') || (number && *number < min);
  if (!is_integer_text(text)) {
    faults.add(name, "Input should be a valid integer, unable to parse string as an integer", "int_parsing");
  } else if (below) {
    faults.add(name, "Input should be greater than or equal to " + std::to_string(min), "greater_than_equal");
  } else {
    faults.add(name, "Input should be less than or equal to " + std::to_string(max), "less_than_equal");
  }
  return min;
}

bool read_boolean(std::string_view name, const HttpRequest& request, ParamFaults& faults) {
  const auto text = request.query_param(name);
  if (!text) return false;
  const std::optional<bool> word = parse_boolean_word(*text);
  if (!word) faults.add(name, "Input should be a valid boolean, unable to interpret input", "bool_parsing");
  return word.value_or(false);
}

void read_place(const HttpRequest& request, AnalyzeQuery& query, ParamFaults& faults) {
  const auto bucket = request.query_param("bucket");
  const auto prefix = request.query_param("prefix");
  if (!bucket) {
    faults.add("bucket", "Field required", "missing");
  } else if (bucket->empty()) {
    faults.add("bucket", "String should have at least 1 character", "string_too_short");
  }
  if (!prefix) faults.add("prefix", "Field required", "missing");
  query.bucket = bucket.value_or("");
  query.prefix = prefix.value_or("");
}

void read_filters(const HttpRequest& request, CountOptions& options, ParamFaults& faults) {
  if (const auto since = request.query_param("since")) {
    options.since = parse_since(*since);
    if (!options.since) faults.add("since", "Input should be a valid datetime", "datetime_parsing");
  }
  std::vector<std::string> levels;
  for (const auto& [name, value] : request.query) {
    if (name == "level") levels.push_back(value);
  }
  if (!levels.empty()) options.levels = std::move(levels);
  if (const auto group = request.query_param("group_by")) {
    options.group_field = *group;
    if (group->empty()) faults.add("group_by", "String should have at least 1 character", "string_too_short");
  }
}

}  // namespace

std::variant<AnalyzeQuery, std::string> read_analyze_query(const HttpRequest& request) {
  constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
  AnalyzeQuery query;
  ParamFaults faults;
  read_place(request, query, faults);
  if (const auto text = request.query_param("threshold")) {
    query.request.threshold = read_number("threshold", *text, 0, kNumberMax, faults);
  }
  read_boolean("stream", request, faults);  // everything streams: the word is checked and has no effect
  read_filters(request, query.request.count, faults);
  if (const auto text = request.query_param("latest")) {
    query.request.latest = read_number("latest", *text, 1, kAnalyzeLatestMax, faults);
  }
  query.request.count.ignore_case = read_boolean("ignore_case", request, faults);
  query.strict = read_boolean("strict", request, faults);
  if (faults.any()) return faults.take();
  return query;
}

}  // namespace dendro
