#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "identity/identity_parts.h"
#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"

namespace dendro {

inline TenantId tenant(std::string_view name) {
  return *TenantId::parse(name);
}

/// Answers by address; counts the calls. Nothing for an address: it is away.
class ScriptedHttp final : public HttpClient {
 public:
  Result<HttpClientReply> exchange(const HttpClientRequest& request, const HttpBodySink&) override {
    ++calls[request.url];
    if (before_answer) before_answer();
    const auto found = answers.find(request.url);
    if (found == answers.end()) return Error(ErrorCode::unavailable, request.url + ": refused");
    return found->second;
  }
  void answer(const std::string& url, std::string body, const std::string& cache_control = "", int status = 200) {
    HttpClientReply reply;
    reply.status = status;
    reply.body = std::move(body);
    if (!cache_control.empty()) reply.headers = {{"cache-control", cache_control}};
    answers[url] = std::move(reply);
  }
  std::map<std::string, HttpClientReply> answers;
  std::map<std::string, int> calls;
  std::function<void()> before_answer;
};

/// Everything of src/identity over a real database, with a clock that stands still.
struct IdentityFixture : testing::Test {
  static constexpr Timestamp kStart{1'790'000'000'000'000'000};
  static constexpr const char* kSecret = "a secret of more than 32 bytes, for tests";

  TemporaryFolder folder;
  std::string path = folder.path("meta.db");
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(path, meta_schema()).value();
  std::unique_ptr<FileSystem> files = make_posix_file_system();
  ScriptedHttp http;
  ManualClock clock{kStart};
  SystemRandom random;
  IdentitySettings settings;
  std::unique_ptr<IdentityParts> parts;

  void open() {
    settings.secret_key = kSecret;
    reopen();
  }
  void reopen() {
    parts.reset();
    auto opened = IdentityParts::open(settings, from());
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    parts = std::move(*opened);
  }
  IdentityParts::From from() {
    return {*database, *files, &http, clock, random, [](const std::string& filter) -> Status {
              if (filter.find("(((") == std::string::npos) return {};
              return Error(ErrorCode::invalid_argument, "offset 0: unbalanced");
            }};
  }

  ApiKeyRequest key_request(std::vector<std::string> scopes = {"ingest"}) const {
    return {"agent", {"shop"}, std::move(scopes), {}, "", std::nullopt};
  }
  TokenRequest token_request(std::vector<std::string> roles = {"reader"}) const {
    return {{"shop"}, std::move(roles), "sue", std::nullopt};
  }
  static Credential secret(const std::string& text) { return {Credential::Kind::secret, text}; }

  /// The text of the refusal; "" if it is none, or another failure.
  std::string refusal(const Credential& credential) {
    const auto answer = parts->authenticator().authenticate(credential);
    if (answer) return "";
    EXPECT_EQ(answer.error().code(), ErrorCode::unauthenticated) << answer.error().message();
    return answer.error().message();
  }
};

}  // namespace dendro
