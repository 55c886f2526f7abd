#include "server/routes/chain_routes.h"

#include <utility>

#include "record/record_id.h"
#include "server/routes/caller_restriction.h"
#include "server/routes/search_route.h"

namespace dendro {
namespace {

/// Some thousand heads.
constexpr std::uint64_t kAnchorBodyBytesMax = std::uint64_t{4} << 20;

HttpResponse chain_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}

Error no_chain() {
  return Error(ErrorCode::not_found, "the tenant has no chain: nothing of what audit.chain covers was stored yet");
}

HttpResponse answer_head(const ChainRouteParts& parts, const HttpRequest& request) {
  if (parts.service == nullptr) return chain_problem(no_chain(), request);
  const auto head = parts.service->head(request.tenant);
  if (!head) return chain_problem(head.error(), request);
  if (!*head) return chain_problem(no_chain(), request);
  return json_response(200, chain_head_json(**head));
}

/// A thread of its own reads all of the tenant's records, and answers.
void answer_verify(const ChainRouteParts& parts, const std::shared_ptr<const HttpRequest>& request,
                   const Responder& respond) {
  if (parts.service == nullptr) return respond(chain_problem(no_chain(), *request));
  auto anchored = read_anchored_heads(request->body, request->tenant);
  if (!anchored) return respond(chain_problem(anchored.error(), *request));
  auto work = [service = parts.service, tenant = request->tenant,
               heads = std::move(*anchored)](const WorkWatch& watch) -> Result<std::string> {
    DENDRO_TRY_ASSIGN(const ChainReport report, service->verify(tenant, heads, watch));
    return chain_report_json(report);
  };
  const auto on_end = [request, respond](const JobStatus& job) {
    if (job.problem) {
      const bool has_none = job.problem->code() == ErrorCode::not_found;
      return respond(chain_problem(has_none ? no_chain() : *job.problem, *request));
    }
    respond(json_response(200, job.result_json));
  };
  if (const auto started = parts.jobs.start("verify_chain", std::move(work), on_end); !started) {
    respond(chain_problem(started.error(), *request));
  }
}

Result<RecordProof> prove(const ChainRouteParts& parts, const HttpRequest& request) {
  const auto position = parse_record_id(request.path_param("id").value_or(""));
  if (!position) return Error(ErrorCode::not_found, "no record has this id");
  // What the caller may not see, it gets no proof of; what it may see, the proof needs whole.
  DENDRO_TRY_ASSIGN(const auto visible, parts.query.snapshot(request));
  DENDRO_TRY_ASSIGN(const auto seen, visible->find(*position));
  DENDRO_TRY_ASSIGN(const auto whole, parts.query.snapshot_of(request.tenant));
  DENDRO_TRY_ASSIGN(const auto block, whole->find(*position));
  if (!seen || !block) return Error(ErrorCode::not_found, "no record has this id");
  if (parts.service == nullptr) return no_chain();
  DENDRO_TRY_ASSIGN(RecordProof proof, parts.service->prove(request.tenant, *block));
  DENDRO_TRY_ASSIGN(const auto restriction, restriction_of(request.access.get(), request.received, request.request_id));
  if (restriction != nullptr) {
    withhold_fields(proof, [&restriction](std::string_view path) { return restriction->fields.touches(path); });
  }
  return proof;
}

Route chain_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route = search_route(std::move(method), std::move(path), std::move(operation_id), std::move(summary));
  route.group = "Evidence";
  route.use = RouteUse::read;
  return route;
}

Route head_route(const ChainRouteParts& parts) {
  Route route = chain_route("GET", "/api/v1/chain", "get_chain_head", "The newest entry of the tenant's chain, signed");
  route.permission = Permission::audit_trail;
  route.description = "What is worth keeping elsewhere: with it, a chain that was cut back or made anew is found.";
  route.replies = {
      {200, "The head.", "application/json", "",
       R"({"tenant":"acme","index":17,"time":"2026-11-20T10:00:00Z","hash":"9f2c..","signature":"Rk0..","public_key":"8a88.."})"},
      {404, "There is none.", "application/problem+json", "", ""}};
  route.handler =
      on_workers(parts.query.workers, [parts](const HttpRequest& request) { return answer_head(parts, request); });
  return route;
}

Route verify_chain_route(const ChainRouteParts& parts) {
  Route route =
      chain_route("POST", "/api/v1/chain/verify", "verify_chain", "Compare the tenant's records with its chain");
  route.permission = Permission::audit_trail;
  route.description =
      "Walks the chain, checks every signature and link, computes every covered record's hash again, and names what is "
      "not as it was. `removed` records are gone and were declared gone; `not_covered` ones came since. The body may "
      "hold heads that somebody kept, a line each. Answers when it is done, one verification at a time.";
  route.request_content_type = "application/x-ndjson";
  route.request_example = R"({"tenant":"acme","index":17,"hash":"9f2c.."})";
  route.body_bytes_max = kAnchorBodyBytesMax;
  route.replies = {
      {200, "The report; good if `fault_count` is 0.", "application/json", "",
       R"({"entries":18,"covered":400,"matched":398,"removed":2,"declared_present":0,"not_covered":0,"torn_bytes":0,"anchored":1,"head_index":17,"fault_count":0,"faults":[]})"},
      {404, "There is no chain.", "application/problem+json", "", ""},
      {409, "One runs already.", "application/problem+json", "", ""}};
  route.handler = [parts](const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
    answer_verify(parts, request, respond);
  };
  return route;
}

Route proof_route(const ChainRouteParts& parts) {
  Route route = chain_route("GET", "/api/v1/records/{id}/proof", "get_record_proof",
                            "What shows that a record is as it was stored");
  route.description =
      "Stands alone: `dendro admin verify --proof FILE` checks it with the public key and nothing else. Values that "
      "the "
      "caller may not see are withheld, which leaves the proof good. docs/formats/chain.md.";
  route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The `_id` of a row."}};
  route.replies = {{200, "The proof.", "application/json", "", ""},
                   {404, "No record has this id, or no chain covers it.", "application/problem+json", "", ""},
                   {503, "It is not covered yet: some seconds later it is.", "application/problem+json", "", ""}};
  route.handler = on_workers(parts.query.workers, [parts](const HttpRequest& request) {
    const auto proof = prove(parts, request);
    return proof ? json_response(200, record_proof_json(*proof)) : chain_problem(proof.error(), request);
  });
  return route;
}

}  // namespace

std::vector<Route> make_chain_routes(ChainRouteParts parts) {
  return {head_route(parts), verify_chain_route(parts), proof_route(parts)};
}

}  // namespace dendro
