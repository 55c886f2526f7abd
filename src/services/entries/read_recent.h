#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "services/entries/entry_store.h"

namespace dendro {

/// The query parameters of S1's read, as sent.
struct ReadRecentParams {
  std::optional<std::string_view> limit, severity, cursor;
};
/// Checks them. Errors: invalid_argument, whose message is the text for the client.
Result<EntryQuery> parse_read_recent(const ReadRecentParams& params);

/// `{"statusCode":200,"count":N,"logs":[..]}`, with `"next"` behind if `show_next` and the page has one
/// (five-systems.md 3.2).
std::string recent_entries_json(const EntryPage& page, bool show_next);

}  // namespace dendro
