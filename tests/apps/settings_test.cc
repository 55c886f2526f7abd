#include "apps/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "server/listener_spec.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

SettingSources from_toml(std::string text) {
  SettingSources sources;
  sources.toml_text = std::move(text);
  sources.toml_name = "dendro.toml";
  return sources;
}

TEST(Settings, FlagsBeatTheEnvironmentWhichBeatsTheFile) {
  SettingSources sources =
      from_toml("[storage]\ndata_dir = 'file'\nmemtable_bytes_max = '1MiB'\n[log]\nlevel = 'debug'\n");
  EXPECT_EQ(load_settings(sources)->settings.store.directory, "file");
  sources.environment["DENDRO_DATA"] = "environment";
  EXPECT_EQ(load_settings(sources)->settings.store.directory, "environment");
  sources.flags["--data"] = {"flag"};
  const Settings settings = load_settings(sources)->settings;
  EXPECT_EQ(settings.store.directory, "flag");
  EXPECT_EQ(settings.store.memtable_bytes_max, 1u << 20);
  EXPECT_EQ(settings.log_level, "debug");
}

TEST(Settings, ListenersAreListsEverywhere) {
  EXPECT_THAT(load_settings(from_toml("[[server.listen]]\naddress = '127.0.0.1:1'\nprofile = "
                                      "'ingest'\n[[server.listen]]\naddress = '[::1]:2'\n"))
                  ->settings.listeners,
              ElementsAre("127.0.0.1:1=ingest", "[::1]:2"));
  EXPECT_THAT(load_settings(from_toml("server.listen = ['127.0.0.1:3']\n"))->settings.listeners,
              ElementsAre("127.0.0.1:3"));
  SettingSources sources;
  sources.environment["DENDRO_LISTEN"] = "127.0.0.1:4, 127.0.0.1:5=analytics";
  EXPECT_THAT(load_settings(sources)->settings.listeners, ElementsAre("127.0.0.1:4", "127.0.0.1:5=analytics"));
  EXPECT_THAT(load_settings({})->settings.listeners, ElementsAre("127.0.0.1:8080"));
}

TEST(Settings, ListenersWithMoreThanAPlaceAreTakenWhole) {
  const auto loaded = load_settings(
      from_toml("[server.tls]\ncertificate = 'a.pem'\nkey = ['a.key']\nclient_ca = 'ca.pem'\nmin_version = '1.3'\n"
                "[[server.listen]]\naddress = '127.0.0.1:1'\nprofile = 'ingest'\nclient_certificates = 'required'\n"
                "[[server.listen]]\naddress = '127.0.0.1:2'\ntls = false\n"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  const Settings& settings = loaded->settings;
  EXPECT_EQ(settings.tls.certificates, std::vector<std::string>{"a.pem"});
  EXPECT_EQ(settings.tls.keys, std::vector<std::string>{"a.key"});
  EXPECT_EQ(settings.tls.min_version, TlsVersion::v1_3);
  const auto specs = parse_listener_specs(settings.listeners, settings.tls);
  ASSERT_TRUE(specs.has_value()) << specs.error().message();
  EXPECT_EQ((*specs)[0].profile, Profile::ingest);
  EXPECT_EQ((*specs)[0].tls->client_certificates, ClientCertificates::required);
  EXPECT_EQ((*specs)[0].tls->client_ca, "ca.pem");
  EXPECT_FALSE((*specs)[1].tls.has_value());
}

TEST(Settings, TransportIsRead) {
  SettingSources sources;
  sources.environment = {{"DENDRO_TLS_CERTIFICATE", "a.pem,b.pem"},
                         {"DENDRO_TLS_KEY", "a.key,b.key"},
                         {"DENDRO_TLS_CLIENT_CERTIFICATES", "required"},
                         {"DENDRO_TLS_CIPHERS", "ECDHE+AESGCM:ECDHE+CHACHA20"},
                         {"DENDRO_CORS_ORIGINS", "https://a.example, https://b.example"},
                         {"DENDRO_HSTS", "0s"},
                         {"DENDRO_CONNECTIONS_PER_ADDRESS_MAX", "7"},
                         {"DENDRO_BODY_BYTES_PER_S_MIN", "1KiB"},
                         {"DENDRO_HANDSHAKE_TIMEOUT", "3s"}};
  const auto loaded = load_settings(sources);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  const Settings& settings = loaded->settings;
  EXPECT_EQ(settings.tls.certificates.size(), 2u);
  EXPECT_EQ(settings.tls.client_certificates, ClientCertificates::required);
  EXPECT_EQ(settings.tls.ciphers, "ECDHE+AESGCM:ECDHE+CHACHA20");
  EXPECT_TRUE(settings.server.cors_origins.allows("https://b.example"));
  EXPECT_EQ(settings.server.hsts.count(), 0);
  EXPECT_EQ(settings.server.limits.connections_per_address_max, 7u);
  EXPECT_EQ(settings.server.limits.body_bytes_per_s_min, 1'024u);
  EXPECT_EQ(settings.server.limits.handshake_timeout, std::chrono::seconds(3));
  for (const auto& [name, value] : {std::pair("DENDRO_TLS_CLIENT_CERTIFICATES", "maybe"),
                                    {"DENDRO_TLS_MIN_VERSION", "1.1"},
                                    {"DENDRO_CORS_ORIGINS", "null"}}) {
    SettingSources bad;
    bad.environment[name] = value;
    EXPECT_THAT(load_settings(bad).error().message(), HasSubstr(name));
  }
}

TEST(Settings, RulesForCertificatesAreBlocks) {
  const auto loaded = load_settings(
      from_toml("[[auth.certificates]]\nname = 'DNS:*.agents.example'\ntenants = ['shop']\nscopes = ['ingest']\n"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  ASSERT_EQ(loaded->settings.identity.certificates.size(), 1u);
  EXPECT_EQ(loaded->settings.identity.certificates[0].name, "DNS:*.agents.example");
  EXPECT_THAT(load_settings(from_toml("[[auth.certificates]]\nname = 'agents'\n")).error().message(),
              AllOf(HasSubstr("auth.certificates"), HasSubstr("KIND:NAME")));
}

TEST(Settings, ErrorsNameSourceAndSetting) {
  const auto text_of = [](const SettingSources& sources) { return load_settings(sources).error().message(); };
  EXPECT_THAT(text_of(from_toml("[server]\nlisten_to = 1\n")),
              AllOf(HasSubstr("dendro.toml:2"), HasSubstr("unknown setting 'server.listen_to'")));
  EXPECT_THAT(text_of(from_toml("[server\n")), HasSubstr("dendro.toml:1"));
  EXPECT_THAT(text_of(from_toml("[storage]\nmemtable_bytes_max = 'many'\n")),
              AllOf(HasSubstr("storage.memtable_bytes_max"), HasSubstr("64MiB")));
  SettingSources sources;
  sources.environment["DENDRO_IDLE_TIMEOUT"] = "75";
  EXPECT_THAT(text_of(sources), AllOf(HasSubstr("DENDRO_IDLE_TIMEOUT"), HasSubstr("500ms")));
}

TEST(Settings, UnitsAreRead) {
  SettingSources sources;
  sources.environment = {{"DENDRO_IDLE_TIMEOUT", "2m"},
                         {"DENDRO_WAL_BACKLOG_BYTES_MAX", "2GiB"},
                         {"DENDRO_BATCH_KEY_WINDOW", "48h"},
                         {"DENDRO_INSECURE", "true"}};
  const Settings settings = load_settings(sources)->settings;
  EXPECT_EQ(settings.server.limits.idle_timeout, std::chrono::minutes(2));
  EXPECT_EQ(settings.store.wal_backlog_bytes_max, std::uint64_t{2} << 30);
  EXPECT_EQ(settings.store.batch_key_window, std::chrono::hours(48));
  EXPECT_TRUE(settings.insecure);
}

TEST(Settings, RulesOfStreamsAreBlocks) {
  const auto loaded =
      load_settings(from_toml("[[retention.rules]]\nfilter = '{service=\"debug\"}'\ndays = 7\n"
                              "[[retention.rules]]\nfilter = 'severity:debug or zone:in(a, b)'\ndays = 30\n"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  const auto& streams = loaded->settings.store.retention.streams;
  ASSERT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams[0].max_age, std::chrono::hours(7 * 24));
  EXPECT_EQ(streams[1].max_age, std::chrono::hours(30 * 24));
  EXPECT_FALSE(streams[0].predicate.empty());
  EXPECT_NE(streams[0].predicate, streams[1].predicate);
}

TEST(Settings, RulesOfStreamsAreCheckedAtStart) {
  const auto text_of = [](const std::string& block) {
    const auto loaded = load_settings(from_toml("[[retention.rules]]\n" + block));
    EXPECT_FALSE(loaded.has_value()) << block;
    return loaded ? std::string() : loaded.error().message();
  };
  EXPECT_THAT(text_of("filter = 'a'\n"), HasSubstr("days"));
  EXPECT_THAT(text_of("days = 7\n"), HasSubstr("filter"));
  EXPECT_THAT(text_of("filter = 'a'\ndays = '7'\n"), HasSubstr("whole number of days"));
  EXPECT_THAT(text_of("filter = 'a'\ndays = 7\nday = 8\n"), HasSubstr("whole number of days"));
  for (const char* days : {"0", "-1", "40000"}) {
    EXPECT_THAT(text_of("filter = 'a'\ndays = " + std::string(days) + "\n"),
                AllOf(HasSubstr("retention.rules"), HasSubstr("1 to 36525")));
  }
  EXPECT_THAT(text_of("filter = 'a | limit 1'\ndays = 7\n"), HasSubstr("a filter only"));
  EXPECT_THAT(text_of("filter = 'a ('\ndays = 7\n"), AllOf(HasSubstr("filter 'a ('"), HasSubstr("line 1")));
  for (const char* timed : {"_time:1h", "a or _time:>2020", "_observed:>2020"}) {
    EXPECT_FALSE(text_of("filter = '" + std::string(timed) + "'\ndays = 7\n").empty());
  }
}

constexpr const char* kGoodSecret = "a secret of more than 32 bytes, for tests";

TEST(Settings, SecretsMayLieElsewhere) {
  const TemporaryFolder folder;
  const std::string path = folder.write("key", std::string(kGoodSecret) + "\n");
  SettingSources sources = from_toml("[auth]\nsecret_key = 'file:" + path + "'\n");
  sources.environment = {{"DENDRO_ORIGIN_VERIFY", "env:PLACE"}, {"PLACE", "of the variable"}};
  const auto loaded = load_settings(sources);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  EXPECT_EQ(loaded->settings.identity.secret_key, kGoodSecret);
  EXPECT_EQ(loaded->settings.server.origin_verify, "of the variable");
  EXPECT_THAT(loaded->warnings, ElementsAre(AllOf(HasSubstr("auth.secret_key: "), HasSubstr("chmod 600"))))
      << "others may read it";
}

TEST(Settings, TheBareVariableIsTheSecretItself) {
  SettingSources sources;
  sources.environment["SECRET_KEY"] = "env:of the original system, as it was there";
  EXPECT_EQ(load_settings(sources)->settings.identity.secret_key, "env:of the original system, as it was there");
  sources.environment["DENDRO_SECRET_KEY"] = "word:secret text of more than 32 bytes, for tests";
  const std::string fault = load_settings(sources).error().message();
  EXPECT_THAT(fault, AllOf(HasSubstr("DENDRO_SECRET_KEY"), HasSubstr("literal:"), Not(HasSubstr("secret text"))));
  sources.environment["DENDRO_SECRET_KEY"] = "literal:word:secret text of more than 32 bytes, for tests";
  EXPECT_EQ(load_settings(sources)->settings.identity.secret_key, "word:secret text of more than 32 bytes, for tests");
}

TEST(Settings, TheSecretKeyComesFromVariableFileOrConfiguration) {
  const auto secret_of = [](const SettingSources& sources) {
    const auto loaded = load_settings(sources);
    return loaded ? loaded->settings.identity.secret_key : loaded.error().message();
  };
  SettingSources sources = from_toml("[auth]\nsecret_key = 'in the file, of at least 32 bytes ...'\n");
  EXPECT_THAT(secret_of(sources), HasSubstr("in the file"));
  sources.environment["SECRET_KEY"] = kGoodSecret;
  EXPECT_EQ(secret_of(sources), kGoodSecret);
  EXPECT_THAT(load_settings(sources)->compat_names_in_use, ElementsAre("SECRET_KEY"));
  sources.environment["DENDRO_SECRET_KEY"] = "beats the bare name, 32 bytes ...";
  EXPECT_THAT(secret_of(sources), HasSubstr("beats the bare name"));
  sources.environment.erase("DENDRO_SECRET_KEY");
  sources.compat_environment = false;
  EXPECT_THAT(secret_of(sources), HasSubstr("in the file"));

  const TemporaryFolder folder;
  SettingSources by_file;
  by_file.environment["DENDRO_SECRET_KEY_FILE"] = folder.write("secret", std::string(kGoodSecret) + "\r\n");
  EXPECT_EQ(secret_of(by_file), kGoodSecret);
  by_file.environment["SECRET_KEY"] = kGoodSecret;
  EXPECT_THAT(secret_of(by_file), HasSubstr("name one of them"));
  by_file.environment.erase("SECRET_KEY");
  by_file.environment["DENDRO_SECRET_KEY_FILE"] = folder.path("none");
  EXPECT_THAT(secret_of(by_file), AllOf(HasSubstr("auth.secret_key_file"), HasSubstr("No such file")));
  by_file.environment["DENDRO_SECRET_KEY_FILE"] = folder.write("empty", "\n");
  EXPECT_THAT(secret_of(by_file), HasSubstr("is empty"));
}

TEST(Settings, WeakSecretsAreRefusedAndNeverTold) {
  for (const char* weak : {"hunter2", "dev_secret_key_change_in_production", "thirty-one bytes are not enough"}) {
    SettingSources sources;
    sources.environment["SECRET_KEY"] = weak;
    const auto refused = load_settings(sources);
    ASSERT_FALSE(refused.has_value()) << weak;
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("SECRET_KEY"), Not(HasSubstr(weak))));
  }
}

TEST(Settings, PrivacyKeysAndMaskingRules) {
  const TemporaryFolder folder;
  SettingSources sources = from_toml(
      "[[privacy.masking]]\nname = 'cards'\npattern = 'card'\nkeep_last = 4\n"
      "[[privacy.masking]]\nname = 'who'\nfields = ['user.*']\npattern = 'whole'\naction = 'tokenize'\n");
  sources.environment["DENDRO_PRIVACY_KEY_FILE"] = folder.write("key", std::string(kGoodSecret) + "\n");
  sources.environment["DENDRO_PRIVACY_KEY_PREVIOUS"] = "the key before, of at least 32 bytes";
  const auto loaded = load_settings(sources);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  EXPECT_EQ(loaded->settings.privacy_keys.current, kGoodSecret);
  EXPECT_EQ(loaded->settings.privacy_keys.previous, "the key before, of at least 32 bytes");
  ASSERT_NE(loaded->settings.masking, nullptr);
  ASSERT_EQ(loaded->settings.masking->size(), 2u);
  EXPECT_EQ((*loaded->settings.masking)[1].fields, std::vector<std::string>{"user.*"});
  EXPECT_EQ(load_settings(from_toml(""))->settings.masking, nullptr);
}

TEST(Settings, WrongPrivacySettingsAreNamedAndKeysNeverTold) {
  const auto refusal = [](const SettingSources& sources) {
    const auto loaded = load_settings(sources);
    return loaded ? std::string("taken") : loaded.error().message();
  };
  SettingSources sources;
  sources.environment["DENDRO_PRIVACY_KEY"] = "hunter2";
  EXPECT_THAT(refusal(sources), AllOf(HasSubstr("privacy.key: has 7 bytes"), Not(HasSubstr("hunter2"))));
  sources.environment["DENDRO_PRIVACY_KEY"] = kGoodSecret;
  EXPECT_EQ(refusal(sources), "taken");
  sources.environment["DENDRO_PRIVACY_KEY_FILE"] = "/none";
  EXPECT_THAT(refusal(sources), HasSubstr("privacy.key and privacy.key_file: name one of them"));
  sources.environment.erase("DENDRO_PRIVACY_KEY");
  EXPECT_THAT(refusal(sources), AllOf(HasSubstr("privacy.key_file"), HasSubstr("No such file")));
  EXPECT_THAT(refusal(from_toml("[privacy]\nkey_previous = 'x'\n")), HasSubstr("privacy.key_previous: has 1 bytes"));
  EXPECT_THAT(refusal(from_toml("[[privacy.masking]]\nname = 'a'\npattern = 'cards'\n")),
              HasSubstr("privacy.masking.0.pattern must be"));
  EXPECT_THAT(refusal(from_toml("[[privacy.masking]]\nname = 'a'\npattern = 'card'\naction = 'hash'\n")),
              HasSubstr("need privacy.key_file"));
}

TEST(Settings, TokensAndSessions) {
  SettingSources sources;
  sources.environment["ALGORITHM"] = "HS512";
  sources.environment["ACCESS_TOKEN_EXPIRE_MINUTES"] = "30";
  sources.environment["DENDRO_SESSION_IDLE"] = "30m";
  sources.environment["DENDRO_SIGN_IN_FAILURES_MAX"] = "5";
  sources.environment["DENDRO_SIGN_IN_LOCK"] = "1h";
  const IdentitySettings identity = load_settings(sources)->settings.identity;
  EXPECT_EQ(identity.algorithm, SignatureAlgorithm::hs512);
  EXPECT_EQ(identity.token_lifetime, std::chrono::minutes(30));
  EXPECT_EQ(identity.sessions.lifetime, std::chrono::hours(12));
  EXPECT_EQ(identity.sessions.idle, std::chrono::minutes(30));
  EXPECT_EQ(identity.sign_in.failures_max, 5);
  EXPECT_EQ(identity.sign_in.lock, std::chrono::hours(1));
  for (const auto& [name, value] : {std::pair{"ALGORITHM", "RS256"},
                                    {"ALGORITHM", "none"},
                                    {"ACCESS_TOKEN_EXPIRE_MINUTES", "0"},
                                    {"DENDRO_ACCESS_TOKEN_EXPIRE_MINUTES", "99999999"},
                                    {"DENDRO_SESSION_LIFETIME", "13h"},
                                    {"DENDRO_SESSION_IDLE", "1m"},
                                    {"DENDRO_SIGN_IN_FAILURES_MAX", "0"},
                                    {"DENDRO_SIGN_IN_LOCK", "1000000000d"},
                                    {"DENDRO_PASSWORD_HASHES_MAX", "65"}}) {
    SettingSources wrong;
    wrong.environment[name] = value;
    const auto refused = load_settings(wrong);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_THAT(refused.error().message(), AllOf(HasSubstr(name), HasSubstr(value)));
  }
}

TEST(Settings, IssuersAndRolesAreBlocks) {
  const auto loaded = load_settings(from_toml(R"(
[[auth.issuers]]
issuer = "https://login.example.org/"
audience = "dendro"
tenants_max = ["shop", "bank"]

[roles.support]
permissions = ["search", "stats"]
row_filter = '{service="payments"}'
hidden_fields = ["card"]

[roles.reader]
permissions = ["search"]
)"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  const IdentitySettings& identity = loaded->settings.identity;
  ASSERT_EQ(identity.issuers.size(), 1u);
  EXPECT_EQ(identity.issuers[0].issuer, "https://login.example.org/");
  EXPECT_THAT(identity.issuers[0].tenants_max, ElementsAre("shop", "bank"));
  ASSERT_EQ(identity.roles.size(), 2u);
  EXPECT_EQ(identity.roles[1].name, "support");
  EXPECT_EQ(identity.roles[1].row_filter, "{service=\"payments\"}");
  EXPECT_THAT(identity.roles[1].hidden_fields, ElementsAre("card"));
  const auto fault = [](const char* toml) { return load_settings(from_toml(toml)).error().message(); };
  EXPECT_THAT(fault("[[auth.issuers]]\nissuer = 'https://i'\n"),
              AllOf(HasSubstr("auth.issuers"), HasSubstr("audience")));
  EXPECT_THAT(fault("[roles.red]\npermission = ['search']\n"),
              AllOf(HasSubstr("role \"red\""), HasSubstr("permission")));
  EXPECT_THAT(fault("[roles]\nred = 7\n"), HasSubstr("no usable value"));
  EXPECT_THAT(fault("roles = 7\n"), HasSubstr("roles"));
}

TEST(Settings, BareNamesInUseAreListedByNameOnly) {
  SettingSources sources;
  sources.environment["DATABASE_URL"] = "postgres://user:secret@host/db";
  const auto loaded = load_settings(sources);
  EXPECT_THAT(loaded->compat_names_in_use, ElementsAre("DATABASE_URL"));
  for (const std::string& warning : loaded->warnings) EXPECT_THAT(warning, Not(HasSubstr("secret")));
}

TEST(Settings, TheTopicMayComeByItsBareName) {
  SettingSources sources;
  sources.environment = {{"SNS_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:a"}, {"AWS_REGION", "eu-west-1"}};
  const auto loaded = load_settings(sources);
  EXPECT_EQ(loaded->settings.sns_topic_arn, "arn:aws:sns:eu-west-1:123456789012:a");
  EXPECT_THAT(loaded->compat_names_in_use, ElementsAre("SNS_TOPIC_ARN"));
  EXPECT_TRUE(loaded->warnings.empty());
  EXPECT_EQ(loaded->settings.aws_environment, (std::map<std::string, std::string>{{"AWS_REGION", "eu-west-1"}}));
  sources.environment["DENDRO_SNS_TOPIC_ARN"] = "arn:aws:sns:eu-west-1:123456789012:b";
  EXPECT_TRUE(load_settings(sources)->settings.sns_topic_arn.ends_with(":b"));
  sources.environment["DENDRO_SNS_TOPIC_ARN"] = "alerts";
  EXPECT_THAT(load_settings(sources).error().message(), HasSubstr("is not a topic such as"));
}

TEST(Settings, BareNamesOfTheAuditServiceAreWeakerThanOurs) {
  SettingSources sources;
  sources.environment = {{"API_V1_STR", "/v9"}, {"PROJECT_NAME", "ocelot"}};
  const auto loaded = load_settings(sources);
  EXPECT_EQ(loaded->settings.audit_api_prefix, "/v9");
  EXPECT_EQ(loaded->settings.audit_project_name, "ocelot");
  EXPECT_THAT(loaded->compat_names_in_use, ElementsAre("API_V1_STR", "PROJECT_NAME"));
  sources.environment["DENDRO_PROJECT_NAME"] = "mine";
  EXPECT_EQ(load_settings(sources)->settings.audit_project_name, "mine");
  sources.compat_environment = false;
  EXPECT_EQ(load_settings(sources)->settings.audit_api_prefix, "/api/v1");
  for (const char* bad : {"api", "/", "/api/", "/a//b", "/{x}", "/a b"}) {
    sources.environment["DENDRO_API_V1_STR"] = bad;
    EXPECT_THAT(load_settings(sources).error().message(), HasSubstr("a path such as /api/v1")) << bad;
  }
}

TEST(Dotenv, ReadsWhatPeopleWrite) {
  const auto values = parse_dotenv("# a comment\nexport A=1\nB=\"two words\"\r\nC='#x'\n\n  D=a=b\n");
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(values->at("A"), "1");
  EXPECT_EQ(values->at("B"), "two words");
  EXPECT_EQ(values->at("C"), "#x");
  EXPECT_EQ(values->at("D"), "a=b");
  EXPECT_THAT(parse_dotenv("A=1\nnonsense\n").error().message(), HasSubstr("line 2"));
}

TEST(Settings, EveryRowIsDocumented) {
  std::ifstream stream("docs/configuration.md");
  std::stringstream page;
  page << stream.rdbuf();
  for (const SettingRow& row : settings_table()) {
    EXPECT_THAT(page.str(), HasSubstr("`" + std::string(row.toml_path) + "`"));
    EXPECT_THAT(page.str(), HasSubstr(std::string(row.description))) << row.toml_path;
    if (!row.environment.empty()) EXPECT_THAT(page.str(), HasSubstr("`" + std::string(row.environment) + "`"));
    if (!row.flag.empty()) EXPECT_THAT(page.str(), HasSubstr("`" + std::string(row.flag)));
  }
}

}  // namespace
}  // namespace dendro
