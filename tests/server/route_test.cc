#include "server/route.h"

#include <gtest/gtest.h>

#include "base/json_document.h"

namespace dendro {
namespace {

TEST(ErrorResponse, HasTheShapeItIsAskedFor) {
  EXPECT_EQ(error_response(ErrorShape::detail, 404, "not_found", "No \"such\"", "r").body,
            R"({"detail":"No \"such\""})");
  EXPECT_EQ(error_response(ErrorShape::status_code, 400, "invalid_argument", "text", "r").body,
            R"({"statusCode":400,"error":"text"})");
  EXPECT_EQ(error_response(ErrorShape::error_only, 400, "invalid_argument", "text", "r").body, R"({"error":"text"})");
  const HttpResponse problem = error_response(ErrorShape::problem, 409, "already_exists", "text", "r");
  EXPECT_EQ(problem.content_type, "application/problem+json");
  EXPECT_EQ(problem.body, R"({"type":"about:blank","title":"Conflict","status":409,"detail":"text",)"
                          R"("code":"already_exists","request_id":"r"})");
}

TEST(ErrorResponse, CarriesFieldFaults) {
  const std::string faults = R"([{"loc":["query","threshold"],"msg":"m","type":"t"}])";
  EXPECT_EQ(error_response(ErrorShape::detail, 422, "invalid_argument", "text", "r", {faults, {}}).body,
            R"({"detail":)" + faults + "}");
  const auto problem =
      parse_json_document(error_response(ErrorShape::problem, 422, "invalid_argument", "text", "r", {faults, {}}).body);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->find("errors")->elements().size(), 1U);
  EXPECT_TRUE(problem->find("detail")->is_string());
}

TEST(ErrorResponse, AsksToRetryWhereThatHelps) {
  EXPECT_EQ(error_response(ErrorShape::problem, 429, "", "", "").headers.find("Retry-After"), "1");
  EXPECT_EQ(error_response(ErrorShape::problem, 503, "", "", "").headers.find("Retry-After"), "5");
  EXPECT_EQ(error_response(ErrorShape::problem, 507, "", "", "").headers.find("Retry-After"), "30");
  EXPECT_EQ(error_response(ErrorShape::problem, 500, "", "", "").headers.find("Retry-After"), std::nullopt);
}

TEST(ErrorResponse, HidesTheInsideOfOurOwnFaults) {
  for (const ErrorCode code : {ErrorCode::internal, ErrorCode::io_error, ErrorCode::corruption}) {
    const HttpResponse response = error_response(ErrorShape::detail, Error(code, "/var/lib/secret: EIO"), "r");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.body, R"({"detail":"Internal server error"})");
  }
  EXPECT_EQ(error_response(ErrorShape::detail, Error(ErrorCode::unavailable, "recovering"), "r").body,
            R"({"detail":"recovering"})");
  EXPECT_EQ(error_response(ErrorShape::detail, Error(ErrorCode::storage_full, "disk full"), "r").status, 507);
}

TEST(ErrorResponse, ProfilesChooseTheShape) {
  EXPECT_EQ(resolve_error_shape(ErrorShape::by_profile, Profile::platform), ErrorShape::problem);
  EXPECT_EQ(resolve_error_shape(ErrorShape::by_profile, Profile::analytics), ErrorShape::detail);
  EXPECT_EQ(resolve_error_shape(ErrorShape::by_profile, Profile::audit), ErrorShape::detail);
  EXPECT_EQ(resolve_error_shape(ErrorShape::by_profile, Profile::ingest), ErrorShape::status_code);
  EXPECT_EQ(resolve_error_shape(ErrorShape::by_profile, Profile::diagnose), ErrorShape::error_only);
  EXPECT_EQ(resolve_error_shape(ErrorShape::status_code, Profile::platform), ErrorShape::status_code);
}

TEST(OnWorkers, FullPoolAnswersByItself) {
  WorkerPool pool(1, 0);
  const HttpHandler handler = on_workers(pool, [](const HttpRequest&) { return json_response(200, "{}"); });
  const auto request = std::make_shared<HttpRequest>();
  int status = 0;
  handler(request, [&status](HttpResponse response) { status = response.status; });
  EXPECT_EQ(status, 429);
}

}  // namespace
}  // namespace dendro
