#include "server/routes/tenant_routes.h"

#include <gtest/gtest.h>

#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"
#include "tests/server/fake_authenticator.h"
#include "tests/server/test_server.h"

namespace dendro {
namespace {

/// An audit listener with callers "root" (every tenant), "acme" and "bank" (admins of theirs), "reader" (of acme).
struct TenantRoutesFixture : testing::Test {
  TenantRoutesFixture() {
    TenantStoreParts parts;
    parts.drop_records = [](const TenantId&) -> Result<std::uint64_t> { return 0; };
    parts.count_records = [](const TenantId&) -> Result<std::uint64_t> { return 0; };
    parts.set_retention = [](const TenantId&, std::optional<std::uint32_t>) {};
    service.emplace(rows, std::move(parts), server.clock, server.random);
    server.routes = make_tenant_routes(server.workers, *service);
    PermissionSet admin = PermissionSet::all();
    authenticator.add("root", "*", admin);
    authenticator.add("acme", "acme", admin);
    authenticator.add("bank", "bank", admin);
    authenticator.add("reader", "acme", {Permission::search});
    server.access.authenticator = &authenticator;
    server.access.roles_with = [](Permission) { return std::vector<std::string>{"admin"}; };
    server.start(Profile::audit);
  }
  ~TenantRoutesFixture() override { server.server.reset(); }

  RawReply send(const std::string& method, const std::string& path, const std::string& who,
                std::string_view body = {}) {
    return RawClient(server.port())
        .ask(method + " /api/v1/tenants" + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + who +
             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  TenantRegister rows{*database};
  std::optional<TenantService> service;
  FakeAuthenticator authenticator;
  TestServer server;
};

TEST_F(TenantRoutesFixture, CreatesShowsChangesAndDeletes) {
  const RawReply made = send("POST", "", "root", R"({"tenant_id":"acme","name":"Acme","api_key":"k","extra":1})");
  EXPECT_EQ(made.status, 201) << made.body;
  const std::string id = made.body.substr(7, 24);
  EXPECT_EQ(made.body, R"({"id":")" + id +
                           R"(","tenant_id":"acme","name":"Acme","settings":{"retention_days":90,"log_levels":["INFO",)"
                           R"("WARNING","ERROR","CRITICAL"]},"created_at":"2023-11-14T22:13:20.000000Z"})");
  EXPECT_EQ(rows.list()->front().api_key_hash.size(), 64u);
  const RawReply again = send("POST", "", "root", R"({"tenant_id":"acme","name":"Acme"})");
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body, R"({"detail":"Tenant with ID acme already exists"})");
  EXPECT_EQ(send("GET", "/acme", "acme").body, made.body);
  EXPECT_EQ(send("GET", "/" + id, "root").body, made.body);
  EXPECT_EQ(send("PUT", "/acme", "acme", "{}").body, made.body) << "without change";
  const RawReply changed = send("PUT", "/acme", "acme", R"({"settings":{"retention_days":7}})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.body.find(R"("name":"Acme","settings":{"retention_days":7,"log_levels":["INFO")"),
            std::string::npos);
  EXPECT_EQ(send("DELETE", "/acme", "root").status, 204);
  EXPECT_EQ(send("GET", "/acme", "root").status, 404);
  EXPECT_EQ(send("DELETE", "/acme", "root").body, R"({"detail":"Tenant not found"})");
}

TEST_F(TenantRoutesFixture, ACallerSeesItsOwnTenantsOnly) {
  ASSERT_EQ(send("POST", "", "root", R"({"tenant_id":"bank","name":"Bank"})").status, 201);
  EXPECT_EQ(send("GET", "/bank", "acme").status, 404) << "never 403: nobody learns that it exists";
  EXPECT_EQ(send("PUT", "/bank", "acme", R"({"name":"x"})").status, 404);
  EXPECT_EQ(send("GET", "/acme", "acme").status, 200) << "named by the credential, created by nobody";
  EXPECT_NE(send("GET", "/acme", "acme").body.find(R"("created_at":null)"), std::string::npos);
  EXPECT_EQ(send("GET", "/acme", "root").status, 404);
  EXPECT_EQ(send("POST", "", "acme", R"({"tenant_id":"x","name":"x"})").status, 403);
  EXPECT_EQ(send("DELETE", "/acme", "acme").status, 403);
  EXPECT_EQ(send("POST", "/bank/suspend", "acme").status, 403);
  EXPECT_EQ(send("GET", "", "reader").status, 403);
  const std::string listed = send("GET", "", "bank").body;
  EXPECT_NE(listed.find(R"("tenant_id":"bank")"), std::string::npos);
  EXPECT_EQ(listed.find("acme"), std::string::npos);
  EXPECT_NE(listed.find(R"("meta":{"pagination":{"total":1,"page":1,"size":100}})"), std::string::npos);
}

TEST_F(TenantRoutesFixture, AnAdminsChangeCreatesTheTenantThatItsCredentialNames) {
  EXPECT_EQ(send("PUT", "/acme", "acme", R"({"name":"Acme"})").status, 200);
  EXPECT_EQ(send("GET", "/acme", "root").status, 200);
}

TEST_F(TenantRoutesFixture, PagesAndRefusesBadPages) {
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_EQ(send("POST", "", "root", R"({"tenant_id":")" + std::string(id) + R"(","name":"x"})").status, 201);
  }
  const std::string page = send("GET", "?skip=2&limit=2", "root").body;
  EXPECT_NE(page.find(R"("tenant_id":"c")"), std::string::npos);
  EXPECT_EQ(page.find(R"("tenant_id":"b")"), std::string::npos);
  EXPECT_NE(page.find(R"({"total":3,"page":2,"size":2})"), std::string::npos);
  EXPECT_NE(send("GET", "?skip=9", "root").body.find(R"({"data":[],)"), std::string::npos);
  EXPECT_EQ(send("GET", "?limit=0", "root").status, 422);
  EXPECT_NE(send("GET", "?skip=-1", "root").body.find(R"({"detail":[{"loc":["query","skip"])"), std::string::npos);
}

TEST_F(TenantRoutesFixture, FaultsNameTheField) {
  const auto fault = [this](std::string_view body) {
    const RawReply reply = send("POST", "", "root", body);
    EXPECT_EQ(reply.status, 422) << body;
    return reply.body.substr(0, reply.body.find(",\"msg\""));
  };
  EXPECT_EQ(fault(R"({"name":"x"})"), R"({"detail":[{"loc":["body","tenant_id"])");
  EXPECT_EQ(fault(R"({"tenant_id":"a/b","name":"x"})"), R"({"detail":[{"loc":["body","tenant_id"])");
  EXPECT_EQ(fault(R"({"tenant_id":"a","name":7})"), R"({"detail":[{"loc":["body","name"])");
  EXPECT_EQ(fault(R"({"tenant_id":"a","name":"x","settings":{"log_levels":["LOUD"]}})"),
            R"({"detail":[{"loc":["body","settings","log_levels"])");
  EXPECT_EQ(fault("[]"), R"({"detail":[{"loc":["body"])");
  EXPECT_EQ(fault("{"), R"({"detail":[{"loc":["body"])");
}

TEST_F(TenantRoutesFixture, SuspendsAndResumes) {
  ASSERT_EQ(send("POST", "", "root", R"({"tenant_id":"acme","name":"Acme"})").status, 201);
  EXPECT_NE(send("POST", "/acme/suspend", "root").body.find(R"("suspended":true)"), std::string::npos);
  EXPECT_FALSE(service->admits(*TenantId::parse("acme"), TenantService::Use::read).status.has_value());
  EXPECT_EQ(send("POST", "/acme/resume", "root").body.find("suspended"), std::string::npos);
  EXPECT_TRUE(service->admits(*TenantId::parse("acme"), TenantService::Use::read).status.has_value());
}

}  // namespace
}  // namespace dendro
