#include "services/entries/read_recent.h"

#include <charconv>

#include "base/json_writer.h"
#include "base/timestamp.h"

namespace dendro {
namespace {

std::optional<std::size_t> parse_entry_limit(std::string_view text) {
  std::size_t number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number >= 1 && number <= kMaxRecentEntries ? std::optional<std::size_t>(number) : std::nullopt;
}

}  // namespace

Result<EntryQuery> parse_read_recent(const ReadRecentParams& params) {
  EntryQuery query;
  if (params.limit) {
    const std::optional<std::size_t> limit = parse_entry_limit(*params.limit);
    if (!limit) return Error(ErrorCode::invalid_argument, "Invalid limit. Must be an integer from 1 to 1000");
    query.limit = *limit;
  }
  if (params.severity) {
    query.severity = parse_entry_severity(*params.severity);
    if (!query.severity) {
      return Error(ErrorCode::invalid_argument, "Invalid severity. Must be one of: info, warning, error");
    }
  }
  if (params.cursor) {
    if (params.cursor->empty()) return Error(ErrorCode::invalid_argument, "Invalid cursor");
    query.cursor = *params.cursor;
  }
  return query;
}

std::string recent_entries_json(const EntryPage& page, bool show_next) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("statusCode", 200);
  json.member("count", page.entries.size());
  json.key("logs");
  json.begin_array();
  constexpr int kMilliDigits = 3;
  for (const Entry& entry : page.entries) {
    json.begin_object();
    json.member("logId", entry.log_id);
    json.member("timestamp", entry.timestamp_ms);
    json.member("datetime", to_rfc3339(Timestamp(entry.timestamp_ms * kNanosPerMilli), kMilliDigits));
    json.member("severity", entry_severity_name(entry.severity));
    json.member("message", entry.message);
    json.end_object();
  }
  json.end_array();
  if (show_next && page.next) json.member("next", *page.next);
  json.end_object();
  return out;
}

}  // namespace dendro
