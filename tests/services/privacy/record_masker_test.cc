#include "services/privacy/record_masker.h"

#include <cstdlib>
#include <random>

#include "tests/services/privacy/privacy_fixture.h"

namespace dendro {
namespace {

struct RecordMaskerFixture : PrivacyFixture {};

TEST_F(RecordMaskerFixture, WithoutRulesNothingIsTouched) {
  CommitRequest request = request_of(R"({"body":"4111111111111111"})");
  const auto before = request.batches;
  ASSERT_TRUE(privacy->rewrite(request).has_value());
  EXPECT_EQ(request.batches, before);
  set_rules("[]");
  ASSERT_TRUE(privacy->rewrite(request).has_value());
  EXPECT_EQ(request.batches, before);
}

TEST_F(RecordMaskerFixture, WithoutAFindTheBatchIsTheOneThatCame) {
  set_rules(R"([{"name":"cards","pattern":"card"}])");
  CommitRequest request = request_of("{\"body\":\"nothing\"}\n{\"body\":\"here\",\"n\":5}");
  const auto before = request.batches;
  ASSERT_TRUE(privacy->rewrite(request).has_value());
  EXPECT_EQ(request.batches, before);
  EXPECT_EQ(privacy->totals().records_masked, 0u);
}

TEST_F(RecordMaskerFixture, MasksBodyAttributesListsLabelsAndNumbers) {
  set_rules(R"([{"name":"cards","pattern":"card","keep_last":4}])");
  EXPECT_EQ(stored_one(R"({"body":"paid 4111 1111 1111 1111 ok","level":"info"})"),
            R"({"body":"paid ***1111 ok","level":"info"})");
  EXPECT_EQ(stored_one(R"({"a":{"b":{"pan":"4111111111111111"}},"x":1.0})"),
            R"({"a":{"b":{"pan":"***1111"}},"x":1.0})");
  EXPECT_EQ(stored_one(R"({"pan":4111111111111111,"n":17})"), R"({"pan":"***1111","n":17})");
  EXPECT_EQ(stored_one(R"({"l":[1,"4111111111111111",{"k":[4111111111111111,"\"x"]}]})"),
            R"({"l":[1,"***1111",{"k":["***1111","\"x"]}]})");
  EXPECT_EQ(stored_one(R"({"service":{"name":"4111111111111111"},"body":"x"})"),
            R"({"service":{"name":"***1111"},"body":"x"})");
  EXPECT_NE(labels.find(R"(service.name="***1111")"), std::string::npos) << labels;
  EXPECT_EQ(stored_one(R"({"body":{"text":"4111111111111111"}})"), R"({"body":{"text":"***1111"}})");
  EXPECT_EQ(privacy->totals().records_masked, 6u);
}

TEST_F(RecordMaskerFixture, RecordsKeepTheirPlace) {
  set_rules(R"([{"name":"mail","pattern":"email"}])");
  EXPECT_EQ(stored("{\"body\":\"a\"}\n{\"body\":\"x@y.org\"}\n{\"body\":\"c\"}\n{\"m\":\"u@v.org\"}"),
            (std::vector<std::string>{R"({"body":"a"})", R"({"body":"***"})", R"({"body":"c"})", R"({"m":"***"})"}));
}

TEST_F(RecordMaskerFixture, FieldsAreFoundByName) {
  set_rules(R"([{"name":"who","fields":["user","*.ssn"],"pattern":"whole"}])");
  EXPECT_EQ(stored_one(R"({"user":{"name":"Ann","age":5,"tags":["a",{"b":true}],"none":null},"username":"x"})"),
            R"({"user":{"name":"***","age":"***","tags":["***",{"b":"***"}],"none":null},"username":"x"})");
  EXPECT_EQ(stored_one(R"({"l":[{"SSN":"1"},{"y":[{"ssn":2}]}],"ssn":"kept"})"),
            R"({"l":[{"SSN":"***"},{"y":[{"ssn":"***"}]}],"ssn":"kept"})");
}

TEST_F(RecordMaskerFixture, NamesOfSecretsSayEnough) {
  set_rules(R"([{"name":"keys","pattern":"credentials"}])");
  EXPECT_EQ(stored_one(R"({"db_password":"hunter2","Authorization":"x","n":{"apiKey":"k"},"token":null,"tokens":5})"),
            R"({"db_password":"***","Authorization":"***","n":{"apiKey":"***"},"token":null,"tokens":5})");
  EXPECT_EQ(stored_one(R"({"l":[{"password":"hunter2"}],"body":"login password=hunter2 ok"})"),
            R"({"l":[{"password":"***"}],"body":"login password=*** ok"})");
}

TEST_F(RecordMaskerFixture, JsonInsideTextsIsLookedInto) {
  set_rules(R"([{"name":"who","fields":["*password*"],"pattern":"whole"},{"name":"mail","pattern":"email"}])");
  EXPECT_EQ(stored_one(R"({"body":"{\"password\": \"hunter2\", \"m\":\"a\\u0040b.org\", \"n\":1}"})"),
            R"({"body":"{\"password\": \"***\", \"m\":\"***\", \"n\":1}"})");
}

TEST_F(RecordMaskerFixture, RulesOfAFieldHoldInsideItsJson) {
  set_rules(
      R"([{"name":"b","fields":["body","x.l"],"pattern":"email"},{"name":"s","fields":["u.ssn"],"pattern":"whole"}])");
  EXPECT_EQ(stored_one(R"({"body":"[\"a@b.org\",{\"u\":{\"ssn\":5}}]","x":{"l":["a@b.org"]},"m":"a@b.org"})"),
            R"({"body":"[\"***\",{\"u\":{\"ssn\":\"***\"}}]","x":{"l":["***"]},"m":"a@b.org"})");
}

TEST_F(RecordMaskerFixture, NamesThemselvesAreMasked) {
  set_rules(R"([{"name":"mail","pattern":"email"}])");
  EXPECT_EQ(stored_one(R"({"seen":{"ann@example.org":5},"l":[{"bob@example.org":1}]})"),
            R"({"seen":{"***":5},"l":[{"***":1}]})");
  // In no form is the name stored: not in the path either, whatever stands in front of it.
  set_rules(R"([{"name":"cards","pattern":["card","ip"]}])");
  CommitRequest request =
      request_of(R"({"s2":{"4111111111111111":5,"10.0.0.1":{"x":1}},"service":{"v-10.0.0.2":"y"}})");
  ASSERT_TRUE(privacy->rewrite(request).has_value());
  for (const char* secret : {"4111111111111111", "10.0.0.1", "10.0.0.2"}) {
    EXPECT_EQ(request.batches[0]->encoded().find(secret), std::string_view::npos) << secret;
  }
}

TEST_F(RecordMaskerFixture, DropTakesTheField) {
  set_rules(R"([{"name":"cards","pattern":"card","action":"drop"}])");
  EXPECT_EQ(stored_one(R"({"body":"paid 4111111111111111","a":1,"l":["4111111111111111",2]})"),
            R"({"a":1,"l":[null,2]})");
  EXPECT_EQ(stored_one(R"({"body":"4111111111111111"})"), "{}");
  EXPECT_EQ(stored_one(R"({"service":{"name":"4111111111111111"},"a":1})"), R"({"service":{},"a":1})");
  EXPECT_EQ(labels.find("service"), std::string::npos);
}

TEST_F(RecordMaskerFixture, TheFirstRuleOfThoseThatOverlapDecides) {
  set_rules(R"([{"name":"mail","pattern":"email","keep_last":3},{"name":"all","regex":"user=\\S+"}])");
  EXPECT_EQ(stored_one(R"({"body":"x user=ann@example.org y"})"), R"({"body":"x ***org y"})");
  set_rules(R"x([{"name":"group","regex":"id:([0-9]+)","action":"mask"}])x");
  EXPECT_EQ(stored_one(R"({"body":"id:17 id:x id:5"})"), R"({"body":"id:*** id:x id:***"})");
}

TEST_F(RecordMaskerFixture, KeepsLastCharactersOfLongValuesOnly) {
  set_rules(R"([{"name":"v","fields":["v"],"pattern":"whole","keep_last":2}])");
  EXPECT_EQ(stored_one(R"({"v":"abcd"})"), R"({"v":"***cd"})");
  EXPECT_EQ(stored_one(R"({"v":"abc"})"), R"({"v":"***"})");
  EXPECT_EQ(stored_one("{\"v\":\"a\xC3\xA4\xC3\xB6\xC3\xBC\"}"), "{\"v\":\"***\xC3\xB6\xC3\xBC\"}");
}

TEST_F(RecordMaskerFixture, WhatARecordIsKnownByStays) {
  set_rules(R"([{"name":"all","regex":"[0-9a-zA-Z]+"}])");
  const std::string record = stored_one(
      R"({"_time":"2026-09-21T10:00:00Z","level":"error","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","body":"x"})");
  EXPECT_EQ(
      record,
      R"({"_time":"2026-09-21T10:00:00Z","level":"error","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","body":"***"})");
  EXPECT_NE(labels.find(R"(dendro.source="ingest")"), std::string::npos);
}

TEST_F(RecordMaskerFixture, InvalidUtf8StaysAroundAFind) {
  set_rules(R"([{"name":"mail","pattern":"email"}])");
  CommitRequest request = request_of("{\"body\":\"\xFF ann@example.org \xFE\"}");
  ASSERT_TRUE(privacy->rewrite(request).has_value());
  const Value body = request.batches[0]->record(0).value_at(0);
  EXPECT_EQ(body.type, ValueType::bytes);
  EXPECT_EQ(body.text, "\xFF *** \xFE");
}

TEST_F(RecordMaskerFixture, WhatIsMaskedAlreadyIsLeft) {
  set_rules(R"([{"name":"p","fields":["password"],"pattern":"whole","action":"hash"}])");
  EXPECT_EQ(stored_one(R"({"password":"***"})"), R"({"password":"***"})");
}

// ---- dead letters

TEST_F(RecordMaskerFixture, DeadLettersKeepNoSecret) {
  set_rules(
      R"([{"name":"who","fields":["user.password","ssn"],"pattern":"whole"},{"name":"seen","pattern":["email","card"]}])");
  for (const std::string broken :
       {R"({"user":{"password":"hunter2")", R"({"password":"hunter2 and more)", R"({"pass\u0077ord":"hunter2",})",
        R"({"password":["hunter2",{"a":"hunter2)", R"({"m":"hunter2@example.org",})",
        R"({"m":"hunter2\u0040example.org",})", R"({'ssn' : 'hunter2', })", R"({"x":1} password=hunter2)"}) {
    std::string letter;
    for (const std::string& record : stored(broken)) letter += record;
    EXPECT_EQ(letter.find("hunter2"), std::string::npos) << broken << " -> " << letter;
    EXPECT_NE(letter.find("dendro.raw"), std::string::npos) << letter;
    EXPECT_NE(letter.find("***"), std::string::npos) << letter;
  }
  EXPECT_NE(labels.find(R"(dendro.source="dead_letter")"), std::string::npos);
}

TEST_F(RecordMaskerFixture, DeadLettersWithoutAFindAreAsSent) {
  set_rules(R"([{"name":"who","fields":["password"],"pattern":"whole"},{"name":"mail","pattern":"email"}])");
  const std::string letter = stored_one(R"({"a":"b\/c\u0041",)");
  EXPECT_NE(letter.find(R"(b\\/c\\u0041)"), std::string::npos) << letter;
}

TEST_F(RecordMaskerFixture, TheTornEndOfADeadLetterGoes) {
  set_rules(R"([{"name":"cards","pattern":"card"}])");
  std::string broken = R"({"x":")" + std::string(65'536 - 6 - 13, 'x') + " 4111 1111 1111 1111\"";
  const std::string letter = stored_one(broken);
  EXPECT_EQ(letter.find("4111"), std::string::npos);
}

// ---- tokens and hashes

TEST_F(RecordMaskerFixture, EqualValuesGetEqualTokensOfTheTenant) {
  const TenantId shop = *TenantId::parse("shop");
  const std::string rule = R"([{"name":"mail","pattern":"email","action":"tokenize"}])";
  set_rules(rule);
  set_rules(rule, shop);
  const std::string first = stored_one(R"({"m":"ann@example.org"})");
  EXPECT_EQ(first, stored_one(R"({"m":"ann@example.org"})"));
  EXPECT_NE(first, stored_one(R"({"m":"bob@example.org"})"));
  EXPECT_NE(first, stored(R"({"m":"ann@example.org"})", shop).at(0));
  const std::string token = first.substr(6, first.size() - 8);
  EXPECT_TRUE(token.starts_with("tok_email_")) << token;
  const TenantId& tenant = TenantId::default_tenant();
  using Values = std::vector<std::optional<std::string>>;
  EXPECT_EQ(*privacy->unmask(tenant, {token, "tok_card_" + token.substr(10), token + "a", "", "tok_", "tok_email_"}),
            (Values{"ann@example.org", {}, {}, {}, {}, {}}));
  EXPECT_EQ(*privacy->unmask(shop, {token}), Values{std::nullopt});
  EXPECT_EQ(privacy->totals().tokens_unmasked, 1u);
}

TEST_F(RecordMaskerFixture, HashesAreEqualForEqualValues) {
  set_rules(R"([{"name":"customers","regex":"CUST-[0-9]+","action":"hash"}])");
  const std::string first = stored_one(R"({"m":"CUST-17"})");
  EXPECT_EQ(first, stored_one(R"({"m":"CUST-17"})"));
  EXPECT_NE(first, stored_one(R"({"m":"CUST-18"})"));
  EXPECT_TRUE(first.starts_with(R"({"m":"hash_customers_)")) << first;
  EXPECT_EQ(first.size(), std::string(R"({"m":"hash_customers_"})").size() + 26);
}

TEST_F(RecordMaskerFixture, ALongValueIsMaskedInsteadOfTokenized) {
  set_rules(R"([{"name":"v","fields":["v"],"pattern":"whole","action":"tokenize"}])");
  EXPECT_EQ(stored_one("{\"v\":\"" + std::string(4'097, 'x') + "\"}"), R"({"v":"***"})");
  EXPECT_NE(stored_one("{\"v\":\"" + std::string(4'096, 'x') + "\"}"), R"({"v":"***"})");
}

/// Tokens are longer than what they stand for: a batch may become two, a record too large for one says less.
TEST_F(RecordMaskerFixture, GrowthKeepsWithinBatches) {
  set_rules(R"([{"name":"mail","pattern":"email","action":"tokenize"}])");
  std::string body;
  for (int i = 0; i < 60'000; ++i) body += "{\"m\":\"" + std::to_string(i) + "@example.org and x@example.org\"}\n";
  CommitRequest request = request_of(body);
  ASSERT_TRUE(privacy->rewrite(request).has_value());
  std::size_t records = 0;
  EXPECT_GT(request.batches.size(), 1u);
  for (const auto& batch : request.batches) {
    EXPECT_LE(batch->encoded().size(), kMaxBatchBytes);
    records += batch->size();
  }
  EXPECT_EQ(records, 60'000u);
  std::string large = "{\"a\":\"kept\",\"m\":\"";
  for (int i = 0; i < 150'000; ++i) large += "a@bb.org ";
  const std::string record = stored_one(large + "\"}");
  EXPECT_EQ(record, R"({"a":"kept","m":"***"})");
}

/// Random records with secrets in random places: none of them is in what is stored.
TEST_F(RecordMaskerFixture, NoPlantedSecretIsStored) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 dice(seed);
  set_rules(R"([{"name":"all","pattern":["personal","credentials","ip"],"action":"hash"},)"
            R"({"name":"who","fields":["*hidden*"],"pattern":"whole","action":"tokenize"}])");
  const std::vector<std::string> secrets = {"4111111111111111",       "ann.secret@example.org", "10.20.30.40",
                                            "DE89370400440532013000", "AKIAIOSFODNN7EXAMPLE",   "078-05-1120"};
  const auto pick = [&dice](auto&... of) {
    const std::vector<std::string> choices = {of...};
    return choices[dice() % choices.size()];
  };
  for (int round = 0; round < 3'000; ++round) {
    const std::string& secret = secrets[dice() % secrets.size()];
    const std::string plain = "value" + std::to_string(dice() % 100);
    const auto value = [&](int depth, auto&& self) -> std::string {
      switch (dice() % (depth > 4 ? 4 : 7)) {
        case 0:
          return "\"" + plain + "\"";
        case 1:
          return std::to_string(dice() % 1'000'000);
        case 2:
          return "\"" + plain + " " + secret + " " + plain + "\"";
        case 3:
          return "\"{\\\"k\\\":\\\"" + secret + "\\\"}\"";
        case 4:
          return "{\"x_hidden\":\"geheim\",\"b\":" + self(depth + 1, self) + "}";
        case 5:
          return "[" + self(depth + 1, self) + "," + self(depth + 1, self) + "]";
        default:
          return "{\"" + pick("a", "db.c", "service", "password") + "\":" + self(depth + 1, self) + ",\"" + secret +
                 "\":1}";
      }
    };
    std::string body = "{\"body\":\"" + plain + "\",\"f\":" + value(0, value) + ",\"" +
                       pick("service", "tags", "message2") + "\":" + value(0, value) + "}";
    if (dice() % 4 == 0) body.resize(body.size() - 1 - dice() % 3);  // a dead letter
    for (const std::string& record : stored(body)) {
      EXPECT_EQ(record.find(secret), std::string::npos) << body << "\n" << record;
      EXPECT_EQ(record.find("geheim"), std::string::npos) << body << "\n" << record;
    }
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace dendro
