#include "server/system_routes.h"

#include <memory>
#include <utility>

#include "base/checksum.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "server/docs_page.h"
#include "server/openapi.h"

namespace dendro {
namespace {

constexpr ProfileSet kOperatedProfiles =
    profiles(Profile::platform, Profile::analytics, Profile::audit, Profile::diagnose);
constexpr ProfileSet kDocumentedProfiles = profiles(Profile::platform, Profile::analytics, Profile::audit);
/// Where the OpenAPI document lies at the root; on `audit` it is below the API's prefix only (five-systems.md 1.2).
constexpr ProfileSet kRootOpenapiProfiles = profiles(Profile::platform, Profile::analytics);

/// The documents of each profile that has them, made once.
struct Documents {
  std::string openapi[kProfileCount];
  std::unique_ptr<DocsPage> page[kProfileCount];
};

Route system_row(std::string path, ProfileSet on, std::string operation_id, std::string summary) {
  Route route;
  route.method = "GET";
  route.path = std::move(path);
  route.on = on;
  route.operation_id = std::move(operation_id);
  route.group = "System";
  route.summary = std::move(summary);
  return route;
}

/// A handler that has its whole answer at hand.
HttpHandler answer_with(std::function<HttpResponse(const HttpRequest&)> make) {
  return [make = std::move(make)](std::shared_ptr<const HttpRequest> request, Responder respond) {
    respond(make(*request));
  };
}

HttpResponse text_response(int status, std::string content_type, std::string text) {
  HttpResponse response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(text);
  return response;
}

HttpResponse access_health_response(const AccessHealth& health) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("status", health.is_healthy ? "HEALTHY" : "UNHEALTHY");
  json.key("count");
  if (health.count) {
    json.value(*health.count);
  } else {
    json.null();
  }
  json.end_object();
  HttpResponse response = json_response(health.is_healthy ? 200 : 503, std::move(body));
  if (!health.is_healthy) response.headers.add("Retry-After", "5");
  return response;
}

void add_health(RouteTable& routes, const std::function<AccessHealth()>& access_health) {
  for (const auto& [path, id] : {std::pair("/healthz", "healthz"), std::pair("/health", "health")}) {
    Route route = system_row(path, kAllProfiles, id, "The process is alive; no backend is asked.");
    route.replies = {{200, "Alive.", "application/json", R"({"type":"object","properties":{"status":{"const":"ok"}}})",
                      R"({"status":"ok"})"}};
    route.handler = answer_with([](const HttpRequest&) { return json_response(200, R"({"status":"ok"})"); });
    routes.push_back(std::move(route));
  }
  Route route = system_row("/_healthz", kAllProfiles, "access_healthz", "Access records can be stored.");
  const std::string schema = R"({"type":"object","properties":{"status":{"enum":["HEALTHY","UNHEALTHY"]},)"
                             R"("count":{"type":["integer","null"]}}})";
  route.replies = {{200, "Requests are recorded; count is the number of access records.", "application/json", schema,
                    R"({"status":"HEALTHY","count":0})"},
                   {503, "A request could be recorded nowhere.", "application/json", schema, ""}};
  route.handler = answer_with([access_health](const HttpRequest&) {
    return access_health_response(access_health ? access_health() : AccessHealth());
  });
  routes.push_back(std::move(route));
}

HttpResponse readiness_response(const std::vector<Readiness>& backends) {
  bool is_ready = true;
  std::string text;
  for (const Readiness& backend : backends) {
    is_ready = is_ready && backend.is_ok;
    text.append(backend.name).append(backend.is_ok ? " ok" : " not ready");
    if (!backend.text.empty()) text.append(": ").append(backend.text);
    text.append("\n");
  }
  if (text.empty()) text = "ok\n";
  HttpResponse response = text_response(is_ready ? 200 : 503, "text/plain; charset=utf-8", std::move(text));
  if (!is_ready) response.headers.add("Retry-After", "5");
  return response;
}

void add_operations(RouteTable& routes, const SystemParts& parts) {
  Route ready = system_row("/readyz", kOperatedProfiles, "readyz", "Every backend can work; one line each.");
  ready.replies = {{200, "All can.", "text/plain; charset=utf-8", "", "store ok\n"},
                   {503, "Some cannot.", "text/plain; charset=utf-8", "", "store not ready: recovering\n"}};
  ready.handler = answer_with([readiness = parts.readiness](const HttpRequest&) {
    return readiness_response(readiness ? readiness() : std::vector<Readiness>());
  });
  routes.push_back(std::move(ready));

  Route version = system_row("/version", kOperatedProfiles, "version", "Version and commit of the program.");
  version.replies = {{200, "", "application/json",
                      R"({"type":"object","properties":{"version":{"type":"string"},"commit":{"type":"string"}}})",
                      R"({"version":"0.1.0","commit":"c8e6447"})"}};
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("version", parts.version);
  json.member("commit", parts.commit);
  json.end_object();
  version.handler = answer_with([body](const HttpRequest&) { return json_response(200, body); });
  routes.push_back(std::move(version));

  Route metrics = system_row("/metrics", kOperatedProfiles, "metrics", "Counters in the Prometheus text format.");
  metrics.permission = Permission::stats;
  metrics.use = RouteUse::none;
  metrics.tenant_rule = TenantRule::none;
  metrics.replies = {{200, "", "text/plain; version=0.0.4; charset=utf-8", "", ""}};
  metrics.handler = answer_with([source = parts.metrics, more = parts.more_metrics](const HttpRequest&) {
    std::string text = source != nullptr ? source->text() : std::string();
    if (more) more(text);
    return text_response(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text));
  });
  routes.push_back(std::move(metrics));
}

/// A file built into the program: revalidated by ETag.
HttpResponse asset_response(const HttpRequest& request, std::string_view content_type, std::string_view content,
                            const std::string& etag) {
  HttpResponse response;
  response.headers.add("ETag", etag);
  response.headers.add("Cache-Control", "no-cache");
  const std::string_view known = request.headers.find("If-None-Match").value_or("");
  if (known == "*" || known.find(etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.content_type = content_type;
  response.body = content;
  return response;
}

std::string etag_of(std::string_view content) {
  return "\"" + to_hex(xxh3_128(content)) + "\"";
}

void add_homes(RouteTable& routes, const SystemParts& parts) {
  Route home = system_row("/", profiles(Profile::platform), "home", "Leads to the API page.");
  home.replies = {{302, "To /docs.", "", "", ""}};
  home.handler = answer_with([](const HttpRequest&) {
    HttpResponse response;
    response.status = 302;
    response.headers.add("Location", "/docs");
    return response;
  });
  routes.push_back(std::move(home));

  Route welcome = system_row("/", profiles(Profile::audit), "welcome", "Says what answers here.");
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("message", "Welcome to " + parts.project_name);
  json.end_object();
  welcome.replies = {{200, "", "application/json", "", body}};
  welcome.handler = answer_with([body](const HttpRequest&) { return json_response(200, body); });
  routes.push_back(std::move(welcome));
}

Route docs_row(std::string path, ProfileSet on, std::string operation_id,
               const std::shared_ptr<const Documents>& documents) {
  Route page = system_row(std::move(path), on, std::move(operation_id), "The API page of this listener.");
  page.replies = {{200, "", "text/html; charset=utf-8", "", ""}};
  page.handler = answer_with([documents](const HttpRequest& request) {
    const DocsPage& docs = *documents->page[static_cast<std::size_t>(request.profile)];
    return text_response(200, "text/html; charset=utf-8", docs.html(request.headers.find("Host").value_or("")));
  });
  return page;
}

Route openapi_row(std::string path, ProfileSet on, std::string operation_id,
                  const std::shared_ptr<const Documents>& documents) {
  Route openapi =
      system_row(std::move(path), on, std::move(operation_id), "The OpenAPI 3.1 document of this listener.");
  openapi.replies = {{200, "", "application/json", R"({"type":"object"})", ""}};
  openapi.handler = answer_with([documents](const HttpRequest& request) {
    return json_response(200, documents->openapi[static_cast<std::size_t>(request.profile)]);
  });
  return openapi;
}

void add_documents(RouteTable& routes, const SystemParts& parts, const std::shared_ptr<const Documents>& documents) {
  constexpr ProfileSet kApiProfiles = profiles(Profile::platform, Profile::audit);
  routes.push_back(docs_row("/docs", kDocumentedProfiles, "docs", documents));
  routes.push_back(docs_row(parts.api_prefix + "/docs", kApiProfiles, "api_docs", documents));
  Route style =
      system_row(std::string(kDocsStylePath), kDocumentedProfiles, "docs_style", "Style sheet of the API page.");
  style.replies = {{200, "", "text/css; charset=utf-8", "", ""}, {304, "Not changed.", "", "", ""}};
  style.handler = answer_with([etag = etag_of(docs_style_sheet())](const HttpRequest& request) {
    return asset_response(request, "text/css; charset=utf-8", docs_style_sheet(), etag);
  });
  routes.push_back(std::move(style));
  routes.push_back(openapi_row("/openapi.json", kRootOpenapiProfiles, "openapi", documents));
  routes.push_back(openapi_row(parts.api_prefix + "/openapi.json", kApiProfiles, "api_openapi", documents));
}

}  // namespace

void add_system_routes(RouteTable& routes, SystemParts parts) {
  const auto documents = std::make_shared<Documents>();
  add_homes(routes, parts);
  add_documents(routes, parts, documents);
  add_health(routes, parts.access_health);
  add_operations(routes, parts);
  for (std::size_t i = 0; i < kProfileCount; ++i) {
    const auto profile = static_cast<Profile>(i);
    if ((kDocumentedProfiles & profile_bit(profile)) == 0) continue;
    documents->openapi[i] = make_openapi(routes, profile, parts.version);
    const bool is_at_root = (kRootOpenapiProfiles & profile_bit(profile)) != 0;
    documents->page[i] = std::make_unique<DocsPage>(routes, profile, parts.version,
                                                    (is_at_root ? std::string() : parts.api_prefix) + "/openapi.json");
  }
}

}  // namespace dendro
