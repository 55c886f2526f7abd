#include "server/openapi.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json_document.h"
#include "server/docs_page.h"
#include "server/system_routes.h"

namespace dendro {
namespace {

/// A row that uses every part there is, with texts that try to break out.
Route full_row() {
  Route route;
  route.method = "POST";
  route.path = "/api/v1/things/{id}/{part}";
  route.on = profiles(Profile::platform);
  route.permission = Permission::ingest;
  route.operation_id = "make_thing";
  route.group = "Things <b>";
  route.summary = "Makes </p><script>alert(1)</script>.";
  route.description = "One.\n\nTwo & \"three\".";
  route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "Which."},
                  {"mode", ParamPlace::query, true, R"({"enum":["a","b"]})", "How <i>."},
                  {"X-One", ParamPlace::header, false, "", ""}};
  route.request_content_type = "application/x-ndjson";
  route.request_schema_json = R"({"type":"string"})";
  route.request_example = "{\"body\":\"it's\"}\n";
  route.replies = {{200, "Made.", "application/json", R"({"type":"object"})", R"({"id":"1"})"},
                   {200, "", "text/plain", "", "made\n"},
                   {204, "", "", "", ""}};
  return route;
}

RouteTable table_with_everything() {
  RouteTable routes = {full_row()};
  add_system_routes(routes, {.version = "1.2.3", .commit = "abc"});
  return routes;
}

JsonValue document_of(const RouteTable& routes, Profile profile) {
  auto document = parse_json_document(make_openapi(routes, profile, "1.2.3"));
  EXPECT_TRUE(document) << document.error().message();
  return document ? *std::move(document) : JsonValue();
}

/// Follows "#/components/schemas/X".
const JsonValue* resolve(const JsonValue& document, std::string_view reference) {
  if (!reference.starts_with("#/")) return nullptr;
  reference.remove_prefix(2);
  const JsonValue* value = &document;
  while (value != nullptr && !reference.empty()) {
    const std::size_t slash = reference.find('/');
    value = value->find(reference.substr(0, slash));
    reference.remove_prefix(slash == std::string_view::npos ? reference.size() : slash + 1);
  }
  return value;
}

void expect_references_resolve(const JsonValue& document, const JsonValue& value) {
  for (const JsonValue& element : value.elements()) expect_references_resolve(document, element);
  for (const auto& [key, member] : value.members()) {
    if (key == "$ref") {
      EXPECT_NE(resolve(document, *member.as_string()), nullptr) << *member.as_string();
    }
    expect_references_resolve(document, member);
  }
}

TEST(OpenApi, HoldsEveryRouteOfTheProfileAndNoOther) {
  const RouteTable routes = table_with_everything();
  for (const Profile profile : {Profile::platform, Profile::analytics}) {
    const JsonValue document = document_of(routes, profile);
    EXPECT_EQ(document.find("openapi")->as_string(), "3.1.0");
    std::size_t operations = 0;
    for (const auto& [path, item] : document.find("paths")->members()) operations += item.members().size();
    std::size_t rows = 0;
    for (const Route& route : routes) {
      if ((route.on & profile_bit(profile)) == 0) continue;
      ++rows;
      const JsonValue* const item = document.find("paths")->find(route.path);
      ASSERT_NE(item, nullptr) << route.path;
      const JsonValue* const operation = item->find(route.method == "GET" ? "get" : "post");
      ASSERT_NE(operation, nullptr) << route.path;
      EXPECT_EQ(operation->find("operationId")->as_string(), route.operation_id);
      EXPECT_EQ(operation->find("x-dendro-permission")->as_string(), permission_name(route.permission));
      EXPECT_NE(operation->find("responses")->find("default"), nullptr);
    }
    EXPECT_EQ(operations, rows);
  }
}

TEST(OpenApi, EveryReferenceResolves) {
  const JsonValue document = document_of(table_with_everything(), Profile::platform);
  expect_references_resolve(document, document);
}

TEST(OpenApi, TagsAreDeclaredAndOperationIdsUnique) {
  const JsonValue document = document_of(table_with_everything(), Profile::platform);
  std::set<std::string> tags;
  for (const JsonValue& tag : document.find("tags")->elements()) tags.emplace(*tag.find("name")->as_string());
  std::set<std::string> ids;
  for (const auto& [path, item] : document.find("paths")->members()) {
    for (const auto& [method, operation] : item.members()) {
      EXPECT_TRUE(ids.emplace(*operation.find("operationId")->as_string()).second);
      EXPECT_TRUE(tags.contains(std::string(*operation.find("tags")->elements().front().as_string())));
    }
  }
}

TEST(OpenApi, DescribesPathParametersBodiesAndReplies) {
  const JsonValue document = document_of(table_with_everything(), Profile::platform);
  const JsonValue& operation = *document.find("paths")->find("/api/v1/things/{id}/{part}")->find("post");
  std::set<std::string> names;
  for (const JsonValue& param : operation.find("parameters")->elements()) {
    names.emplace(*param.find("name")->as_string());
    if (param.find("in")->as_string() == "path") EXPECT_EQ(param.find("required")->as_bool(), true);
    EXPECT_NE(param.find("schema"), nullptr);
  }
  EXPECT_EQ(names, (std::set<std::string>{"id", "part", "mode", "X-One"})) << "part, which no row describes, is there";
  EXPECT_TRUE(
      operation.find("requestBody")->find("content")->find("application/x-ndjson")->find("example")->is_string());
  const JsonValue& made = *operation.find("responses")->find("200")->find("content");
  EXPECT_TRUE(made.find("application/json")->find("example")->is_object());
  EXPECT_TRUE(made.find("text/plain")->find("example")->is_string());
  EXPECT_EQ(operation.find("responses")->find("204")->find("content"), nullptr);
}

TEST(OpenApi, ErrorsHaveTheShapeOfTheProfile) {
  const RouteTable routes = table_with_everything();
  const auto reference = [&](Profile profile, std::string_view type) {
    const JsonValue document = document_of(routes, profile);
    const JsonValue& content =
        *document.find("paths")->find("/healthz")->find("get")->find("responses")->find("default")->find("content");
    return std::string(*content.find(type)->find("schema")->find("$ref")->as_string());
  };
  EXPECT_EQ(reference(Profile::platform, "application/problem+json"), "#/components/schemas/Problem");
  EXPECT_EQ(reference(Profile::analytics, "application/json"), "#/components/schemas/DetailError");
}

TEST(DocsPage, EscapesAllTextsAndUsesNoScriptOrInlineStyle) {
  const RouteTable routes = table_with_everything();
  const std::string html = DocsPage(routes, Profile::platform, "1.2.3").html("logs.example.org:80");
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<style"), std::string::npos);
  EXPECT_EQ(html.find("style="), std::string::npos);
  EXPECT_EQ(html.find(" on"), html.find(" one")) << "no event attributes";
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_EQ(html.find("<i>"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(html.find("http://logs.example.org:80/api/v1/things/{id}/{part}?mode="), std::string::npos);
  for (const Route& route : routes) {
    if ((route.on & profile_bit(Profile::platform)) == 0) continue;
    EXPECT_NE(html.find("<article id=\"" + route.operation_id + "\">"), std::string::npos) << route.operation_id;
  }
}

TEST(DocsPage, AHostileHostIsNotShown) {
  const DocsPage page(table_with_everything(), Profile::platform, "1");
  EXPECT_EQ(page.html("'; rm -rf ~ #").find("rm -rf"), std::string::npos);
  EXPECT_NE(page.html("").find("http://127.0.0.1:8080/"), std::string::npos);
}

TEST(DocsPage, CurlLinesQuoteForTheShell) {
  EXPECT_EQ(curl_line(full_row(), "h:1"),
            "curl -H 'content-type: application/x-ndjson' --data-binary '{\"body\":\"it'\\''s\"}\n' "
            "'http://h:1/api/v1/things/{id}/{part}?mode='");
}

}  // namespace
}  // namespace dendro
