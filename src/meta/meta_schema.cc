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
    // What a rule asked about when it was evaluated last; and of an alert that is held several times the last word only.
    {"alerts asked and held", R"(
ALTER TABLE alert_progress ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_held ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_held_by_alert ON alert_held (tenant, receiver, fingerprint);
)"},
};

}  // namespace

std::span<const MetaMigration> meta_schema() {
  return kMetaMigrations;
}

}  // namespace dendro
