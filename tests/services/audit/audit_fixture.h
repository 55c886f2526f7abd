#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_document.h"
#include "services/audit/audit_pipeline.h"
#include "services/audit/engine_audit_store.h"
#include "tests/storage/store_fixture.h"

namespace dendro {

/// A JSON object: those members, `more` in front of them ("\"a\":1,").
inline std::string audit_json(const std::string& more = {}) {
  return "{" + more + R"("action":"CREATE","resource_type":"user","resource_id":"u1","message":"made"})";
}

/// An engine on files in memory, its audit store and the pipeline in front of it; time stands until it is moved.
struct AuditFixture : testing::Test {
  AuditFixture() {
    engine.open();
    make();
  }
  void make(EngineAuditOptions options = {}) {
    pipeline.reset();
    store = make_engine_audit_store(*engine.store, engine.clock, std::move(options));
    pipeline = std::make_unique<AuditPipeline>(*store, engine.random, [this](const TenantId&) { return settings; });
  }
  /// Everything from memory into segments.
  void flush() { ASSERT_TRUE(engine.store->flush().has_value()); }
  void reopen() {
    pipeline.reset();
    store.reset();
    engine.open();
    make();
  }

  AuditIntake intake(const std::string& body, const TenantId& tenant = TenantId::default_tenant()) {
    AuditIntake intake;
    intake.tenant = tenant;
    intake.body = body;
    intake.receive_time = engine.clock.now();
    intake.request_id = "req";
    return intake;
  }
  AuditIntakeOutcome create(const std::string& body, const TenantId& tenant = TenantId::default_tenant(),
                            std::optional<std::string> key = {}) {
    AuditIntake request = intake(body, tenant);
    request.retry_key = std::move(key);
    std::promise<AuditIntakeOutcome> promise;
    pipeline->create(request, [&promise](AuditIntakeOutcome outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  AuditIntakeOutcome create_bulk(const std::string& logs, std::optional<std::string> key = {},
                                 const TenantId& tenant = TenantId::default_tenant()) {
    const std::string body = R"({"logs":[)" + logs + "]}";
    AuditIntake request = intake(body, tenant);
    request.retry_key = std::move(key);
    std::promise<AuditIntakeOutcome> promise;
    pipeline->create_bulk(request, [&promise](AuditIntakeOutcome outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  AuditPage<AuditLog> list(const AuditFilter& filter = {}, std::uint64_t skip = 0, std::uint64_t limit = 1000,
                           const std::string& cursor = {}, const TenantId& tenant = TenantId::default_tenant()) {
    AuditPageRequest request;
    request.tenant = tenant;
    request.skip = skip;
    request.limit = limit;
    request.cursor = cursor;
    request.now = engine.clock.now();
    auto page = store->list(request, filter);
    EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message());
    return page ? std::move(*page) : AuditPage<AuditLog>();
  }
  AuditFilter filter(const std::vector<std::pair<std::string, std::string>>& params) {
    FieldFaults faults;
    const AuditParam param = [&params](std::string_view name) -> std::optional<std::string> {
      for (const auto& [key, value] : params) {
        if (key == name) return value;
      }
      return std::nullopt;
    };
    AuditFilter filter = read_audit_filter(param, "query", faults);
    for (const FieldFault& fault : faults) ADD_FAILURE() << fault.field << ": " << fault.message;
    return filter;
  }
  /// Records of a source, whatever they are.
  std::size_t count_source(const std::string& source, const TenantId& tenant = TenantId::default_tenant()) {
    const auto snapshot = engine.store->snapshot(tenant);
    const auto blocks = (*snapshot)->scan({});
    std::size_t count = 0;
    for (auto block = blocks->next(); block && block->has_value(); block = blocks->next()) {
      for (const std::uint32_t row : (*block)->rows) {
        const StreamLabel* label = (*block)->record(row).stream().find("dendro.source");
        count += label != nullptr && label->value.text == source ? 1 : 0;
      }
    }
    return count;
  }

  StoreFixture engine;
  AuditTenantSettings settings;
  std::unique_ptr<AuditStore> store;
  std::unique_ptr<AuditPipeline> pipeline;
};

inline std::vector<std::string> messages_of(const std::vector<AuditLog>& logs) {
  std::vector<std::string> messages;
  for (const AuditLog& log : logs) messages.push_back(log.message);
  return messages;
}

}  // namespace dendro
