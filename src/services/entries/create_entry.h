#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "services/entries/entry_store.h"

namespace dendro {

/// What a client may say in a new entry.
struct EntryDraft {
  EntrySeverity severity = EntrySeverity::info;
  std::string message;  ///< trimmed
};
/// Reads and checks the body of S1's POST, in the order and with the texts of five-systems.md 3.1.
/// Errors: invalid_argument, whose message is the text for the client.
Result<EntryDraft> parse_entry_draft(std::string_view body);

struct CreateEntryRequest {
  TenantId tenant = TenantId::default_tenant();
  std::string_view body;                 ///< borrowed during the call
  std::optional<std::string> retry_key;  ///< Idempotency-Key, 1-128 characters
  Timestamp receive_time;
};
struct CreatedEntry {
  std::string log_id;
  std::int64_t timestamp_ms = 0;
  bool replayed = false;
};

/// Checks and keeps one entry; `done` gets the outcome exactly once, perhaps before this returns, perhaps on a thread
/// of the store's. Errors to `done`: invalid_argument (text for the client; also a bad retry key), those of
/// EntryStore::put.
void create_entry(EntryStore& store, RandomSource& random, const CreateEntryRequest& request,
                  std::function<void(Result<CreatedEntry>)> done);

}  // namespace dendro
