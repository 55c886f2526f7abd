#include <CLI/CLI.hpp>

#include "apps/action_table.h"
#include "apps/admin_command.h"
#include "apps/cli.h"
#include "apps/identity_folder.h"
#include "apps/identity_remote.h"
#include "apps/url_text.h"
#include "base/json_writer.h"
#include "identity/identity_documents.h"

namespace dendro {
namespace {

constexpr std::string_view kKeySummary = "API keys: create, list, revoke";
constexpr std::string_view kKeyShared = "data config env-file no-compat-env output server api-key";
constexpr ActionRow kKeyActions[] = {
    {"create", "make a key and print it: it is shown this once", "", "name tenant scope role expires-in certificate"},
    {"list", "all, or those of --tenant; never the keys themselves", "", "tenant"},
    {"revoke", "refused from the next request on; open streams end", "ID", "tenant"},
};

struct KeyFlags {
  IdentityPlace place;
  ActionWords words;
  std::vector<std::string> tenants, scopes, roles;
  std::string name, expires_in, certificate, format = "table";
};

std::shared_ptr<CLI::App> make_key_app_with(const std::shared_ptr<KeyFlags>& flags) {
  auto app = make_cli_app(
      "admin key", kKeySummary,
      "  dendro admin key create --name fluent-bit --tenant shop --scope ingest\n"
      "  dendro admin key create --name grafana --tenant shop --scope search --expires-in 90d --data /var/lib/dendro\n"
      "  dendro admin key list --tenant shop\n"
      "  dendro admin key revoke 3fA9kQ2LmN7x\n"
      "  DENDRO_API_KEY=dk_... dendro admin key list --tenant shop --server https://logs.example.org\n"
      "Scopes: ingest; search (with statistics and live tail); export; admin. From the first key on, callers of a\n"
      "server must say who they are. All work while a server uses the folder.\n"
      "Exit codes: 0 done; 1 failed, no such key; 2 usage or configuration.\n");
  add_action_options(*app, flags->words, kKeyActions);
  app->add_option("--name", flags->name, "for people, 1 to 200 bytes")->type_name("TEXT");
  app->add_option("--tenant", flags->tenants, "tenant it is for, repeatable, or '*'")->type_name("T");
  app->add_option("--scope", flags->scopes, "ingest, search, export or admin, repeatable")->type_name("SCOPE");
  app->add_option("--role", flags->roles, "role it has beside its scopes, repeatable")->type_name("R");
  app->add_option("--expires-in", flags->expires_in, "how long it lasts, such as 90d; default for ever")
      ->type_name("TIME");
  app->add_option("--certificate", flags->certificate,
                  "TLS client certificate that stands for the key: DNS:NAME, URI:.., email:.., CN:.. or subject:..")
      ->type_name("NAME");
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  add_identity_place_options(*app, flags->place);
  return app;
}

std::shared_ptr<CLI::App> make_key_app() {
  const auto flags = std::make_shared<KeyFlags>();
  return keep_with(make_key_app_with(flags), flags);
}

void print_keys(CommandIo& io, const std::string& format, const std::string& json) {
  constexpr std::string_view kColumns[] = {"id",    "name",       "tenants",      "scopes",    "roles",
                                           "state", "created_at", "last_used_at", "expires_at"};
  print_items(io, format, json, kColumns, "there is no API key");
}

Result<std::optional<Timestamp>> expiry_of(const KeyFlags& flags, Timestamp now) {
  if (flags.expires_in.empty()) return std::optional<Timestamp>();
  DENDRO_TRY_ASSIGN(const std::chrono::milliseconds span, parse_time_span(flags.expires_in));
  constexpr std::chrono::hours kSpanMax{24 * 36'525};
  if (span > kSpanMax) return Error(ErrorCode::invalid_argument, "--expires-in: at most 36525d");
  return std::optional(Timestamp(now.number() + std::chrono::nanoseconds(span).count()));
}

Status create_key(IdentityFolder& folder, const KeyFlags& flags, CommandIo& io) {
  ApiKeyRequest request{flags.name, flags.tenants, flags.scopes, flags.roles, flags.certificate, std::nullopt};
  DENDRO_TRY_ASSIGN(request.expires, expiry_of(flags, folder.now()));
  DENDRO_TRY_ASSIGN(const MadeApiKey made, folder.parts().keys().create(request));
  std::fprintf(io.out, "%s\n", made.key.c_str());
  std::fprintf(io.err, "key %s; it is not shown again\n", made.row.id.c_str());
  return {};
}

Status list_keys(IdentityFolder& folder, const KeyFlags& flags, CommandIo& io) {
  if (flags.tenants.size() > 1) return Error(ErrorCode::invalid_argument, "list takes one --tenant");
  DENDRO_TRY_ASSIGN(const auto rows,
                    folder.parts().keys().list(flags.tenants.empty() ? std::string() : flags.tenants.front()));
  std::string json = "[";
  for (const ApiKeyRow& row : rows) {
    if (json.size() > 1) json.push_back(',');
    append_api_key(json, row, folder.now());
  }
  print_keys(io, flags.format, json + "]");
  return {};
}

constexpr const char* kKeysPath = "/api/v1/keys";

Result<std::string> key_body(const KeyFlags& flags) {
  if (!flags.certificate.empty()) {
    return Error(ErrorCode::invalid_argument, "--certificate: only with --data, on the machine of the server");
  }
  DENDRO_TRY_ASSIGN(const auto expires, expiry_of(flags, SystemClock().now()));
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("name", flags.name);
  if (!flags.tenants.empty()) json.member("tenants", flags.tenants);
  json.member("scopes", flags.scopes);
  json.member("roles", flags.roles);
  if (expires) json.member("expires_at", to_rfc3339(*expires));
  json.end_object();
  return body;
}

Status do_key_action_there(const KeyFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(IdentityRemote remote, IdentityRemote::open(flags.place, io));
  // A key of every tenant has no tenant of its own to be asked in.
  const bool is_of_every = !flags.tenants.empty() && flags.tenants.front() == "*";
  const std::string query = is_of_every ? "?tenant=default" : tenant_query(flags.tenants);
  if (flags.words.action == "create") {
    DENDRO_TRY_ASSIGN(const std::string body, key_body(flags));
    DENDRO_TRY_ASSIGN(const JsonValue made, remote.call("POST", kKeysPath + query, body));
    std::fprintf(io.out, "%s\n", text_of(made, "secret").c_str());
    std::fprintf(io.err, "key %s; it is not shown again\n", text_of(made, "id").c_str());
    return {};
  }
  if (flags.words.action == "list") {
    DENDRO_TRY_ASSIGN(const auto keys, remote.items(kKeysPath + query));
    print_keys(io, flags.format, json_array(keys));
    return {};
  }
  DENDRO_TRY(remote.call("DELETE", std::string(kKeysPath) + "/" + percent_encoded(flags.words.name) + query));
  std::fprintf(io.out, "revoked\n");
  return {};
}

Status do_key_action(const KeyFlags& flags, CommandIo& io) {
  if (IdentityRemote::is_wanted(flags.place)) return do_key_action_there(flags, io);
  const bool creates = flags.words.action == "create";
  DENDRO_TRY_ASSIGN(const auto folder,
                    IdentityFolder::open(flags.place, creates ? IdentityFolder::WhenMissing::make
                                                              : IdentityFolder::WhenMissing::refuse));
  if (creates) return create_key(*folder, flags, io);
  if (flags.words.action == "list") return list_keys(*folder, flags, io);
  DENDRO_TRY(folder->parts().keys().revoke(flags.words.name));
  std::fprintf(io.out, "revoked\n");
  return {};
}

int run_key(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<KeyFlags>();
  const auto app = make_key_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::string fault = action_fault(*app, flags->words, kKeyActions, kKeyShared);
  if (!fault.empty()) return report_failure(io, "admin key", fault, 2);
  const Status done = do_key_action(*flags, io);
  return done ? 0 : report_failure(io, "admin key", done.error().message(), exit_code_of(done.error().code()));
}

}  // namespace

Command admin_key_command() {
  return {"key", kKeySummary, &run_key, &make_key_app};
}

}  // namespace dendro
