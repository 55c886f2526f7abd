// What a client sends becomes a log or faults; secrets are masked; filters, exports and parameters as texts.
#include "services/audit/audit_draft.h"

#include <gtest/gtest.h>

#include "services/audit/access_trail.h"
#include "services/audit/audit_export.h"
#include "services/audit/audit_filter.h"
#include "services/audit/audit_ids.h"
#include "services/audit/compact_json.h"
#include "services/audit/limits.h"
#include "tests/services/audit/audit_fixture.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

struct DraftResult {
  std::optional<AuditLog> log;
  std::string faults;  ///< as JSON
};

DraftResult read_draft(std::string_view json, std::optional<std::uint64_t> item = {},
                       const AuditTenantSettings& settings = {}) {
  FieldFaults faults;
  DraftResult result;
  result.log = AuditDraftReader(settings).read(json, item, faults);
  JsonWriter writer(result.faults);
  append_faults(writer, faults);
  return result;
}

TEST(AuditDraft, TakesEveryFieldAndLeavesUnknownOnesOut) {
  const DraftResult result = read_draft(
      R"( {"action":"LOGIN","resource_type":"s","resource_id":"7","message":"in","severity":"CRITICAL","session_id":"a",)"
      R"("user_id":"b","ip_address":"unknown","user_agent":"c","request_id":"d","before_state":{},"after_state":null,)"
      R"("metadata":{"n": 1.50, "big":123456789012345678901234567890,"deep":{"list":[1,{"x":"y"}]}},"id":"mine","timestamp":1,"tenant_id":"x","nope":[]} )");
  ASSERT_TRUE(result.log) << result.faults;
  const AuditLog& log = *result.log;
  EXPECT_EQ(log.action, AuditAction::login);
  EXPECT_EQ(log.severity, AuditSeverity::critical);
  EXPECT_EQ(log.resource_type + log.resource_id + log.message, "s7in");
  EXPECT_EQ(*log.session_id + *log.user_id + *log.ip_address + *log.user_agent + *log.request_id, "abunknowncd");
  EXPECT_EQ(log.before_state, "{}");
  EXPECT_FALSE(log.after_state);
  EXPECT_EQ(log.metadata, R"({"n":1.50,"big":123456789012345678901234567890,"deep":{"list":[1,{"x":"y"}]}})");
  EXPECT_TRUE(log.id.empty());
}

TEST(AuditDraft, NamesEveryFaultAtItsField) {
  EXPECT_EQ(read_draft("{}").faults, R"([{"loc":["body","action"],"msg":"Field required","type":"missing"},)"
                                     R"({"loc":["body","resource_type"],"msg":"Field required","type":"missing"},)"
                                     R"({"loc":["body","resource_id"],"msg":"Field required","type":"missing"},)"
                                     R"({"loc":["body","message"],"msg":"Field required","type":"missing"}])");
  EXPECT_EQ(
      read_draft(
          R"({"action":"SING","resource_type":1,"resource_id":null,"message":"m","severity":"info","user_id":7,"metadata":[],"after_state":"x"})",
          3)
          .faults,
      R"([{"loc":["body","logs",3,"action"],"msg":"Input should be 'CREATE', 'UPDATE', 'DELETE', 'VIEW', 'LOGIN', 'LOGOUT', 'IMPORT', 'EXPORT' or 'READ'","type":"enum"},)"
      R"({"loc":["body","logs",3,"resource_type"],"msg":"Input should be a valid string","type":"string_type"},)"
      R"({"loc":["body","logs",3,"resource_id"],"msg":"Input should be a valid string","type":"string_type"},)"
      R"({"loc":["body","logs",3,"severity"],"msg":"Input should be 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'","type":"enum"},)"
      R"({"loc":["body","logs",3,"user_id"],"msg":"Input should be a valid string","type":"string_type"},)"
      R"({"loc":["body","logs",3,"after_state"],"msg":"Input should be a valid dictionary","type":"dict_type"},)"
      R"({"loc":["body","logs",3,"metadata"],"msg":"Input should be a valid dictionary","type":"dict_type"}])");
  EXPECT_EQ(
      read_draft(R"({"action":"READ","action":"VIEW","resource_type":"","resource_id":"","message":""})").log->action,
      AuditAction::view);
}

TEST(AuditDraft, RefusesWhatIsNoObject) {
  EXPECT_EQ(read_draft(" ").faults, R"([{"loc":["body"],"msg":"Field required","type":"missing"}])");
  EXPECT_EQ(read_draft("[1]").faults, R"([{"loc":["body"],"msg":"Input should be an object","type":"dict_type"}])");
  EXPECT_NE(read_draft("{\"a\":}").faults.find("json_invalid"), std::string::npos);
  EXPECT_NE(read_draft("{} {}").faults.find("json_invalid"), std::string::npos);
  EXPECT_NE(read_draft("{\"a\":\"\xFF\"}").faults.find("UTF-8"), std::string::npos);
  EXPECT_NE(read_draft(audit_json(R"("user_id":"\ud800",)")).faults.find("string_unicode"), std::string::npos);
  const std::string deep(kAuditDepthMax, '[');
  EXPECT_NE(read_draft(audit_json("\"metadata\":{\"a\":" + deep + std::string(kAuditDepthMax, ']') + "},"))
                .faults.find("too_deep"),
            std::string::npos);
  EXPECT_NE(
      read_draft(audit_json("\"user_agent\":\"" + std::string(kAuditLogBytesMax, 'x') + "\",")).faults.find("too_long"),
      std::string::npos);
}

TEST(AuditDraft, ASeverityOutsideTheTenantsLevelsIsAFault) {
  AuditTenantSettings settings;
  settings.takes_severity = {false, true, true, true};
  EXPECT_EQ(
      read_draft(audit_json(), {}, settings).faults,
      R"([{"loc":["body","severity"],"msg":"INFO is not among the log_levels of this tenant","type":"value_error"}])");
  EXPECT_TRUE(read_draft(audit_json(R"("severity":"ERROR",)"), {}, settings).log);
}

TEST(AuditBulk, CutsTheListAndSaysWhatIsWrongWithIt) {
  const auto faults_of = [](std::string_view body) {
    FieldFaults faults;
    EXPECT_FALSE(read_audit_bulk(body, faults)->has_value());
    return faults.empty() ? std::string() : faults.front().field + " " + std::string(faults.front().type);
  };
  FieldFaults none;
  const auto elements = read_audit_bulk(R"({"x":1,"logs":[ {"a":[1,{}]} ,7,"s,]",null]})", none);
  EXPECT_EQ(**elements, (std::vector<std::string>{R"({"a":[1,{}]})", "7", "\"s,]\"", "null"}));
  EXPECT_EQ(faults_of("{}"), "logs missing");
  EXPECT_EQ(faults_of(R"({"logs":{}})"), "logs list_type");
  EXPECT_EQ(faults_of(R"({"logs":[]})"), "logs too_short");
  EXPECT_EQ(faults_of("[]"), " dict_type");
  std::string many = R"({"logs":[0)";
  for (std::size_t i = 0; i < kAuditBulkLogsMax; ++i) many += ",0";
  EXPECT_EQ(read_audit_bulk(many + "]}", none).error().code(), ErrorCode::too_large);
}

TEST(MaskedJson, CoversSecretsAtAnyDepthInAnyCase) {
  EXPECT_EQ(
      masked_json(R"({"Password":{"a":[1,2]},"user":"x","list":[{"TOKEN":null},["cookie",{"api_Key":[{}],"b":"c"}]],)"
                  R"("passwordx":1,"secret":"s","Authorization":"t","passwd":true,"token":[]})"),
      R"({"Password":"***","user":"x","list":[{"TOKEN":"***"},["cookie",{"api_Key":"***","b":"c"}]],)"
      R"("passwordx":1,"secret":"***","Authorization":"***","passwd":"***","token":"***"})");
  EXPECT_EQ(masked_json(R"({"pass\u0077ord":1,"t":"\u00e9\ud83d\ude00\ud800\"\\\/\n"})"),
            "{\"password\":\"***\",\"t\":\"\u00e9\U0001F600\uFFFD\\\"\\\\/\\n\"}");
  EXPECT_EQ(masked_json("{}"), "{}");
  EXPECT_EQ(masked_json("7"), "7");
}

TEST(SearchTerms, FindsWordsPhrasesAndLiterals) {
  AuditLog log;
  log.message = "User Ann-Marie deleted invoice_7 from 10.0.0.1; caf\u00e9";
  log.resource_type = "billing";
  log.resource_id = "INV-42";
  log.metadata = R"({"k":{"list":[{"who":"Stra\u00dfe 9"}],"n":1.5,"t":true},"secretname":"x\ny"})";
  log.user_agent = "curl";
  const auto finds = [&log](std::string_view text) {
    std::string problem;
    const auto terms = SearchTerms::parse(text, problem);
    return terms ? terms->match(log) : false;
  };
  for (const char* text :
       {"user", "ANN", "ann-marie", "\"deleted invoice\"", "invoice", "10.0.0.1", "billing inv-42", "42", "CAF\u00c9",
        "stra\u00dfe", "1.5", "true", "x", "; ", "  user\tbilling ", "\"ann", "\"\""}) {
    EXPECT_EQ(finds(text), std::string_view(text) != "\"ann") << text;
  }
  for (const char* text : {"use", "nn", "caf", "curl", "k", "who", "secretname", "\"invoice deleted\"", "10.0.0.2",
                           "user nobody", "d.l", "*", "(", "10.0.0"}) {
    EXPECT_EQ(finds(text), std::string_view(text) == "10.0.0") << text;
  }
  std::string problem;
  EXPECT_FALSE(SearchTerms::parse(std::string(kAuditSearchTermBytesMax + 1, 'x'), problem));
  std::string many;
  for (std::size_t i = 0; i <= kAuditSearchTermsMax; ++i) many += "w ";
  EXPECT_FALSE(SearchTerms::parse(many, problem));
}

TEST(AuditFilterText, NamesEveryFault) {
  const auto faults_of = [](const std::string& json) {
    FieldFaults faults;
    read_audit_filter(parse_json_document(json).value(), faults);
    std::string text;
    JsonWriter writer(text);
    append_faults(writer, faults);
    return text;
  };
  EXPECT_EQ(
      faults_of(
          R"({"action":"LOGIN","severity":"INFO","start_time":"2026-01-31","end_time":"2026-01-31T00:00:00+00:00","user_id":null,"x":1})"),
      "[]");
  EXPECT_EQ(faults_of("7"), R"([{"loc":["filters"],"msg":"Input should be an object","type":"dict_type"}])");
  const std::string all = faults_of(
      R"({"action":"x","severity":"x","resource_id":7,"start_time":"2026-01-31T10:00:00.000001Z","end_time":"2026-01-31T11:00:00+01:00"})");
  EXPECT_NE(all.find(R"(["filters","action"])"), std::string::npos) << all;
  EXPECT_NE(all.find(R"(["filters","severity"])"), std::string::npos) << all;
  EXPECT_NE(all.find(R"(["filters","resource_id"])"), std::string::npos) << all;
  EXPECT_NE(all.find("end_time is before start_time"), std::string::npos) << all;
  EXPECT_NE(faults_of(R"({"start_time":"yesterday"})").find("datetime_parsing"), std::string::npos);
}

TEST(AuditExport, GuardsFormulasAndQuotes) {
  AuditLog log;
  log.id = "0123456789abcdef01234567";
  log.timestamp = Timestamp(1'700'000'000'000'001'000);
  log.resource_type = "=cmd()";
  log.resource_id = "a,\"b\"";
  log.message = "-1\nx";
  log.user_id = "@x";
  log.session_id = "\tt";
  log.metadata = R"({"a":"=1"})";
  const auto write = [&log](AuditExportFormat format) {
    std::string out;
    AuditExportWriter writer(format);
    writer.begin(out);
    writer.append(out, log);
    writer.append(out, log);
    writer.end(out);
    return out;
  };
  const std::string row =
      "0123456789abcdef01234567,2023-11-14T22:13:20.000001Z,default,CREATE,'=cmd(),\"a,\"\"b\"\"\",INFO,\"'-1\nx\",'"
      "\tt,'@x,,,,,,"
      "\"{\"\"a\"\":\"\"=1\"\"}\"\r\n";
  EXPECT_EQ(write(AuditExportFormat::csv),
            "id,timestamp,tenant_id,action,resource_type,resource_id,severity,message,session_id,user_id,ip_address,"
            "user_agent,"
            "request_id,before_state,after_state,metadata\r\n" +
                row + row);
  EXPECT_EQ(parse_json_document(write(AuditExportFormat::json))->elements().size(), 2u);
  const std::string lines = write(AuditExportFormat::ndjson);
  EXPECT_EQ(lines, lines.substr(0, lines.size() / 2) + lines.substr(0, lines.size() / 2));
  EXPECT_TRUE(parse_json_document(lines.substr(0, lines.size() / 2)));
}

TEST(AuditIds, AreObjectIdsThatDifferAndRetriesNameTheSame) {
  CountingRandom random;
  AuditIdSource ids(random);
  const std::string first = ids.next(kTestTime);
  EXPECT_EQ(first.substr(0, 8), "6553f100");
  EXPECT_EQ(parse_audit_id(first), first);
  EXPECT_NE(ids.next(kTestTime), first);
  const Bytes16 key = batch_key_id(TenantId::default_tenant(), "audit", "k");
  EXPECT_EQ(derived_audit_id(key, 1), derived_audit_id(key, 1));
  EXPECT_NE(derived_audit_id(key, 1), derived_audit_id(key, 2));
  EXPECT_EQ(parse_audit_id("0123456789ABCDEF01234567"), "0123456789abcdef01234567");
  EXPECT_EQ(parse_audit_id("0123456789abcdef0123456"), "");
  EXPECT_EQ(parse_audit_id("0123456789abcdef0123456g"), "");
  EXPECT_EQ(audit_message_id(first).size(), 36u);
  EXPECT_EQ(audit_message_id(first)[14], '4');
}

TEST(AccessParams, HideSecretsAndKeepRepeats) {
  EXPECT_EQ(
      access_params_json({{"b", "2"}, {"a", "1"}, {"a", "3"}, {"Token", "t"}, {"API-Key", "k"}, {"password", "p"}}),
      R"({"API-Key":"***","Token":"***","a":["1","3"],"b":"2","password":"***"})");
  EXPECT_EQ(access_params_json({}), "{}");
}

}  // namespace
}  // namespace dendro
