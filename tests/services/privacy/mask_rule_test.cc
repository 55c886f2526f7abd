#include "services/privacy/mask_rule.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

/// The faults of a list, "field: message" each.
std::vector<std::string> faults_of(const std::string& json) {
  FieldFaults faults;
  (void)read_mask_rules(*parse_json_document(json), "masking", faults);
  std::vector<std::string> texts;
  for (const FieldFault& fault : faults) texts.push_back(fault.field + ": " + fault.message);
  return texts;
}

TEST(MaskRules, AreReadAndWrittenAlike) {
  const std::string json = R"([{"name":"cards","pattern":"card","action":"mask","keep_last":4},)"
                           R"({"name":"secrets","pattern":["credentials","email"],"action":"tokenize"},)"
                           R"({"name":"users","fields":["user.*","*ssn"],"pattern":"whole","action":"drop"},)"
                           R"x({"name":"customers","regex":"CUST-([0-9]+)","action":"hash"}])x";
  FieldFaults faults;
  const MaskRules rules = read_mask_rules(*parse_json_document(json), "masking", faults);
  ASSERT_TRUE(faults.empty());
  ASSERT_EQ(rules.size(), 4u);
  EXPECT_EQ(rules[0].keep_last, 4u);
  EXPECT_TRUE(rules[2].is_whole);
  std::string written;
  JsonWriter writer(written);
  write_mask_rules(writer, rules);
  EXPECT_EQ(written, json);
  EXPECT_TRUE(needs_privacy_key(rules));
  EXPECT_FALSE(needs_privacy_key({rules[0], rules[2]}));
}

TEST(MaskRules, TheActionIsMaskUnlessSaid) {
  FieldFaults faults;
  const auto rules = read_mask_rules(*parse_json_document(R"([{"name":"a","pattern":"email"}])"), "m", faults);
  ASSERT_TRUE(faults.empty());
  EXPECT_EQ(rules[0].action, MaskAction::mask);
}

TEST(MaskRules, FaultsNameTheMember) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(faults_of("{}"), Texts{"masking: must be a list of rules"});
  EXPECT_EQ(faults_of("[1]"), Texts{"masking.0: must be an object"});
  EXPECT_EQ(faults_of(R"([{"pattern":"card"}])"), Texts{"masking.0.name: is missing"});
  EXPECT_EQ(faults_of(R"([{"name":"A","pattern":"card"}])"),
            Texts{"masking.0.name: must be a lower-case letter, then up to 31 of a-z, 0-9 and _"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"card"},{"name":"a","pattern":"card"}])"),
            Texts{"masking.1.name: is the name of another rule"});
  EXPECT_EQ(faults_of(R"([{"name":"a"}])"), Texts{"masking.0.pattern: a rule has either pattern or regex"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"card","regex":"x"}])"),
            Texts{"masking.0.pattern: a rule has either pattern or regex"});
  EXPECT_EQ(faults_of(R"([{"name":"a","regex":"x*"}])"), Texts{"masking.0.regex: must not match the empty text"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"whole"}])"),
            Texts{"masking.0.fields: is missing: whole needs the names of fields"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"whole","fields":["*"]}])"),
            Texts{"masking.0.fields: whole of every field would leave nothing: name them"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"card","action":"hash","keep_last":4}])"),
            Texts{"masking.0.keep_last: is for the action mask only"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"card","action":"erase"}])"),
            Texts{"masking.0.action: must be one of mask, hash, drop, tokenize"});
  EXPECT_EQ(faults_of(R"([{"name":"a","pattern":"card","keep_last":9}])"),
            Texts{"masking.0.keep_last: must be from 0 to 8"});
  for (const char* wrong :
       {R"([{"name":"a","pattern":"cards"}])", R"([{"name":"a","pattern":[]}])", R"([{"name":"a","regex":"("}])",
        R"([{"name":"a","pattern":"card","fields":[]}])", R"([{"name":"a","pattern":"card","fields":[1]}])",
        R"([{"name":"a","pattern":"card","x":1}])"}) {
    EXPECT_EQ(faults_of(wrong).size(), 1u) << wrong;
  }
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many.append(i == 0 ? "" : ",").append(R"({"name":"a","pattern":"card"})");
  EXPECT_EQ(faults_of(many + "]"), Texts{"masking: has 65 rules, at most 64 are taken"});
}

TEST(GlobCovers, NamesAndWhatLiesBelow) {
  EXPECT_TRUE(glob_covers("user", "user"));
  EXPECT_TRUE(glob_covers("user", "USER.email"));
  EXPECT_FALSE(glob_covers("user", "username"));
  EXPECT_TRUE(glob_covers("*password*", "db.Password_hash"));
  EXPECT_TRUE(glob_covers("a.*.c", "a.b.x.c"));
  EXPECT_TRUE(glob_covers("*.token", "x.token.value"));
  EXPECT_FALSE(glob_covers("*.token", "token"));
  EXPECT_FALSE(glob_covers("", "a"));
}

}  // namespace
}  // namespace dendro
