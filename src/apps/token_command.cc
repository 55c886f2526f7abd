#include "apps/token_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/action_table.h"
#include "apps/cli.h"
#include "apps/identity_folder.h"
#include "apps/identity_remote.h"
#include "apps/url_text.h"
#include "base/json_writer.h"
#include "identity/identity_documents.h"
#include "identity/jwt/jwt.h"

namespace dendro {
namespace {

constexpr std::string_view kTokenSummary = "make, list, inspect and revoke tokens (JWT)";
constexpr std::string_view kTokenShared = "data config env-file no-compat-env output server api-key";
constexpr ActionRow kTokenActions[] = {
    {"create", "sign a token with SECRET_KEY, store who it is for, print it", "", "tenant role ttl subject"},
    {"list", "the newest first, never the tokens themselves", "", "tenant limit"},
    {"inspect", "what is stored of one; - reads the token from stdin and says what it claims", "JTI", ""},
    {"revoke", "refused from the next request on; open streams end", "JTI", ""},
};

struct TokenFlags {
  IdentityPlace place;
  ActionWords words;
  std::vector<std::string> tenants, roles;
  std::string subject = "cli", lifetime, format = "table";
  std::size_t limit = 100;
};

std::shared_ptr<CLI::App> make_token_app_with(const std::shared_ptr<TokenFlags>& flags) {
  auto app = make_cli_app(
      "token", kTokenSummary,
      "  SECRET_KEY=... dendro token create --tenant shop --role writer\n"
      "  dendro token create --tenant shop --tenant bank --role reader --ttl 24h --subject ci --config dendro.toml\n"
      "  dendro token list --data /var/lib/dendro -o json\n"
      "  dendro token revoke 5e0c3a6e-1a57-4b0e-9f4e-6f3a2f1c9d11\n"
      "--tenant '*' is every tenant. create prints the bare token, which is stored nowhere; it needs SECRET_KEY (or\n"
      "auth.secret_key_file), or a server that has it. All work while a server uses the folder.\n"
      "Exit codes: 0 done; 1 failed, no such token; 2 usage or configuration.\n");
  add_action_options(*app, flags->words, kTokenActions);
  app->add_option("--tenant", flags->tenants, "tenant it is for, repeatable, or '*'")->type_name("T");
  app->add_option("--role", flags->roles, "role it has in each of them, repeatable")->type_name("R");
  app->add_option("--ttl", flags->lifetime, "how long it lasts, such as 60m or 30d; default auth.token_minutes")
      ->type_name("TIME");
  app->add_option("--subject", flags->subject, "whom it is for, 1 to 128 characters; default cli")->type_name("S");
  app->add_option("--limit", flags->limit, "of list: at most so many; default 100")->type_name("N");
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  add_identity_place_options(*app, flags->place);
  return app;
}

std::shared_ptr<CLI::App> make_token_app() {
  const auto flags = std::make_shared<TokenFlags>();
  return keep_with(make_token_app_with(flags), flags);
}

Status create_token(IdentityFolder& folder, const TokenFlags& flags, CommandIo& io) {
  TokenRequest request{flags.tenants, flags.roles, flags.subject, std::nullopt};
  if (!flags.lifetime.empty()) {
    DENDRO_TRY_ASSIGN(const std::chrono::milliseconds span, parse_time_span(flags.lifetime));
    request.lifetime = std::chrono::duration_cast<std::chrono::seconds>(span);
  }
  DENDRO_TRY_ASSIGN(const MadeToken made, folder.parts().tokens().create(request));
  std::fprintf(io.out, "%s\n", made.jwt.c_str());
  return {};
}

void print_tokens(CommandIo& io, const std::string& format, const std::string& json) {
  constexpr std::string_view kColumns[] = {"jti",   "subject",    "tenant_ids", "roles",
                                           "state", "created_at", "expires_at"};
  print_items(io, format, json, kColumns, "no token is stored");
}

Status list_tokens(IdentityFolder& folder, const TokenFlags& flags, CommandIo& io) {
  if (flags.tenants.size() > 1) return Error(ErrorCode::invalid_argument, "list takes one --tenant");
  const std::string tenant = flags.tenants.empty() ? std::string() : flags.tenants.front();
  DENDRO_TRY_ASSIGN(const std::vector<TokenRow> rows, folder.parts().tokens().list(tenant, "", flags.limit));
  std::string json = "[";
  for (const TokenRow& row : rows) {
    if (json.size() > 1) json.push_back(',');
    append_token(json, row, folder.now());
  }
  print_tokens(io, flags.format, json + "]");
  return {};
}

/// What a token claims, its signature not looked at.
Result<std::string> claimed_jti(CommandIo& io) {
  std::string text(kJwtBytesMax + 2, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(io.in_fd, text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  const Result<Jwt> jwt = parse_jwt(text);
  if (!jwt) return Error(ErrorCode::invalid_argument, jwt.error().message());
  std::string claims;
  append_json(claims, jwt->claims);
  std::fprintf(io.err, "claims: %s\n", claims.c_str());
  const JsonValue* const jti = jwt->claims.find("jti");
  return std::string(jti == nullptr ? std::string_view() : jti->as_string().value_or(""));
}

Error no_such_token(const std::string& jti) {
  return Error(ErrorCode::not_found, "no token with the jti \"" + jti + "\" is stored here");
}

Status inspect_token(IdentityFolder& folder, const TokenFlags& flags, CommandIo& io) {
  std::string jti = flags.words.name;
  if (jti == "-") {
    DENDRO_TRY_ASSIGN(jti, claimed_jti(io));
  }
  DENDRO_TRY_ASSIGN(const auto row, folder.parts().tokens().find(jti));
  if (!row) return no_such_token(jti);
  std::string json;
  append_token(json, *row, folder.now());
  std::fprintf(io.out, "%s\n", json.c_str());
  return {};
}

constexpr const char* kTokensPath = "/api/v1/tokens";

Status create_token_there(IdentityRemote& remote, const TokenFlags& flags, CommandIo& io) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (!flags.tenants.empty()) json.member("tenants", flags.tenants);
  json.member("roles", flags.roles);
  json.member("subject", flags.subject);
  if (!flags.lifetime.empty()) {
    DENDRO_TRY_ASSIGN(const std::chrono::milliseconds span, parse_time_span(flags.lifetime));
    json.member("ttl_seconds", std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(span).count()});
  }
  json.end_object();
  DENDRO_TRY_ASSIGN(const JsonValue made, remote.call("POST", kTokensPath, body));
  std::fprintf(io.out, "%s\n", text_of(made, "token").c_str());
  return {};
}

Status list_tokens_there(IdentityRemote& remote, const TokenFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(auto tokens, remote.items(kTokensPath + tenant_query(flags.tenants)));
  if (tokens.size() > flags.limit)
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(flags.limit), tokens.end());
  print_tokens(io, flags.format, json_array(tokens));
  return {};
}

Status inspect_token_there(IdentityRemote& remote, const TokenFlags& flags, CommandIo& io) {
  std::string jti = flags.words.name;
  if (jti == "-") {
    DENDRO_TRY_ASSIGN(jti, claimed_jti(io));
  }
  DENDRO_TRY_ASSIGN(const auto tokens, remote.items(kTokensPath));
  const auto token = std::ranges::find_if(tokens, [&](const JsonValue& one) { return text_of(one, "jti") == jti; });
  if (token == tokens.end()) return no_such_token(jti);
  std::string json;
  append_json(json, *token);
  std::fprintf(io.out, "%s\n", json.c_str());
  return {};
}

Status do_token_action_there(const TokenFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(IdentityRemote remote, IdentityRemote::open(flags.place, io));
  if (flags.words.action == "create") return create_token_there(remote, flags, io);
  if (flags.words.action == "list") return list_tokens_there(remote, flags, io);
  if (flags.words.action == "inspect") return inspect_token_there(remote, flags, io);
  DENDRO_TRY(remote.call("DELETE", std::string(kTokensPath) + "/" + percent_encoded(flags.words.name)));
  std::fprintf(io.out, "revoked\n");
  return {};
}

Status do_token_action(const TokenFlags& flags, CommandIo& io) {
  if (IdentityRemote::is_wanted(flags.place)) return do_token_action_there(flags, io);
  const bool creates = flags.words.action == "create";
  DENDRO_TRY_ASSIGN(const auto folder,
                    IdentityFolder::open(flags.place, creates ? IdentityFolder::WhenMissing::make
                                                              : IdentityFolder::WhenMissing::refuse));
  if (creates) return create_token(*folder, flags, io);
  if (flags.words.action == "list") return list_tokens(*folder, flags, io);
  if (flags.words.action == "inspect") return inspect_token(*folder, flags, io);
  DENDRO_TRY(folder->parts().tokens().revoke(flags.words.name));
  std::fprintf(io.out, "revoked\n");
  return {};
}

int run_token(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<TokenFlags>();
  const auto app = make_token_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::string fault = action_fault(*app, flags->words, kTokenActions, kTokenShared);
  if (!fault.empty()) return report_failure(io, "token", fault, 2);
  const Status done = do_token_action(*flags, io);
  return done ? 0 : report_failure(io, "token", done.error().message(), exit_code_of(done.error().code()));
}

}  // namespace

Command token_command() {
  return {"token", kTokenSummary, &run_token, &make_token_app};
}

}  // namespace dendro
