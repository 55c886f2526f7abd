#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/action_table.h"
#include "apps/admin_command.h"
#include "apps/cli.h"
#include "apps/identity_folder.h"
#include "apps/identity_remote.h"
#include "apps/password_input.h"
#include "apps/url_text.h"
#include "base/crypto_password.h"
#include "base/json_writer.h"
#include "identity/identity_documents.h"

namespace dendro {
namespace {

constexpr std::string_view kUserSummary =
    "local accounts: create, list, grant, disable, enable, reset-password, unlock, delete";
constexpr std::string_view kUserShared = "data config env-file no-compat-env output server api-key";
constexpr ActionRow kUserActions[] = {
    {"create", "an account: --admin NAME, or --email with --tenant and --role", "",
     "admin email tenant role password-file"},
    {"list", "all, or those of --tenant", "", "tenant"},
    {"grant", "roles and tenants instead of those it has", "EMAIL", "tenant role"},
    {"disable", "it cannot sign in, and its sessions end", "EMAIL", ""},
    {"enable", "it can sign in again", "EMAIL", ""},
    {"reset-password", "a new one; its sessions end, a lock goes", "EMAIL", "password-file"},
    {"unlock", "forget its failed sign-ins", "EMAIL", ""},
    {"delete", "the account and its sessions", "EMAIL", ""},
};

struct UserFlags {
  IdentityPlace place;
  ActionWords words;
  std::string admin, email, password_file, format = "table";
  std::vector<std::string> tenants, roles;
};

std::shared_ptr<CLI::App> make_user_app_with(const std::shared_ptr<UserFlags>& flags) {
  auto app = make_cli_app(
      "admin user", kUserSummary,
      "  dendro admin user create --admin anna@example.org --data /var/lib/dendro\n"
      "  dendro admin user create --email tom@example.org --tenant shop --role reader < password.txt\n"
      "  dendro admin user reset-password tom@example.org --password-file -\n"
      "  dendro admin user list -o json\n"
      "  DENDRO_API_KEY=dk_... dendro admin user disable tom@example.org --server https://logs.example.org\n"
      "--admin makes an administrator of every tenant. The password is asked for, or read from stdin or a file. From\n"
      "the first user on, callers of a server must say who they are. All work while a server uses the folder.\n"
      "Exit codes: 0 done; 1 failed, no such user; 2 usage or configuration.\n");
  add_action_options(*app, flags->words, kUserActions);
  app->add_option("--admin", flags->admin, "e-mail address or name of a new administrator of every tenant")
      ->type_name("NAME");
  app->add_option("--email", flags->email, "e-mail address or name to sign in with")->type_name("EMAIL");
  app->add_option("--tenant", flags->tenants, "tenant the roles hold in, repeatable, or '*'")->type_name("T");
  app->add_option("--role", flags->roles, "role in each of them, repeatable")->type_name("R");
  app->add_option("--password-file", flags->password_file, "read the password from its first line; - is stdin")
      ->type_name("FILE");
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  add_identity_place_options(*app, flags->place);
  return app;
}

std::shared_ptr<CLI::App> make_user_app() {
  const auto flags = std::make_shared<UserFlags>();
  return keep_with(make_user_app_with(flags), flags);
}

std::vector<UserGrantRow> grants_of(const UserFlags& flags) {
  std::vector<UserGrantRow> grants;
  for (const std::string& tenant : flags.tenants) grants.push_back({tenant, flags.roles});
  return grants;
}

void print_users(CommandIo& io, const std::string& format, const std::string& json) {
  constexpr std::string_view kColumns[] = {"email", "grants", "state", "created_at", "last_sign_in_at"};
  print_items(io, format, json, kColumns, "there is no user");
}

/// What a new account may do. Errors: invalid_argument (words that say two things, or nothing).
Result<std::vector<UserGrantRow>> grants_to_create(const UserFlags& flags) {
  if (flags.admin.empty() == flags.email.empty()) {
    return Error(ErrorCode::invalid_argument, "create: name the account with --admin or with --email");
  }
  const bool is_admin = !flags.admin.empty();
  if (is_admin && (!flags.tenants.empty() || !flags.roles.empty())) {
    return Error(ErrorCode::invalid_argument, "create: --admin holds every tenant; leave out --tenant and --role");
  }
  return is_admin ? std::vector<UserGrantRow>{{"*", {"admin"}}} : grants_of(flags);
}

Status create_user(Users& users, const UserFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const std::vector<UserGrantRow> grants, grants_to_create(flags));
  const bool is_admin = !flags.admin.empty();
  DENDRO_TRY_ASSIGN(std::string password, read_new_password(io, flags.password_file));
  const Result<UserRow> made = users.create(is_admin ? flags.admin : flags.email, password, grants);
  wipe(password);
  DENDRO_TRY(made);
  std::fprintf(io.out, "created %s\n", made->email.c_str());
  return {};
}

Status list_users(Users& users, const UserFlags& flags, CommandIo& io) {
  if (flags.tenants.size() > 1) return Error(ErrorCode::invalid_argument, "list takes one --tenant");
  DENDRO_TRY_ASSIGN(const auto rows, users.list(flags.tenants.empty() ? std::string() : flags.tenants.front()));
  std::string json = "[";
  for (const UserRow& row : rows) {
    DENDRO_TRY_ASSIGN(const auto locked_until, users.locked_until(row));
    if (json.size() > 1) json.push_back(',');
    append_user(json, row, locked_until);
  }
  print_users(io, flags.format, json + "]");
  return {};
}

Status reset_password(Users& users, const std::string& id, const UserFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(std::string password, read_new_password(io, flags.password_file));
  const Status done = users.set_password(id, password);
  wipe(password);
  return done;
}

Status change_account(Users& users, const UserFlags& flags, CommandIo& io) {
  const std::string& action = flags.words.action;
  DENDRO_TRY_ASSIGN(const auto user, users.find_by_email(flags.words.name));
  if (!user) return Error(ErrorCode::not_found, "there is no user \"" + flags.words.name + "\"");
  if (action == "grant") return users.set_grants(user->id, grants_of(flags));
  if (action == "disable" || action == "enable") return users.set_disabled(user->id, action == "disable");
  if (action == "unlock") return users.unlock(user->id);
  if (action == "delete") return users.remove(user->id);
  return reset_password(users, user->id, flags, io);
}

constexpr const char* kUsersPath = "/api/v1/users";

void write_user_grants(JsonWriter& json, const std::vector<UserGrantRow>& grants) {
  json.key("grants");
  json.begin_array();
  for (const UserGrantRow& grant : grants) {
    json.begin_object();
    json.member("tenant", grant.tenant);
    json.member("roles", grant.roles);
    json.end_object();
  }
  json.end_array();
}

Status create_user_there(IdentityRemote& remote, const UserFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const std::vector<UserGrantRow> grants, grants_to_create(flags));
  DENDRO_TRY_ASSIGN(std::string password, read_new_password(io, flags.password_file));
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("email", flags.admin.empty() ? flags.email : flags.admin);
  json.member("password", password);
  write_user_grants(json, grants);
  json.end_object();
  const auto made = remote.call("POST", kUsersPath, body);
  wipe(password);
  wipe(body);
  DENDRO_TRY(made);
  std::fprintf(io.out, "created %s\n", text_of(*made, "email").c_str());
  return {};
}

/// What a PATCH of the account says.
Result<std::string> change_body(const UserFlags& flags, CommandIo& io) {
  const std::string& action = flags.words.action;
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (action == "grant") write_user_grants(json, grants_of(flags));
  if (action == "disable" || action == "enable") json.member("disabled", action == "disable");
  if (action == "unlock") json.member("unlock", true);
  if (action == "reset-password") {
    DENDRO_TRY_ASSIGN(std::string password, read_new_password(io, flags.password_file));
    json.member("password", password);
    wipe(password);
  }
  json.end_object();
  return body;
}

Status change_account_there(IdentityRemote& remote, const UserFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const std::vector<JsonValue> users, remote.items(kUsersPath));
  const std::string email = fold_email(flags.words.name);
  const auto user = std::ranges::find_if(users, [&](const JsonValue& one) { return text_of(one, "email") == email; });
  if (user == users.end()) return Error(ErrorCode::not_found, "there is no user \"" + flags.words.name + "\"");
  const std::string path = kUsersPath + ("/" + percent_encoded(text_of(*user, "id")));
  if (flags.words.action == "delete") {
    DENDRO_TRY(remote.call("DELETE", path));
    return {};
  }
  DENDRO_TRY_ASSIGN(std::string body, change_body(flags, io));
  const auto changed = remote.call("PATCH", path, body);
  wipe(body);
  DENDRO_TRY(changed);
  return {};
}

Status do_user_action_there(const UserFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(IdentityRemote remote, IdentityRemote::open(flags.place, io));
  if (flags.words.action == "create") return create_user_there(remote, flags, io);
  if (flags.words.action == "list") {
    DENDRO_TRY_ASSIGN(const auto users, remote.items(kUsersPath + tenant_query(flags.tenants)));
    print_users(io, flags.format, json_array(users));
    return {};
  }
  DENDRO_TRY(change_account_there(remote, flags, io));
  std::fprintf(io.out, "done\n");
  return {};
}

Status do_user_action(const UserFlags& flags, CommandIo& io) {
  if (IdentityRemote::is_wanted(flags.place)) return do_user_action_there(flags, io);
  const bool creates = flags.words.action == "create";
  DENDRO_TRY_ASSIGN(const auto folder,
                    IdentityFolder::open(flags.place, creates ? IdentityFolder::WhenMissing::make
                                                              : IdentityFolder::WhenMissing::refuse));
  Users& users = folder->parts().users();
  if (creates) return create_user(users, flags, io);
  if (flags.words.action == "list") return list_users(users, flags, io);
  DENDRO_TRY(change_account(users, flags, io));
  std::fprintf(io.out, "done\n");
  return {};
}

int run_user(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<UserFlags>();
  const auto app = make_user_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::string fault = action_fault(*app, flags->words, kUserActions, kUserShared);
  if (!fault.empty()) return report_failure(io, "admin user", fault, 2);
  const Status done = do_user_action(*flags, io);
  return done ? 0 : report_failure(io, "admin user", done.error().message(), exit_code_of(done.error().code()));
}

}  // namespace

Command admin_user_command() {
  return {"user", kUserSummary, &run_user, &make_user_app};
}

}  // namespace dendro
