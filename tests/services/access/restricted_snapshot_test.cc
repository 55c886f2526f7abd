#include "services/access/restricted_snapshot.h"

#include <gtest/gtest.h>

#include "tests/query/query_harness.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

/// A payment as its sender tells it; empty: without the field.
struct Payment {
  std::string service, body, card, city;
  std::int64_t amount = 0;
};

const std::vector<Payment> kPayments = {
    {"pay", "paid by 4111", "4111", "Bern", 10}, {"pay", "refused", "4222", "Basel", 20},
    {"shop", "viewed", "", "Bern", 0},           {"pay", "paid by 4333", "4333", "Genf", 30},
    {"auth", "token 4111", "", "", 0},           {"pay", "paid", "", "Bern", 40}};

enum class CardKind : std::uint8_t { as_it_is, left_out, masked };

void append_payment(RecordBatchBuilder& builder, const Payment& payment, std::int64_t second, CardKind card) {
  builder.begin_record();
  builder.set_timestamp(kTestTime.next(second * kNanosPerSecond));
  builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text(payment.service));
  builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(payment.body));
  builder.open_object("card");
  if (!payment.card.empty() && card != CardKind::left_out) {
    const std::string_view number = card == CardKind::masked ? "***" : std::string_view(payment.card);
    builder.add_leaf(LeafRole::attribute, "card.number", "number", Value::of_text(number));
  }
  builder.close_object();
  if (!payment.city.empty()) builder.add_leaf(LeafRole::attribute, "city", "city", Value::of_text(payment.city));
  builder.add_leaf(LeafRole::attribute, "amount", "amount", Value::of_int64(payment.amount));
  builder.end_record();
}

struct RestrictedSnapshotFixture : testing::Test {
  /// A store with the payments, partly sealed, partly in memory.
  static void fill(StoreFixture& store, const std::vector<Payment>& payments, CardKind card) {
    store.open();
    for (std::size_t half = 0; half < 2; ++half) {
      RecordBatchBuilder builder(kTestTime);
      for (std::size_t i = 0; i < payments.size(); ++i) {
        if (i % 2 == half) append_payment(builder, payments[i], static_cast<std::int64_t>(i), card);
      }
      CommitRequest request;
      request.receive_time = kTestTime;
      if (!builder.empty()) request.batches = {builder.finish()};
      if (!request.batches.empty()) {
        ASSERT_TRUE(store.append(std::move(request)).has_value());
      }
      if (half == 0) {
        ASSERT_TRUE(store.store->flush().has_value());
      }
    }
  }
  static std::shared_ptr<const Snapshot> view(StoreFixture& store, const Access& access) {
    auto restriction = make_record_restriction(access, kTestTime);
    EXPECT_TRUE(restriction.has_value());
    return restrict_snapshot(*store.store->snapshot(TenantId::default_tenant()), std::move(*restriction));
  }
  static std::vector<std::string> rows(std::shared_ptr<const Snapshot> snapshot, const std::string& query) {
    QueryRequest request;
    request.query = query;
    request.now = kTestTime.next(3600 * kNanosPerSecond);
    ManualClock clock(request.now);
    std::vector<std::string> rows = run_query(request, make_snapshot_input(std::move(snapshot)), clock).rows;
    for (std::string& row : rows) {  // `_id` holds the place in the store
      const std::size_t id = row.find("\"_id\":\"");
      if (id != std::string::npos) row.erase(id, row.find(',', id) + 1 - id);
    }
    return rows;
  }
  /// Every query says of the restricted store what it says of one that never held the rest.
  static void expect_same(const Access& access, const std::vector<Payment>& seen, CardKind card) {
    StoreFixture all, some;
    fill(all, kPayments, CardKind::as_it_is);
    fill(some, seen, card);
    const std::vector<std::string> queries = {"*",
                                              "paid",
                                              "4111",
                                              "card.number:4111",
                                              "card.number:=4333",
                                              "card.number:*",
                                              "-card.number:*",
                                              "card.number:\"***\"",
                                              "* | stats count(), sum(amount), max(amount)",
                                              "* | stats by (service.name) count()",
                                              "* | stats by (card.number) count()",
                                              "* | stats by (city) count() | sort by (city)",
                                              "* | top 2 city",
                                              "* | uniq by (city) | sort by (city)",
                                              "amount:>15 | sort by (amount) | fields amount, city",
                                              "service.name:pay | fields body",
                                              "{service_name=\"auth\"}",
                                              "* | field_names",
                                              "* | limit 2",
                                              "* | stats count_uniq(card.number)",
                                              "body:~\"paid by\" | extract \"by <n>\" from body | fields n"};
    for (const std::string& query : queries) {
      EXPECT_EQ(rows(view(all, access), query), rows(*some.store->snapshot(TenantId::default_tenant()), query))
          << query;
    }
  }
};

TEST_F(RestrictedSnapshotFixture, RowsOutsideTheFilterAreNotThere) {
  StoreFixture store;
  fill(store, kPayments, CardKind::as_it_is);
  const auto bern = view(store, {{}, {}, {"city:=Bern"}, {}, {}});
  EXPECT_EQ(rows(bern, "* | stats count() as n"), std::vector<std::string>{R"({"n":3})"});
  EXPECT_EQ(rows(bern, "Basel"), std::vector<std::string>());
  EXPECT_EQ(rows(bern, "* | stats by (city) count()").size(), 1u);
  const auto either = view(store, {{}, {}, {"city:=Bern", "service.name:=auth"}, {}, {}});
  EXPECT_EQ(rows(either, "*").size(), 4u) << "any of the filters";
}

TEST_F(RestrictedSnapshotFixture, NothingIsCountedOfWhatIsHidden) {
  StoreFixture store;
  fill(store, kPayments, CardKind::as_it_is);
  for (const Access& access : {Access{{}, {}, {"city:=Bern"}, {}, {}}, Access{{}, {}, {}, {"card.number"}, {}}}) {
    const auto snapshot = view(store, access);
    ScanRequest request;
    request.profile = std::make_shared<ScanProfile>();
    const auto profile = request.profile;
    run_scan(*snapshot, std::move(request));
    EXPECT_EQ(profile->counts().segments.total() + profile->counts().memtable_records, 0u)
        << "which row groups hold a word would tell of other records";
    EXPECT_EQ(snapshot->block_stats({}).error().code(), ErrorCode::unimplemented);
  }
}

TEST_F(RestrictedSnapshotFixture, ARecordIsFoundByItsPlaceOnlyWhereItIsSeen) {
  StoreFixture store;
  fill(store, kPayments, CardKind::as_it_is);
  const auto all = *store.store->snapshot(TenantId::default_tenant());
  const auto bern = view(store, {{}, {}, {"city:=Bern"}, {}, {}});
  const auto hidden = view(store, {{}, {}, {}, {"card"}, {"body"}});
  for (const RecordPosition& position : run_scan(*all).positions) {
    const bool is_seen = bern->find(position)->has_value();
    const RecordBlock block = **all->find(position);
    bool is_of_bern = false;
    block.record(block.rows[0]).for_each_leaf([&](const Leaf& leaf, const Value& value) {
      is_of_bern |= leaf.path == "city" && value.text == "Bern";
      return true;
    });
    EXPECT_EQ(is_seen, is_of_bern);
    const auto redacted = hidden->find(position);
    ASSERT_TRUE(redacted->has_value());
    EXPECT_EQ((*redacted)->position((*redacted)->rows[0]), position);
    EXPECT_EQ(body_of((*redacted)->record((*redacted)->rows[0])), "***");
  }
}

TEST_F(RestrictedSnapshotFixture, HiddenFieldsAnswerAsIfTheyHadNeverBeenSent) {
  expect_same({{}, {}, {}, {"card"}, {}}, kPayments, CardKind::left_out);
  expect_same({{}, {}, {}, {"card.number"}, {}}, kPayments, CardKind::left_out);
}

TEST_F(RestrictedSnapshotFixture, MaskedFieldsAnswerAsTheirMask) {
  expect_same({{}, {}, {}, {}, {"card.number"}}, kPayments, CardKind::masked);
}

TEST_F(RestrictedSnapshotFixture, WhatMayHoldAHiddenFieldInsideGoesWhole) {
  StoreFixture store;
  store.open();
  RecordBatchBuilder builder(kTestTime);
  builder.begin_record();
  const auto add = [&builder](std::string_view name, const Value& value) {
    builder.add_leaf(LeafRole::attribute, name, name, value);
  };
  add("card", Value::of_text(R"({"number":"4111"})"));
  add("cards", Value::of_list(R"([{"number":"4222"}])"));
  add("name", Value::of_text("Bern"));
  add("dendro.more", Value::of_text(R"({"card":{"number":"4333"}})"));
  add("dendro.raw", Value::of_text("4444"));
  builder.end_record();
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {builder.finish()};
  ASSERT_TRUE(store.append(std::move(request)).has_value());
  const std::string query = "* | fields card, cards, name, dendro.more, dendro.raw";
  const auto hidden = rows(view(store, {{}, {}, {}, {"card.number", "cards.number"}, {}}), query);
  EXPECT_EQ(hidden, std::vector<std::string>{R"({"name":"Bern"})"});
  const auto masked = rows(view(store, {{}, {}, {}, {}, {"card.number", "cards.number"}}), query);
  EXPECT_EQ(masked, std::vector<std::string>{R"({"card":"***","cards":"***","name":"Bern"})"});
  const auto other = rows(view(store, {{}, {}, {}, {"name.first"}, {}}), "* | fields card, name");
  EXPECT_EQ(other, std::vector<std::string>{R"({"card":"{\"number\":\"4111\"}","name":"Bern"})"})
      << "a plain text holds no field";
}

TEST_F(RestrictedSnapshotFixture, TheTrailOfReadsIsThereForThoseWithTheRightToIt) {
  StoreFixture store;
  store.open();
  RecordBatchBuilder builder(kTestTime);
  for (const char* source : {"ingest", "audit_trail"}) {
    builder.begin_record();
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(source));
    builder.add_label("dendro.source", Value::of_text(source));
    builder.end_record();
  }
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {builder.finish()};
  ASSERT_TRUE(store.append(std::move(request)).has_value());
  for (const bool is_flushed : {false, true}) {
    if (is_flushed) {
      ASSERT_TRUE(store.store->flush().has_value());
    }
    EXPECT_EQ(rows(view(store, {{Permission::search}, {}, {}, {}, {}}), "* | fields body"),
              std::vector<std::string>{R"({"body":"ingest"})"});
    EXPECT_EQ(rows(view(store, {{Permission::search}, {}, {}, {}, {}}), "dendro.source:=audit_trail").size(), 0u);
    EXPECT_EQ(rows(view(store, {{Permission::search, Permission::audit_trail}, {}, {}, {}, {}}), "*").size(), 2u);
    EXPECT_EQ(rows(view(store, {{Permission::search}, {}, {"audit_trail"}, {}, {}}), "*").size(), 0u)
        << "no filter of a role lets it through";
  }
}

TEST_F(RestrictedSnapshotFixture, RestrictionsThatSayTheSameHaveOneKey) {
  const auto key = [](std::vector<std::string> filters, std::vector<std::string> hidden,
                      std::vector<std::string> masked) {
    return make_record_restriction({{}, {}, std::move(filters), std::move(hidden), std::move(masked)}, kTestTime)->key;
  };
  EXPECT_EQ(key({"a"}, {"b"}, {}), key({"a"}, {"b"}, {}));
  EXPECT_NE(key({"a"}, {"b"}, {}), key({"a"}, {}, {"b"}));
  EXPECT_NE(key({"a b"}, {}, {}), key({"a", "b"}, {}, {}));
  EXPECT_NE(key({}, {"a:1 b"}, {}), key({}, {"a", "b"}, {}));
  EXPECT_EQ(make_record_restriction({{Permission::audit_trail}, {}, {}, {}, {}}, kTestTime)->key, "");
}

TEST_F(RestrictedSnapshotFixture, WithoutRestrictionItIsTheSnapshotItself) {
  StoreFixture store;
  fill(store, kPayments, CardKind::as_it_is);
  const auto base = *store.store->snapshot(TenantId::default_tenant());
  EXPECT_EQ(restrict_snapshot(base, *make_record_restriction({{Permission::audit_trail}, {}, {}, {}, {}}, kTestTime)),
            base);
  expect_same({{}, {}, {"*"}, {}, {}}, kPayments, CardKind::as_it_is);
}

TEST_F(RestrictedSnapshotFixture, AFilterThatIsNoneIsAnErrorNotEverything) {
  EXPECT_FALSE(make_record_restriction({{}, {}, {"city:("}, {}, {}}, kTestTime).has_value());
  EXPECT_FALSE(make_record_restriction({{}, {}, {"city:Bern | limit 1"}, {}, {}}, kTestTime).has_value());
}

}  // namespace
}  // namespace dendro
