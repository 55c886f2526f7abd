#include "server/routes/privacy_routes.h"

#include <optional>
#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "ingest/decode_ingest.h"
#include "query/output/record_lookup.h"
#include "record/record_batch_builder.h"
#include "record/record_json.h"
#include "server/field_faults_json.h"
#include "server/routes/audit_access.h"
#include "server/routes/tenant_lookup.h"
#include "server/use_recording.h"
#include "services/privacy/limits.h"
#include "services/privacy/token_text.h"

namespace dendro {
namespace {

HttpResponse privacy_problem(const HttpRequest& request, const Error& error) {
  return error_response(request.error_shape, error, request.request_id);
}
HttpResponse privacy_faults(const HttpRequest& request, const FieldFaults& faults) {
  const std::string errors = field_faults_json(request.error_shape, faults);
  return error_response(request.error_shape, 422, error_code_name(ErrorCode::invalid_argument), faults[0].message,
                        request.request_id, {errors, {}});
}
HttpResponse no_such_tenant_found(const HttpRequest& request) {
  return privacy_problem(request, Error(ErrorCode::not_found, "Tenant not found"));
}
FieldFault body_fault(std::string field, std::string message) {
  return {"body", {}, std::move(field), std::move(message), "value_error"};
}

// ---- unmask

struct UnmaskBody {
  std::vector<std::string> tokens;
  std::string record_id;
  FieldFaults faults;
};

UnmaskBody read_unmask_body(const HttpRequest& request) {
  UnmaskBody body;
  const auto document = parse_json_document(request.body);
  if (!document || !document->is_object()) {
    body.faults.push_back(body_fault({}, document ? "the body must be an object" : document.error().message()));
    return body;
  }
  const JsonValue* tokens = document->find("tokens");
  const JsonValue* record = document->find("record_id");
  if ((tokens == nullptr) == (record == nullptr)) {
    body.faults.push_back(body_fault({}, "the body has either tokens or record_id"));
    return body;
  }
  if (record != nullptr) {
    body.record_id = record->as_string().value_or("");
    if (body.record_id.empty()) body.faults.push_back(body_fault("record_id", "must be the _id of a record"));
    return body;
  }
  for (const JsonValue& token : tokens->elements()) body.tokens.emplace_back(token.as_string().value_or(""));
  if (body.tokens.empty() || body.tokens.size() > kUnmaskTokensMax) {
    body.faults.push_back(
        body_fault("tokens", "must be a list of 1 to " + std::to_string(kUnmaskTokensMax) + " tokens"));
  }
  return body;
}

/// An answer, and the tokens that it tells the values of.
struct Unmasked {
  HttpResponse response;
  std::vector<std::string> tokens;
};

Unmasked unmask_tokens(PrivacyService& privacy, const HttpRequest& request, const std::vector<std::string>& tokens) {
  const auto values = privacy.unmask(request.tenant, tokens);
  if (!values) return {privacy_problem(request, values.error()), {}};
  Unmasked unmasked;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("values");
  json.begin_array();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    json.begin_object();
    json.member("token", tokens[i]);
    json.key("value");
    if ((*values)[i]) {
      json.value(*(*values)[i]);
      unmasked.tokens.push_back(tokens[i]);
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  unmasked.response = json_response(200, std::move(text));
  return unmasked;
}

Unmasked unmask_record(const QueryRouteParts& parts, PrivacyService& privacy, const HttpRequest& request,
                       const std::string& id) {
  const auto snapshot = parts.snapshot(request);
  if (!snapshot) return {privacy_problem(request, snapshot.error()), {}};
  const auto json = find_record_json(**snapshot, id);
  if (!json) return {privacy_problem(request, json.error()), {}};
  if (!json->has_value()) {
    return {privacy_problem(request, Error(ErrorCode::not_found, "no record has this id")), {}};
  }
  Unmasked unmasked;
  Status opened;
  const auto open = [&](const std::vector<std::string>& tokens) {
    auto values = privacy.unmask(request.tenant, tokens);
    if (!values) opened = values.error();
    if (!values) return std::vector<std::optional<std::string>>(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if ((*values)[i]) unmasked.tokens.push_back(tokens[i]);
    }
    return std::move(*values);
  };
  std::string text = with_values(**json, open);
  if (!opened) return {privacy_problem(request, opened.error()), {}};
  unmasked.response = json_response(200, std::move(text));
  return unmasked;
}

/// On a worker. The entry of the trail names every token whose value is told, and is durable before it is.
void answer_unmask(const QueryRouteParts& parts, PrivacyService& privacy, AccessRecorder& trail,
                   const HttpRequest& request, const Responder& respond) {
  const UnmaskBody body = read_unmask_body(request);
  if (!body.faults.empty()) return respond(privacy_faults(request, body.faults));
  Unmasked unmasked = body.record_id.empty() ? unmask_tokens(privacy, request, body.tokens)
                                             : unmask_record(parts, privacy, request, body.record_id);
  if (unmasked.response.status != 200) return respond(std::move(unmasked.response));
  unmasked.response.headers.add("Cache-Control", "no-store");
  AccessEntry entry = use_entry_of(request, "unmask");
  entry.detail->status = unmasked.response.status;
  if (!body.record_id.empty()) entry.query_params.emplace_back("record_id", body.record_id);
  for (std::string& name : unmasked.tokens) entry.query_params.emplace_back("unmasked", std::move(name));
  respond_recorded(trail, std::move(entry), request, std::move(unmasked.response), respond);
}

Route unmask_route(const QueryRouteParts& query, PrivacyService& privacy, AccessRecorder& trail) {
  Route route;
  route.method = "POST";
  route.path = "/api/v1/unmask";
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::unmask;
  route.use = RouteUse::own;
  route.honours_restrictions = true;
  route.operation_id = "unmask";
  route.group = "Privacy";
  route.summary = "Values of tokens, or of a record's";
  route.description =
      "`tok_..` words stand for values that a masking rule with the action `tokenize` replaced. The trail of reads "
      "names each token whose value was told, durably before it is. `value` is null for what is no token of this "
      "tenant, or one whose key was erased.";
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object","properties":{"tokens":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"string"}},)"
      R"("record_id":{"type":"string","description":"instead: the record whole, its tokens replaced"}}})";
  route.request_example = R"({"tokens":["tok_email_aeaq"]})";
  route.replies = {
      {200, "As they were sent.", "application/json", {}, R"({"values":[{"token":"tok_email_aeaq","value":null}]})"},
      {404, "No record has this id.", "application/problem+json", {}, {}},
      {422, "`errors` names each field.", "application/problem+json", {}, {}},
      {503, "The tenant's keys cannot be read with the server's `privacy.key`.", "application/problem+json", {}, {}}};
  route.handler = [query, &privacy, &trail](const std::shared_ptr<const HttpRequest>& request,
                                            const Responder& respond) {
    auto task = [query, &privacy, &trail, request, respond] {
      answer_unmask(query, privacy, trail, *request, respond);
    };
    if (const Status queued = query.workers.submit(std::move(task)); !queued) {
      respond(error_response(request->error_shape, queued.error(), request->request_id));
    }
  };
  return route;
}

// ---- preview

struct PreviewBody {
  std::shared_ptr<const MaskRules> rules;  ///< null: the tenant's
  std::optional<std::string> text;
  std::string record_json;
  FieldFaults faults;
};

PreviewBody read_preview_body(const HttpRequest& request, const PrivacyService& privacy) {
  PreviewBody body;
  const auto document = parse_json_document(request.body);
  if (!document || !document->is_object()) {
    body.faults.push_back(body_fault({}, document ? "the body must be an object" : document.error().message()));
    return body;
  }
  const JsonValue* text = document->find("text");
  const JsonValue* record = document->find("record");
  if ((text == nullptr) == (record == nullptr)) {
    body.faults.push_back(body_fault({}, "the body has either text or record"));
  } else if (text != nullptr) {
    if (!text->as_string()) body.faults.push_back(body_fault("text", "must be a text"));
    body.text = text->as_string().value_or("");
  } else {
    if (!record->is_object()) body.faults.push_back(body_fault("record", "must be an object"));
    append_json(body.record_json, *record);
  }
  if (const JsonValue* rules = document->find("rules"); rules != nullptr && !rules->is_null()) {
    body.rules = std::make_shared<const MaskRules>(read_mask_rules(*rules, "rules", body.faults));
    const Status checked = privacy.check(*body.rules);
    if (!checked) body.faults.push_back(body_fault("rules", checked.error().message()));
  }
  return body;
}

std::shared_ptr<const RecordBatch> batch_of_text(const std::string& text, Timestamp now) {
  RecordBatchBuilder builder(now);
  builder.begin_record();
  builder.add_leaf(LeafRole::body, "body", "body", value_of_string(text));
  builder.end_record();
  return builder.finish();
}

/// The record as the intake of JSON makes it. Errors: invalid_argument.
Result<std::shared_ptr<const RecordBatch>> batch_of_record(const PreviewBody& body, const HttpRequest& request) {
  IngestRequest intake;
  intake.body = body.record_json;
  intake.content_type = "application/json";
  intake.request_id = request.request_id;
  intake.receive_time = request.received;
  DENDRO_TRY_ASSIGN(DecodedRequest decoded, decode_ingest(intake, {}));
  if (!decoded.errors.empty()) return Error(ErrorCode::invalid_argument, "record: " + decoded.errors[0].detail);
  return decoded.batches.at(0);
}

void write_matches(JsonWriter& json, const PrivacyService::Preview& preview) {
  json.key("matches");
  json.begin_array();
  for (const auto& [match, count] : preview.matches) {
    json.begin_object();
    json.member("rule", match.first);
    json.member("kind", match.second);
    json.member("count", count);
    json.end_object();
  }
  json.end_array();
}

HttpResponse answer_preview(PrivacyService& privacy, const TenantService& tenants, const HttpRequest& request) {
  const auto tenant = tenant_of_path(tenants, request);
  if (!tenant) return no_such_tenant_found(request);
  PreviewBody body = read_preview_body(request, privacy);
  if (!body.faults.empty()) return privacy_faults(request, body.faults);
  const auto batch = body.text ? batch_of_text(*body.text, request.received) : batch_of_record(body, request);
  if (!batch) return privacy_faults(request, {body_fault("record", batch.error().message())});
  const auto preview = privacy.preview(tenant->id, body.rules, {*batch});
  if (!preview) return privacy_problem(request, preview.error());
  const RecordView record = preview->batches.at(0)->record(0);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  if (body.text) {
    json.key("text");
    bool is_there = false;
    record.for_each_leaf([&](const Leaf&, const Value& value) {
      json.value(value.text);
      is_there = true;
      return false;
    });
    if (!is_there) json.null();
  } else {
    std::string drawn;
    append_record_json(drawn, record);
    json.key("record");
    json.raw(drawn);
  }
  write_matches(json, *preview);
  json.end_object();
  HttpResponse response = json_response(200, std::move(text));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

Route tenant_masking_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::admin;
  route.tenant_rule = TenantRule::none;
  route.operation_id = std::move(operation_id);
  route.use = RouteUse::read;  // tokens of a value tell whether it is stored
  route.group = "Privacy";
  route.summary = std::move(summary);
  route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "`tenant_id`, or `id`."}};
  return route;
}

Route preview_route(WorkerPool& pool, PrivacyService& privacy, TenantService& tenants) {
  Route route = tenant_masking_route("POST", "/api/v1/tenants/{id}/masking/test", "test_masking",
                                     "What would be stored of a text or a record");
  route.description =
      "By the tenant's masking rules, or by `rules`, so that rules can be tried before they are set. Nothing is "
      "stored. `text` is null where a rule would drop it.";
  route.request_content_type = "application/json";
  route.request_schema_json = R"({"type":"object","properties":{"text":{"type":"string"},"record":{"type":"object"},)"
                              R"("rules":{"type":"array","items":{"type":"object"}}}})";
  route.request_example = R"({"text":"paid with 4111 1111 1111 1111","rules":[{"name":"cards","pattern":"card"}]})";
  route.replies = {{200,
                    "As it would be stored, and which rules found something.",
                    "application/json",
                    {},
                    R"({"text":"paid with ***","matches":[{"rule":"cards","kind":"card","count":1}]})"},
                   {404, "`Tenant not found`.", "application/problem+json", {}, {}},
                   {422, "`errors` names each field.", "application/problem+json", {}, {}},
                   {503, "The tenant's keys cannot be read.", "application/problem+json", {}, {}}};
  route.handler = on_workers(
      pool, [&privacy, &tenants](const HttpRequest& request) { return answer_preview(privacy, tenants, request); });
  return route;
}

// ---- erasing keys

HttpResponse answer_erase(PrivacyService& privacy, const TenantService& tenants, const HttpRequest& request) {
  // Whoever administers every tenant may name one that nobody created: its records may have tokens, too.
  const auto known = tenant_of_path(tenants, request);
  const auto named = TenantId::parse(request.path_param("id").value_or(""));
  const bool may_name = named && request.principal && request.principal->holds_every_tenant();
  if (!known && !may_name) return no_such_tenant_found(request);
  const auto erased = privacy.erase_keys(known ? known->id : *named);
  if (!erased) return privacy_problem(request, erased.error());
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("keys_erased", *erased);
  json.end_object();
  return json_response(200, std::move(text));
}

Route erase_route(WorkerPool& pool, PrivacyService& privacy, TenantService& tenants) {
  Route route = tenant_masking_route("DELETE", "/api/v1/tenants/{id}/masking/key", "erase_masking_key",
                                     "Make a tenant's tokens unreadable for ever");
  route.permission = Permission::tenants;
  route.use = RouteUse::change;
  route.description =
      "For an admin of every tenant. Erases the tenant's keys: values of its tokens are gone, in backups of the "
      "records "
      "too. What is tokenized and hashed afterwards gets a new key, and so other tokens. Backups of `meta.db` made "
      "before still hold the key.";
  route.replies = {{200, "The keys are off the disk.", "application/json", {}, R"({"keys_erased":1})"},
                   {404, "`Tenant not found`.", "application/problem+json", {}, {}}};
  route.handler = on_workers(
      pool, [&privacy, &tenants](const HttpRequest& request) { return answer_erase(privacy, tenants, request); });
  return route;
}

}  // namespace

std::vector<Route> make_privacy_routes(const QueryRouteParts& query, PrivacyService& privacy, TenantService& tenants,
                                       AccessRecorder& trail) {
  std::vector<Route> routes;
  routes.push_back(unmask_route(query, privacy, trail));
  routes.push_back(preview_route(query.workers, privacy, tenants));
  routes.push_back(erase_route(query.workers, privacy, tenants));
  return routes;
}

}  // namespace dendro
