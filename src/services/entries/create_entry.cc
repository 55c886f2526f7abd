#include "services/entries/create_entry.h"

#include <utility>

#include "base/checksum.h"
#include "base/json_document.h"
#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::string_view kEntriesDialect = "entries";
constexpr std::size_t kMaxRetryKeyBytes = 128;

Error entry_fault(std::string text) {
  return Error(ErrorCode::invalid_argument, std::move(text));
}

Result<EntrySeverity> severity_of_member(const JsonValue& member) {
  const std::optional<std::string_view> word = member.as_string();
  if (!word) return entry_fault("Severity must be a string");
  const std::optional<EntrySeverity> severity = parse_entry_severity(*word);
  if (!severity) return entry_fault("Invalid severity. Must be one of: info, warning, error");
  return *severity;
}

Result<std::string> message_of_member(const JsonValue& member) {
  const std::optional<std::string_view> text = member.as_string();
  if (!text) return entry_fault("Message must be a string");
  const std::string_view trimmed = trim_unicode_space(*text);
  if (trimmed.empty()) return entry_fault("Message cannot be empty");
  if (count_code_points(*text) > kMaxEntryMessageCharacters) {
    return entry_fault("Message exceeds maximum length of 10000 characters");
  }
  return std::string(trimmed);
}

/// The entry that a draft becomes. With a retry key its id follows from (tenant, key), so that a repeat names the same
/// one.
Result<NewEntry> new_entry_of(EntryDraft draft, RandomSource& random, const CreateEntryRequest& request) {
  NewEntry entry;
  entry.tenant = request.tenant;
  entry.severity = draft.severity;
  entry.message = std::move(draft.message);
  entry.receive_time = request.receive_time;
  if (!request.retry_key) {
    entry.log_id = uuid_v4(random.bytes16());
    return entry;
  }
  if (request.retry_key->empty() || request.retry_key->size() > kMaxRetryKeyBytes) {
    return entry_fault("Idempotency-Key must have 1 to 128 characters");
  }
  entry.key = BatchKey{batch_key_id(request.tenant, kEntriesDialect, *request.retry_key), xxh3_128(request.body)};
  entry.log_id = uuid_v4(entry.key->id);
  return entry;
}

}  // namespace

Result<EntryDraft> parse_entry_draft(std::string_view body) {
  const Result<JsonValue> document = parse_json_document(body);
  if (!document) return entry_fault("Invalid JSON in request body");
  if (!document->is_object()) return entry_fault("Request body must be a JSON object");
  const JsonValue* severity = document->find("severity");
  if (severity == nullptr) return entry_fault("Missing required field: severity");
  const JsonValue* message = document->find("message");
  if (message == nullptr) return entry_fault("Missing required field: message");
  EntryDraft draft;
  DENDRO_TRY_ASSIGN(draft.severity, severity_of_member(*severity));
  DENDRO_TRY_ASSIGN(draft.message, message_of_member(*message));
  return draft;
}

void create_entry(EntryStore& store, RandomSource& random, const CreateEntryRequest& request,
                  std::function<void(Result<CreatedEntry>)> done) {
  Result<EntryDraft> draft = parse_entry_draft(request.body);
  if (!draft) return done(std::move(draft).error());
  Result<NewEntry> entry = new_entry_of(std::move(draft).value(), random, request);
  if (!entry) return done(std::move(entry).error());
  std::string log_id = entry->log_id;
  store.put(std::move(entry).value(), [log_id = std::move(log_id), done = std::move(done)](Result<KeptEntry> kept) {
    if (!kept) return done(std::move(kept).error());
    done(CreatedEntry{log_id, kept->timestamp_ms, kept->replayed});
  });
}

}  // namespace dendro
