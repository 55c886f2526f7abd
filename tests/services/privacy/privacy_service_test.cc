#include "services/privacy/privacy_service.h"

#include <fstream>
#include <sstream>

#include "services/privacy/token_text.h"
#include "tests/services/privacy/privacy_fixture.h"

namespace dendro {
namespace {

struct PrivacyServiceFixture : PrivacyFixture {
  const TenantId& tenant = TenantId::default_tenant();
  std::string token_of(const std::string& mail) {
    const std::string record = stored_one("{\"m\":\"" + mail + "\"}");
    return record.substr(6, record.size() - 8);
  }
  std::optional<std::string> value_of(const std::string& token) {
    const auto values = privacy->unmask(tenant, {token});
    return values ? (*values)[0] : std::nullopt;
  }
  void tokenize_mail() { set_rules(R"([{"name":"mail","pattern":"email","action":"tokenize"}])"); }
  std::string database_bytes() const {
    std::string all;
    for (const char* name : {"meta.db", "meta.db-wal"}) {
      std::ifstream file(folder.path(name), std::ios::binary);
      std::stringstream text;
      text << file.rdbuf();
      all += text.str();
    }
    return all;
  }
};

TEST_F(PrivacyServiceFixture, TokensOutliveARestartAndAChangeOfTheMasterKey) {
  tokenize_mail();
  const std::string token = token_of("ann@example.org");
  restart({std::string(32, 'k'), {}});
  EXPECT_EQ(value_of(token), "ann@example.org");
  restart({std::string(32, 'n'), std::string(32, 'k')});
  EXPECT_EQ(value_of(token), "ann@example.org");
  restart({std::string(32, 'n'), {}});  // the old one is not needed any more
  EXPECT_EQ(value_of(token), "ann@example.org");
  EXPECT_EQ(token_of("ann@example.org"), token);
}

TEST_F(PrivacyServiceFixture, WithoutItsKeyATenantIsRefused) {
  tokenize_mail();
  const std::string token = token_of("ann@example.org");
  for (const MasterKeys& wrong : {MasterKeys{}, MasterKeys{std::string(32, 'x'), {}}}) {
    restart(wrong);
    CommitRequest request = request_of(R"({"m":"ann@example.org"})");
    const Status refused = privacy->rewrite(request);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(privacy->unmask(tenant, {token}).error().code(), ErrorCode::unavailable);
    EXPECT_EQ(privacy->totals().refused_requests, 1u);
  }
  restart({});
  const TenantId shop = *TenantId::parse("shop");
  set_rules(R"([{"name":"mail","pattern":"email","action":"hash"}])", shop);
  CommitRequest request = request_of(R"({"m":"ann@example.org"})", shop);
  EXPECT_NE(privacy->rewrite(request).error().message().find("privacy.key_file"), std::string::npos);
  set_rules(R"([{"name":"mail","pattern":"email"}])", shop);
  EXPECT_TRUE(privacy->rewrite(request).has_value());
}

TEST_F(PrivacyServiceFixture, RulesThatCannotBeReadRefuseEverything) {
  PrivacyService broken(*keys, [](const TenantId&) -> Result<std::shared_ptr<const MaskRules>> {
    return Error(ErrorCode::unavailable, "rules cannot be read");
  });
  CommitRequest request = request_of(R"({"m":"x"})");
  EXPECT_EQ(broken.rewrite(request).error().code(), ErrorCode::unavailable);
}

TEST_F(PrivacyServiceFixture, ErasedKeysTakeTheValuesWithThem) {
  tokenize_mail();
  const std::string token = token_of("ann@example.org");
  const std::string wrapped = (*table.list())[0].wrapped;
  ASSERT_NE(database_bytes().find(wrapped), std::string::npos);
  EXPECT_EQ(privacy->erase_keys(tenant).value(), 1u);
  EXPECT_EQ(value_of(token), std::nullopt);
  EXPECT_EQ(database_bytes().find(wrapped), std::string::npos) << "the key is still in the files";
  EXPECT_NE(token_of("ann@example.org"), token);  // another key
  restart({std::string(32, 'k'), {}});
  EXPECT_EQ(value_of(token), std::nullopt);
  EXPECT_EQ(privacy->erase_keys(*TenantId::parse("none")).value(), 0u);
}

TEST_F(PrivacyServiceFixture, ADeletedTenantsKeyIsForgotten) {
  tokenize_mail();
  const std::string token = token_of("ann@example.org");
  ASSERT_EQ(table.erase(tenant).value(), 1u);  // as TenantRegister::erase_rows_of does
  privacy->forget(tenant);
  EXPECT_EQ(value_of(token), std::nullopt);
  EXPECT_NE(token_of("ann@example.org"), token);
}

TEST_F(PrivacyServiceFixture, PreviewSaysWhatWouldBeStoredAndWhy) {
  const auto rules =
      rules_of(R"([{"name":"cards","pattern":"card","keep_last":4},{"name":"who","fields":["u"],"pattern":"whole"}])");
  const auto preview =
      privacy->preview(tenant, rules, request_of(R"({"body":"4111111111111111 4111111111111111","u":"x"})").batches);
  ASSERT_TRUE(preview.has_value());
  std::string json;
  append_record_json(json, preview->batches[0]->record(0));
  EXPECT_EQ(json, R"({"body":"***1111 ***1111","u":"***"})");
  using Matches = std::map<std::pair<std::string, std::string>, std::uint64_t>;
  EXPECT_EQ(preview->matches, (Matches{{{"cards", "card"}, 2}, {{"who", "who"}, 1}}));
  EXPECT_EQ(privacy->totals().records_masked, 0u);
  restart({});
  const auto refused = privacy->preview(tenant, rules_of(R"([{"name":"a","pattern":"card","action":"hash"}])"),
                                        request_of(R"({"body":"x"})").batches);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
}

TEST(TokenText, ReplacesTokensInsideStringsOfJson) {
  const OpenTokens open = [](const std::vector<std::string>& tokens) {
    std::vector<std::optional<std::string>> values;
    for (const std::string& token : tokens) {
      values.push_back(token == "tok_a_x" ? std::optional<std::string>("A\"B") : std::nullopt);
    }
    return values;
  };
  EXPECT_EQ(
      with_values(R"({"record":{"m":"to tok_a_x, tok_b_y","tok_a_x":[1.0,"tok_a_x"]},"raw":"{\"m\":\"tok_a_x\"}"})",
                  open),
      R"({"record":{"m":"to A\"B, tok_b_y","A\"B":[1.0,"A\"B"]},"raw":"{\"m\":\"A\\\"B\"}"})");
  EXPECT_EQ(tokens_in("tok_a_x tok_a_x xtok_c tok_"), (std::vector<std::string>{"tok_a_x", "tok_c", "tok_"}));
}

}  // namespace
}  // namespace dendro
