#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/hmac.h"
#include "io/memory_file_system.h"
#include "services/alerts/receivers/alert_text.h"
#include "services/alerts/receivers/email_receiver.h"
#include "services/alerts/receivers/http_receivers.h"
#include "services/alerts/receivers/receiver_settings.h"

#include "tests/io/temporary_folder.h"
namespace dendro {
namespace {

AlertNotification make_message() {
  AlertNotification message;
  message.dedupe_key = "d1";
  message.tenant = "shop";
  message.title = "errors is firing";
  message.at = Timestamp(1'790'000'000'000'000'000);
  ToldAlert firing;
  firing.rule_name = "errors";
  firing.labels = {{"service", "<pay> & \"co\"\r\nBcc: x"}, {"severity", "critical"}};
  firing.annotations = {{"runbook", "page 7"}};
  firing.value = "12";
  firing.fingerprint = "f1";
  firing.starts = message.at;
  ToldAlert resolved = firing;
  resolved.is_firing = false;
  resolved.fingerprint = "f2";
  resolved.ends = message.at;
  message.alerts = {firing, resolved};
  return message;
}

std::string header_of(const AlertHttpCall& call, std::string_view name) {
  for (const auto& [key, value] : call.headers) {
    if (key == name) return value;
  }
  return {};
}

std::string text_at(const JsonValue& value, std::string_view name) {
  const JsonValue* const found = value.find(name);
  return found == nullptr ? "-" : std::string(found->as_string().value_or("?"));
}

TEST(Hmac, GivesTheVectorsOfRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(WebhookReceiver, SignsTheBodyItSends) {
  const auto calls = webhook_calls(make_message(), "key");
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].body, notification_json(make_message()));
  EXPECT_EQ(header_of(calls[0], "X-Dendro-Signature"), "sha256=" + to_hex(hmac_sha256("key", calls[0].body)));
  EXPECT_EQ(header_of(calls[0], "X-Dendro-Dedupe-Key"), "d1");
  EXPECT_EQ(header_of(webhook_calls(make_message(), "")[0], "X-Dendro-Signature"), "");
}

TEST(SlackReceiver, EscapesWhatLabelsHold) {
  const auto body = parse_json_document(slack_calls(make_message(), "")[0].body);
  const std::string text = text_at(*body, "text");
  EXPECT_NE(text.find("service=&lt;pay&gt; &amp; \"co\"  Bcc: x"), std::string::npos) << text;
  EXPECT_NE(text.find("runbook: page 7"), std::string::npos);
}

TEST(PagerDutyReceiver, SendsAnEventAnAlertUnderItsFingerprint) {
  const auto calls = pagerduty_calls(make_message(), "routing");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].path, "/v2/enqueue");
  const auto first = parse_json_document(calls[0].body), second = parse_json_document(calls[1].body);
  EXPECT_EQ(text_at(*first, "event_action"), "trigger");
  EXPECT_EQ(text_at(*first, "dedup_key"), "f1");
  EXPECT_EQ(text_at(*first, "routing_key"), "routing");
  EXPECT_EQ(text_at(*first->find("payload"), "severity"), "critical");
  EXPECT_EQ(text_at(*second, "event_action"), "resolve");
  EXPECT_EQ(text_at(*second, "dedup_key"), "f2");
}

TEST(AlertmanagerReceiver, SendsAListWithNamesAndEnds) {
  const auto calls = alertmanager_calls(make_message(), "");
  EXPECT_EQ(calls[0].path, "/api/v2/alerts");
  const auto body = parse_json_document(calls[0].body);
  ASSERT_EQ(body->elements().size(), 2u);
  EXPECT_EQ(text_at(*body->elements()[0].find("labels"), "alertname"), "errors");
  EXPECT_GT(text_at(body->elements()[0], "endsAt"), text_at(body->elements()[0], "startsAt"));
  EXPECT_EQ(text_at(body->elements()[1], "endsAt"), "2026-09-21T14:13:20.000Z");
}

TEST(EmailReceiver, NoTextOfALabelOrTitleAddsAHeader) {
  AlertNotification message = make_message();
  message.title = "bad\r\nBcc: evil@example.org";
  const MailMessage mail = alert_mail(message, "dendro@example.org", {"ops@example.org", "b@example.org"});
  const std::string head = mail.text.substr(0, mail.text.find("\r\n\r\n"));
  EXPECT_EQ(head.find("Bcc"), std::string::npos) << head;
  EXPECT_NE(head.find("Message-ID: <d1@example.org>"), std::string::npos);
  EXPECT_NE(head.find("Date: Mon, 21 Sep 2026 14:13:20 +0000"), std::string::npos) << head;
  EXPECT_NE(head.find("To: <ops@example.org>,\r\n <b@example.org>"), std::string::npos);
  for (std::size_t at = mail.text.find('\n'); at != std::string::npos; at = mail.text.find('\n', at + 1)) {
    EXPECT_EQ(mail.text[at - 1], '\r');
  }
}

struct ReceiverSettingsFixture : testing::Test {
  MemoryFileSystem files;
  Result<ReceiverSettings> read(const char* json) {
    const SecretReader secrets([](const std::string& name) -> std::optional<std::string> {
      if (name == "KEY") return "s3cret";
      return std::nullopt;
    });
    return parse_receiver_settings(*parse_json_document(json), files, secrets);
  }
  std::string problem(const char* json) {
    const auto settings = read(json);
    return settings ? "taken" : settings.error().message();
  }
};

TEST_F(ReceiverSettingsFixture, ReadsSecretsWhereTheyLie) {
  const TemporaryFolder folder;
  const std::string path = folder.write("key", "from file\n");
  const std::string head = R"({"name":"a","kind":"webhook","url":"https://x",)";
  EXPECT_EQ(read((head + R"("secret_file":")" + path + R"("})").c_str())->secret, "from file");
  EXPECT_EQ(read((head + R"("secret":"file:)" + path + R"("})").c_str())->secret, "from file");
  EXPECT_NE(problem((head + R"("secret":"ssm:/x"})").c_str()).find("not built"), std::string::npos);
  EXPECT_EQ(read(R"({"name":"a","kind":"pagerduty","secret_env":"KEY"})")->secret, "s3cret");
  EXPECT_EQ(read(R"({"name":"a","kind":"pagerduty","secret_env":"KEY"})")->url, "https://events.pagerduty.com");
}

TEST_F(ReceiverSettingsFixture, AnAuthorityToTrustMustBeThere) {
  const char* const block =
      R"({"name":"a","kind":"email","url":"smtps://h","from":"a@b","to":["x@y"],"ca_file":"/run/ca.pem"})";
  EXPECT_NE(problem(block).find("ca_file: "), std::string::npos);
  ASSERT_TRUE(files.create_directories("/run").has_value());
  ASSERT_TRUE(files.open_writable("/run/ca.pem", OpenMode::create_new).has_value());
  EXPECT_EQ(read(block)->ca_file, "/run/ca.pem");
}

TEST_F(ReceiverSettingsFixture, NamesReceiverAndSettingAndNoSecret) {
  EXPECT_EQ(problem(R"({"kind":"webhook","url":"https://x"})"), "receiver \"\": name: must be there and a text");
  EXPECT_NE(problem(R"({"name":"a","kind":"fax","url":"https://x"})").find("kind: must be one of"), std::string::npos);
  EXPECT_EQ(problem(R"({"name":"a","kind":"sns","topic_arn":"arn:aws:sns:eu-west-1:1:t"})"), "taken");
  EXPECT_NE(problem(R"({"name":"a","kind":"sns"})").find("topic_arn: must be there"), std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"sns","topic_arn":"t","url":"https://x"})").find("url: is not of"),
            std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"slack","url":"https://x","topic_arn":"t"})").find("kind sns only"),
            std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"webhook","url":"file:///etc"})").find("url:"), std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"pagerduty"})").find("routing key"), std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"webhook","url":"https://x","secret":"abc"})").find("secret_file"),
            std::string::npos);
  EXPECT_EQ(problem(R"({"name":"a","kind":"webhook","url":"https://x","secret":"abc"})").find("abc"),
            std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"webhook","url":"https://x","secret_env":"NO"})").find("NO is not set"),
            std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"email","url":"smtp://h","from":"a@b","to":["x@y\r\nRCPT"]})").find("to:"),
            std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"email","url":"smtp://h","from":"a@b","to":["x@y"],"tls":"none","user":"u"})")
                .find("without encryption"),
            std::string::npos);
  const std::string user = problem(R"({"name":"a","kind":"email","url":"smtp://u:pw@h","from":"a@b","to":["x@y"]})");
  EXPECT_NE(user.find("url: must not hold a user"), std::string::npos) << user;
  EXPECT_EQ(user.find("pw"), std::string::npos);
  EXPECT_NE(problem(R"({"name":"a","kind":"slack","url":"https://x","ca_file":"/x"})").find("ca_file: is of receivers"),
            std::string::npos);
}

}  // namespace
}  // namespace dendro
