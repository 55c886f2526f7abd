#include "server/router.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

Route row(std::string method, std::string path, ProfileSet on = kAllProfiles) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = on;
  route.operation_id = route.method + route.path + std::to_string(on);
  return route;
}

/// "GET /a/{id} id=7", "405 GET, HEAD" or "404".
std::string found_at(const RouteTable& routes, Profile profile, std::string_view method, std::string_view path) {
  const auto router = Router::build(routes);
  EXPECT_TRUE(router) << router.error().message();
  const Router::Match match = (*router)->find(profile, method, path);
  if (match.route == nullptr) return match.allow.empty() ? "404" : "405 " + match.allow;
  std::string text = match.route->method + " " + match.route->path;
  for (const auto& [name, value] : match.path_params) text += " " + name + "=" + value;
  return text;
}

TEST(Router, FixedSegmentsWinOverNames) {
  const RouteTable routes = {row("GET", "/a/{id}"), row("GET", "/a/list"), row("GET", "/{x}/list/{y}")};
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a/list"), "GET /a/list");
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a/7"), "GET /a/{id} id=7");
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a/list/9"), "GET /{x}/list/{y} x=a y=9")
      << "given up, tried again";
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a/"), "404") << "a name is not empty";
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a"), "404");
}

TEST(Router, DecodesSegmentsOneByOne) {
  const RouteTable routes = {row("GET", "/a/{id}"), row("GET", "/health")};
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a/x%2Fy%20z"), "GET /a/{id} id=x/y z");
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/%68ealth"), "GET /health");
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/a%2Fb"), "404");
}

TEST(Router, TrailingAndDoubledSlashesAreOtherPaths) {
  const RouteTable routes = {row("GET", "/health"), row("GET", "/")};
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/health/"), "404");
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "//health"), "404");
  EXPECT_EQ(found_at(routes, Profile::platform, "GET", "/"), "GET /");
}

TEST(Router, ProfileAloneSettlesWhichRowAnswers) {
  const RouteTable routes = {row("GET", "/", profiles(Profile::platform)), row("GET", "/", profiles(Profile::ingest)),
                             row("POST", "/", profiles(Profile::ingest))};
  EXPECT_EQ(found_at(routes, Profile::platform, "POST", "/"), "405 GET, HEAD");
  EXPECT_EQ(found_at(routes, Profile::ingest, "DELETE", "/"), "405 GET, HEAD, POST");
  EXPECT_EQ(found_at(routes, Profile::analytics, "GET", "/"), "404");
  EXPECT_EQ(found_at(routes, Profile::platform, "HEAD", "/"), "GET /");
  EXPECT_EQ(found_at(routes, Profile::platform, "get", "/"), "405 GET, HEAD");
}

TEST(Router, RefusesTwoAnswersToOneRequest) {
  EXPECT_FALSE(Router::build({row("GET", "/a/{id}"), row("GET", "/a/{name}", profiles(Profile::audit))}));
  RouteTable same_id = {row("GET", "/a"), row("GET", "/b")};
  same_id[1].operation_id = same_id[0].operation_id;
  EXPECT_FALSE(Router::build(same_id));
  EXPECT_FALSE(Router::build({row("GET", "a")}));
}

}  // namespace
}  // namespace dendro
