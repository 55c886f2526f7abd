#include "meta/meta_schema.h"

namespace dendro {
namespace {

// Times are nanoseconds since 1970, UTC.
constexpr MetaMigration kMetaMigrations[] = {
    {"saved queries", R"(
CREATE TABLE saved_queries (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  query TEXT NOT NULL,
  settings TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (tenant, name)
) STRICT;
)"},
    {"short links", R"(
CREATE TABLE short_links (
  code TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE INDEX short_links_by_expiry ON short_links (expires);
)"},
    // `rule` of the states is an id of alert_rules, or of a rule of the configuration.
    {"alerts", R"(
CREATE TABLE alert_rules (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (tenant, name)
) STRICT;
CREATE TABLE alert_progress (
  tenant TEXT NOT NULL,
  rule TEXT NOT NULL,
  evaluated INTEGER NOT NULL,
  problem TEXT NOT NULL,
  seeded INTEGER NOT NULL,
  PRIMARY KEY (tenant, rule)
) STRICT;
CREATE TABLE alert_instances (
  tenant TEXT NOT NULL,
  rule TEXT NOT NULL,
  labels TEXT NOT NULL,
  state TEXT NOT NULL,
  value TEXT NOT NULL,
  active_since INTEGER NOT NULL,
  fired INTEGER NOT NULL,
  resolved INTEGER NOT NULL,
  told INTEGER NOT NULL,
  PRIMARY KEY (tenant, rule, labels)
) STRICT;
CREATE TABLE alert_seen (
  tenant TEXT NOT NULL,
  rule TEXT NOT NULL,
  value TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (tenant, rule, value)
) STRICT;
CREATE TABLE alert_history (
  number INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  rule TEXT NOT NULL,
  at INTEGER NOT NULL,
  labels TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  value TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX alert_history_by_rule ON alert_history (tenant, rule, number);
CREATE INDEX alert_history_by_time ON alert_history (at);
CREATE TABLE alert_silences (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  matchers TEXT NOT NULL,
  starts INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  comment TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT;
CREATE TABLE alert_outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  receiver TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE TABLE alert_sent (
  tenant TEXT PRIMARY KEY,
  hour INTEGER NOT NULL,
  notifications INTEGER NOT NULL
) STRICT;
CREATE TABLE alert_held (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  receiver TEXT NOT NULL,
  hour INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT;
)"},
    // A row that is deleted stays, with the proof: its name does not come back by itself.
    {"tenants", R"(
CREATE TABLE tenants (
  tenant_id TEXT PRIMARY KEY,
  object_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  api_key_hash TEXT NOT NULL,
  state TEXT NOT NULL,
  proof TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT;
CREATE TABLE tenant_usage (
  tenant TEXT PRIMARY KEY,
  day INTEGER NOT NULL,
  ingested_bytes INTEGER NOT NULL
) STRICT;
)"},
    // What a rule asked about when it was evaluated last; and of an alert that is held several times the last word
    // only.
    {"alerts asked and held", R"(
ALTER TABLE alert_progress ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_held ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_held_by_alert ON alert_held (tenant, receiver, fingerprint);
)"},
    // Lists are JSON arrays. `identity_version` goes up with each change to who may do what, but not with what only
    // tells when a key was used or that a session began: nothing that was known before means something else then.
    {"identity", R"(
CREATE TABLE roles (
  name TEXT PRIMARY KEY,
  permissions TEXT NOT NULL,
  row_filter TEXT NOT NULL,
  hidden_fields TEXT NOT NULL,
  masked_fields TEXT NOT NULL,
  updated INTEGER NOT NULL
) STRICT;
CREATE TABLE tokens (
  jti TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  tenants TEXT NOT NULL,
  roles TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  revoked INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_by_expiry ON tokens (expires);
CREATE INDEX tokens_by_age ON tokens (created, jti);
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL,
  name TEXT NOT NULL,
  tenants TEXT NOT NULL,
  scopes TEXT NOT NULL,
  roles TEXT NOT NULL,
  certificate TEXT,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  revoked INTEGER NOT NULL,
  last_used INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_by_certificate ON api_keys (certificate) WHERE certificate IS NOT NULL AND revoked = 0;
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  grants TEXT NOT NULL,
  disabled INTEGER NOT NULL,
  created INTEGER NOT NULL,
  last_sign_in INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  document TEXT NOT NULL,
  peer TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  last_used INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_subject ON sessions (kind, subject, last_used);
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE TABLE sign_in_failures (
  account TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  last INTEGER NOT NULL,
  locked_until INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (last);
CREATE TABLE identity_version (
  version INTEGER NOT NULL
) STRICT;
INSERT INTO identity_version VALUES (1);
CREATE TRIGGER roles_insert_changes_identity AFTER INSERT ON roles
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER roles_update_changes_identity AFTER UPDATE ON roles
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER roles_delete_changes_identity AFTER DELETE ON roles
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER tokens_insert_changes_identity AFTER INSERT ON tokens
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER tokens_update_changes_identity AFTER UPDATE ON tokens
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER tokens_delete_changes_identity AFTER DELETE ON tokens
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER api_keys_insert_changes_identity AFTER INSERT ON api_keys
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER api_keys_update_changes_identity AFTER UPDATE OF secret_hash, tenants, scopes, roles, certificate, expires, revoked ON api_keys
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER api_keys_delete_changes_identity AFTER DELETE ON api_keys
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER users_insert_changes_identity AFTER INSERT ON users
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER users_update_changes_identity AFTER UPDATE OF password_hash, grants, disabled ON users
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER users_delete_changes_identity AFTER DELETE ON users
  BEGIN UPDATE identity_version SET version = version + 1; END;
CREATE TRIGGER sessions_delete_changes_identity AFTER DELETE ON sessions
  BEGIN UPDATE identity_version SET version = version + 1; END;
)"},
    {"tenants of short links", R"(
ALTER TABLE short_links ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
CREATE INDEX short_links_by_tenant ON short_links (tenant);
)"},
    // What values of a tenant are encrypted with, itself encrypted (services/privacy/privacy_keys.h). The rules of the
    // configuration as the server had them last: commands that write into a folder without a server keep to them.
    {"privacy keys", R"(
CREATE TABLE privacy_keys (
  tenant TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (tenant, version)
) STRICT;
CREATE TABLE masking_default (
  rules TEXT NOT NULL
) STRICT;
INSERT INTO masking_default VALUES ('[]');
)"},
};

}  // namespace

std::span<const MetaMigration> meta_schema() {
  return kMetaMigrations;
}

}  // namespace dendro
