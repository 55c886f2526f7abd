#include <CLI/CLI.hpp>

#include "apps/action_table.h"
#include "apps/admin_command.h"
#include "apps/cli.h"
#include "apps/identity_folder.h"
#include "apps/identity_remote.h"
#include "apps/url_text.h"
#include "base/json_writer.h"
#include "identity/role_document.h"

namespace dendro {
namespace {

constexpr std::string_view kRoleSummary = "roles: list, put, remove";
constexpr std::string_view kRoleShared = "data config env-file no-compat-env output server api-key";
constexpr ActionRow kRoleActions[] = {
    {"list", "all, built-in ones first", "", ""},
    {"put", "make a role, or replace the one of its name", "ROLE", "permission filter hide mask"},
    {"remove", "who has it keeps its name without a right", "ROLE", ""},
};

struct RoleFlags {
  IdentityPlace place;
  ActionWords words;
  std::vector<std::string> permissions, hidden, masked;
  std::string filter, format = "table";
};

std::string permission_names() {
  std::string names;
  for (const Permission one : PermissionSet::all().list()) {
    if (one != Permission::open) names += (names.empty() ? "" : " ") + std::string(permission_name(one));
  }
  return names;
}

std::shared_ptr<CLI::App> make_role_app_with(const std::shared_ptr<RoleFlags>& flags) {
  auto app = make_cli_app(
      "admin role", kRoleSummary,
      "  dendro admin role put payments-support --permission search --permission stats \\\n"
      "    --filter '{service=\"payments\"}' --hide card_number --mask email\n"
      "  dendro admin role list\n"
      "  dendro admin role remove payments-support\n"
      "Permissions: " +
          permission_names() +
          ".\nRoles hold in every tenant in which somebody has them. A record is seen if the filter takes it; hidden\n"
          "fields never leave the server, masked ones leave as ***. All work while a server uses the folder.\n"
          "Exit codes: 0 done; 1 failed, no such role, one that is built in; 2 usage or configuration.\n");
  add_action_options(*app, flags->words, kRoleActions);
  app->add_option("--permission", flags->permissions, "what it allows, repeatable")->type_name("PERMISSION");
  app->add_option("--filter", flags->filter, "filter of the query language; default every record")->type_name("FILTER");
  app->add_option("--hide", flags->hidden, "field that is not seen, repeatable")->type_name("FIELD");
  app->add_option("--mask", flags->masked, "field that is seen as ***, repeatable")->type_name("FIELD");
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  add_identity_place_options(*app, flags->place);
  return app;
}

std::shared_ptr<CLI::App> make_role_app() {
  const auto flags = std::make_shared<RoleFlags>();
  return keep_with(make_role_app_with(flags), flags);
}

void print_roles(CommandIo& io, const std::string& format, const std::string& json) {
  constexpr std::string_view kColumns[] = {"name",          "permissions",   "row_filter",
                                           "hidden_fields", "masked_fields", "read_only"};
  print_items(io, format, json, kColumns, "there is no role");
}

Status list_roles(Roles& roles, const RoleFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const std::vector<Role> all, roles.list());
  std::string json = "[";
  for (const Role& role : all) {
    if (json.size() > 1) json.push_back(',');
    append_role(json, role);
  }
  print_roles(io, flags.format, json + "]");
  return {};
}

Result<Role> role_to_put(const RoleFlags& flags) {
  Role role{flags.words.name, {}, flags.filter, flags.hidden, flags.masked};
  for (const std::string& name : flags.permissions) {
    const auto permission = parse_permission(name);
    if (!permission) {
      return Error(ErrorCode::invalid_argument, "--permission: '" + name + "' is none of " + permission_names());
    }
    role.permissions.add(*permission);
  }
  return role;
}

Status put_role(Roles& roles, const RoleFlags& flags) {
  DENDRO_TRY_ASSIGN(const Role role, role_to_put(flags));
  return roles.put(role);
}

constexpr const char* kRolesPath = "/api/v1/roles";

std::string role_body(const Role& role) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("name", role.name);
  json.key("permissions");
  json.begin_array();
  for (const Permission one : role.permissions.list()) json.value(permission_name(one));
  json.end_array();
  json.member("row_filter", role.row_filter);
  json.member("hidden_fields", role.hidden_fields);
  json.member("masked_fields", role.masked_fields);
  json.end_object();
  return body;
}

Status do_role_action_there(const RoleFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(IdentityRemote remote, IdentityRemote::open(flags.place, io));
  if (flags.words.action == "list") {
    DENDRO_TRY_ASSIGN(const auto roles, remote.items(kRolesPath));
    print_roles(io, flags.format, json_array(roles));
    return {};
  }
  if (flags.words.action == "put") {
    DENDRO_TRY_ASSIGN(const Role role, role_to_put(flags));
    DENDRO_TRY(remote.call("PUT", kRolesPath, role_body(role)));
  } else {
    DENDRO_TRY(remote.call("DELETE", std::string(kRolesPath) + "/" + percent_encoded(flags.words.name)));
  }
  std::fprintf(io.out, "done\n");
  return {};
}

Status do_role_action(const RoleFlags& flags, CommandIo& io) {
  if (IdentityRemote::is_wanted(flags.place)) return do_role_action_there(flags, io);
  const bool puts = flags.words.action == "put";
  DENDRO_TRY_ASSIGN(const auto folder, IdentityFolder::open(flags.place, puts ? IdentityFolder::WhenMissing::make
                                                                              : IdentityFolder::WhenMissing::refuse));
  Roles& roles = folder->parts().roles();
  if (flags.words.action == "list") return list_roles(roles, flags, io);
  DENDRO_TRY(puts ? put_role(roles, flags) : roles.remove(flags.words.name));
  std::fprintf(io.out, "done\n");
  return {};
}

int run_role(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<RoleFlags>();
  const auto app = make_role_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::string fault = action_fault(*app, flags->words, kRoleActions, kRoleShared);
  if (!fault.empty()) return report_failure(io, "admin role", fault, 2);
  const Status done = do_role_action(*flags, io);
  return done ? 0 : report_failure(io, "admin role", done.error().message(), exit_code_of(done.error().code()));
}

}  // namespace

Command admin_role_command() {
  return {"role", kRoleSummary, &run_role, &make_role_app};
}

}  // namespace dendro
