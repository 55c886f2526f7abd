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
};

}  // namespace

std::span<const MetaMigration> meta_schema() {
  return kMetaMigrations;
}

}  // namespace dendro
