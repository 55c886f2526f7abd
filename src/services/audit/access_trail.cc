#include "services/audit/access_trail.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "filter/field_name.h"
#include "record/fold.h"
#include "record/record_batch_builder.h"
#include "services/audit/audit_ids.h"
#include "services/audit/audit_predicate.h"
#include "services/audit/compact_json.h"
#include "services/audit/limits.h"
#include "services/audit/page_fill.h"
#include "services/audit/record_rows.h"

namespace dendro {
namespace {

constexpr std::string_view kQueryParamsPath = "query_params";
/// Names of parameters that carry credentials, beside those that masking knows.
constexpr std::array<std::string_view, 8> kSecretParams = {"access_token", "refresh_token", "id_token", "apikey",
                                                           "api-key",      "key",           "sig",      "signature"};

bool is_secret_param(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), fold_ascii);
  return is_masked_name(lower) || std::ranges::find(kSecretParams, lower) != kSecretParams.end();
}

void append_optional_text(JsonWriter& json, std::string_view name, const std::optional<std::string>& text) {
  json.key(name);
  if (text) {
    json.value(*text);
  } else {
    json.null();
  }
}

/// A number field of an entry; 0 where it is none.
template <typename Number>
Number trail_number(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// As much of `text` as `bytes_max` allows, at the border of a character.
std::string cut_trail_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "\u2026";
}

/// Fields of UseDetail, as they are stored and answered. Status and count are texts: nobody computes with them.
void read_detail_field(AccessEntry& entry, std::string_view path, std::string_view text) {
  const auto detail = [&entry]() -> UseDetail& { return entry.detail ? *entry.detail : entry.detail.emplace(); };
  if (path == "principal_kind") detail().principal_kind = text;
  if (path == "method") detail().method = text;
  if (path == "status") detail().status = trail_number<int>(text);
  if (path == "result_id") detail().result_id = text;
  if (path == "peer_address") detail().peer_address = text;
  if (path == "left_out") detail().left_out = trail_number<std::uint64_t>(text);
  if (path != "outcome") return;
  for (const UseOutcome one : {UseOutcome::allowed, UseOutcome::denied, UseOutcome::failed}) {
    if (text == use_outcome_name(one)) detail().outcome = one;
  }
}

std::shared_ptr<const RecordBatch> access_batch(const AccessEntry& entry, const std::string& id) {
  RecordBatchBuilder builder(entry.timestamp);
  builder.begin_record();
  builder.set_timestamp(floor_to_micros(entry.timestamp));
  builder.set_severity(kSeverityInfo);
  const auto add = [&builder](std::string_view name, std::string_view text) {
    builder.add_leaf(LeafRole::attribute, name, name, value_of_string(text));
  };
  add("id", id);
  if (entry.user_id) add("user_id", *entry.user_id);
  if (entry.token_id) add("token_id", *entry.token_id);
  add("action", entry.action);
  add("resource_path", entry.resource_path);
  add(kQueryParamsPath, access_params_json(entry.query_params));
  add("ip_address", entry.ip_address);
  add("request_id", entry.request_id);
  if (entry.detail) {
    const UseDetail& detail = *entry.detail;
    add("principal_kind", detail.principal_kind);
    add("method", detail.method);
    add("outcome", use_outcome_name(detail.outcome));
    add("status", std::to_string(detail.status));
    if (!detail.result_id.empty()) add("result_id", detail.result_id);
    if (!detail.peer_address.empty()) add("peer_address", detail.peer_address);
    if (detail.left_out > 0) add("left_out", std::to_string(detail.left_out));
  }
  builder.add_label(kSourceLabel, Value::of_text(kAccessTrailSource));
  builder.end_record();
  return builder.finish();
}

AccessTrailRow access_row(const RecordRow& record, const TenantId& tenant) {
  AccessTrailRow row;
  row.entry.tenant = tenant;
  row.entry.timestamp = record.record().timestamp();
  record.record().for_each_leaf([&row](const Leaf& leaf, const Value& value) {
    const std::string text(value.text);
    if (leaf.path == "id") row.id = text;
    if (leaf.path == "user_id") row.entry.user_id = text;
    if (leaf.path == "token_id") row.entry.token_id = text;
    if (leaf.path == "action") row.entry.action = text;
    if (leaf.path == "resource_path") row.entry.resource_path = text;
    if (leaf.path == kQueryParamsPath) row.query_params_json = text;
    if (leaf.path == "ip_address") row.entry.ip_address = text;
    if (leaf.path == "request_id") row.entry.request_id = text;
    read_detail_field(row.entry, leaf.path, text);
    return true;
  });
  return row;
}

/// Rows of the trail, as fill_page pulls them.
class TrailRows {
 public:
  TrailRows(std::unique_ptr<RecordRows> rows, const TenantId& tenant) : rows_(std::move(rows)), tenant_(tenant) {}
  Result<std::optional<AccessTrailRow>> next() {
    DENDRO_TRY_ASSIGN(const RecordRow* row, rows_->next());
    if (row == nullptr) return std::optional<AccessTrailRow>();
    position_ = row->position();
    return std::optional(access_row(*row, tenant_));
  }
  std::string cursor() const { return rows_->cursor_behind(position_); }
  bool left_out_damage() const { return rows_->left_out_damage(); }

 private:
  const std::unique_ptr<RecordRows> rows_;
  const TenantId& tenant_;
  RecordPosition position_;
};

class EngineAccessTrail final : public AccessTrail {
 public:
  EngineAccessTrail(Store& store, const Clock& clock, RandomSource& random, QueryLimits limits)
      : store_(store), clock_(clock), limits_(std::move(limits)), ids_(random) {}

  void record(AccessEntry entry, std::function<void(Status)> done) override {
    CommitRequest commit;
    commit.tenant = entry.tenant;
    commit.receive_time = entry.timestamp;
    commit.accepted = 1;
    commit.batches = {access_batch(entry, ids_.next(entry.timestamp))};
    const auto on_commit = [done](Result<CommitReply> reply) {
      done(reply ? Status() : Status(std::move(reply).error()));
    };
    if (Status queued = store_.append(std::move(commit), on_commit); !queued) done(std::move(queued));
  }

  Result<AuditPage<AccessTrailRow>> list(const AuditPageRequest& request, const AccessFilter& filter) override {
    DENDRO_TRY_ASSIGN(const RecordScope scope, scope_of(request, filter));
    DENDRO_TRY_ASSIGN(auto opened,
                      RecordRows::open(scope, request.skip + request.limit, request.cursor, request.now, clock_));
    TrailRows rows(std::move(opened), request.tenant);
    AuditPage<AccessTrailRow> page;
    DENDRO_TRY_ASSIGN(const PageEnd end, fill_page(page, request, rows, false));
    page.is_complete = !rows.left_out_damage();
    page.total = end.seen;
    if (end.at_end && request.cursor.empty()) return page;
    DENDRO_TRY_ASSIGN(const RecordCounts counts, count_records(scope, {}, request.now, clock_));
    page.total = counts.rows.empty() ? 0 : count_of_row(counts.rows.front());
    return page;
  }

 private:
  Result<RecordScope> scope_of(const AuditPageRequest& request, const AccessFilter& filter) {
    std::vector<Predicate> parts = {source_predicate(kAccessTrailSource)};
    if (filter.user_id) parts.push_back(equals_predicate("user_id", *filter.user_id));
    if (filter.action) parts.push_back(equals_predicate("action", *filter.action));
    if (filter.ip_address) parts.push_back(equals_predicate("ip_address", *filter.ip_address));
    if (filter.request_id) parts.push_back(equals_predicate("request_id", *filter.request_id));
    DENDRO_TRY_ASSIGN(auto snapshot, store_.snapshot(request.tenant));
    return RecordScope{std::move(snapshot),
                       all_of(std::move(parts)),
                       inclusive_range(filter.start, filter.end),
                       limits_,
                       request.cancel,
                       kAuditReadTime};
  }

  Store& store_;
  const Clock& clock_;
  const QueryLimits limits_;
  AuditIdSource ids_;
};

}  // namespace

std::string_view use_outcome_name(UseOutcome outcome) {
  constexpr std::string_view kNames[] = {"allowed", "denied", "failed"};
  return kNames[static_cast<std::size_t>(outcome)];
}

void append_access_row_json(std::string& out, const AccessTrailRow& row) {
  JsonWriter json(out);
  json.begin_object();
  json.member("id", row.id);
  json.member("timestamp", audit_time_text(row.entry.timestamp));
  json.member("tenant_id", row.entry.tenant.text());
  append_optional_text(json, "user_id", row.entry.user_id);
  append_optional_text(json, "token_id", row.entry.token_id);
  json.member("action", row.entry.action);
  json.member("resource_path", row.entry.resource_path);
  json.key(kQueryParamsPath);
  json.raw(row.query_params_json.empty() ? std::string_view("{}") : row.query_params_json);
  json.member("ip_address", row.entry.ip_address);
  json.member("request_id", row.entry.request_id);
  if (const auto& detail = row.entry.detail) {
    json.member("principal_kind", detail->principal_kind);
    json.member("method", detail->method);
    json.member("outcome", use_outcome_name(detail->outcome));
    json.member("status", detail->status);
    if (!detail->result_id.empty()) json.member("result_id", detail->result_id);
    if (!detail->peer_address.empty()) json.member("peer_address", detail->peer_address);
    if (detail->left_out > 0) json.member("left_out", detail->left_out);
  }
  json.end_object();
}

std::unique_ptr<AccessTrail> make_engine_access_trail(Store& store, const Clock& clock, RandomSource& random,
                                                      QueryLimits limits) {
  return std::make_unique<EngineAccessTrail>(store, clock, random, std::move(limits));
}

std::string access_params_json(const std::vector<std::pair<std::string, std::string>>& params) {
  std::map<std::string, std::vector<std::string>> grouped;
  std::size_t room = kTrailParamsBytesMax;
  for (const auto& [name, value] : params) {
    if (room == 0) break;
    std::string kept = is_secret_param(name) ? "***" : cut_trail_text(value, std::min(room, kTrailValueBytesMax));
    room -= std::min(room, name.size() + kept.size());
    grouped[cut_trail_text(name, kTrailValueBytesMax)].push_back(std::move(kept));
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto& [name, values] : grouped) {
    json.key(name);
    if (values.size() > 1) json.begin_array();
    for (const std::string& value : values) json.value(value);
    if (values.size() > 1) json.end_array();
  }
  json.end_object();
  return out;
}

}  // namespace dendro
