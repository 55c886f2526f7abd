#include <CLI/CLI.hpp>
#include <optional>

#include "apps/action_table.h"
#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/identity_remote.h"
#include "apps/serve_access.h"
#include "apps/url_text.h"
#include "base/json_writer.h"
#include "meta/meta_schema.h"
#include "services/tenants/tenant_service.h"

namespace dendro {
namespace {

constexpr std::string_view kTenantSummary = "tenants: list, create, show, set, suspend, resume, delete";
constexpr std::string_view kTenantShared = "data config env-file no-compat-env output server api-key";
constexpr std::string_view kTenantSettings =
    "name retention-days log-level requests-per-second ingest-bytes-per-day queries-at-once query-timeout";
constexpr ActionRow kTenantActions[] = {
    {"list", "those that somebody created, by id", "", ""},
    {"create", "a tenant with settings; one that a credential names is there without", "TENANT", kTenantSettings},
    {"show", "one, with its settings", "TENANT", ""},
    {"set", "change the settings that are named; the others stay", "TENANT", kTenantSettings},
    {"suspend", "refuse all its requests", "TENANT", ""},
    {"resume", "take them again", "TENANT", ""},
    {"delete", "the tenant and everything that it stored, for good", "TENANT", "yes"},
};

struct TenantFlags {
  IdentityPlace place;
  ActionWords words;
  std::string name, query_timeout, format = "table";
  std::optional<std::uint64_t> retention_days, requests_per_s, ingest_bytes_per_day, queries_at_once;
  std::vector<std::string> log_levels;
  bool yes = false;
};

std::shared_ptr<CLI::App> make_tenant_app_with(const std::shared_ptr<TenantFlags>& flags) {
  auto app = make_cli_app(
      "admin tenant", kTenantSummary,
      "  dendro admin tenant create shop --name 'The shop' --retention-days 30 --server http://127.0.0.1:8080\n"
      "  dendro admin tenant set shop --requests-per-second 200 --ingest-bytes-per-day 50000000000\n"
      "  dendro admin tenant list -o json\n"
      "  dendro admin tenant suspend shop --server https://logs.example.org\n"
      "  dendro admin tenant delete shop --data /var/lib/dendro --yes\n"
      "With --server (or DENDRO_SERVER) a running server is asked, with DENDRO_API_KEY; without, the data folder is\n"
      "used, which no server may use meanwhile. A quota of 0 is no bound. delete asks first; there is no way back.\n"
      "Exit codes: 0 done; 1 failed, no such tenant, not agreed to; 2 usage or configuration.\n");
  add_action_options(*app, flags->words, kTenantActions);
  app->add_option("--name", flags->name, "for people; default the tenant's id")->type_name("TEXT");
  app->add_option("--retention-days", flags->retention_days, "days that its records are kept, 1 to 36500; default 90")
      ->type_name("N");
  app->add_option("--log-level", flags->log_levels,
                  "severity that its audit log takes (INFO, WARNING, ERROR, CRITICAL), repeatable; default all")
      ->type_name("LEVEL");
  app->add_option("--requests-per-second", flags->requests_per_s, "over all its credentials; default 0")
      ->type_name("N");
  app->add_option("--ingest-bytes-per-day", flags->ingest_bytes_per_day,
                  "of decompressed bodies, by UTC day; default 0")
      ->type_name("N");
  app->add_option("--queries-at-once", flags->queries_at_once, "that run; default 0")->type_name("N");
  app->add_option("--query-timeout", flags->query_timeout, "longest time of a query, such as 30s; default 0s")
      ->type_name("TIME");
  app->add_flag("-y,--yes", flags->yes, "delete without asking");
  app->add_option("-o,--output", flags->format, "table or json; default table")
      ->check(CLI::IsMember({"table", "json"}));
  add_identity_place_options(*app, flags->place);
  return app;
}

std::shared_ptr<CLI::App> make_tenant_app() {
  const auto flags = std::make_shared<TenantFlags>();
  return keep_with(make_tenant_app_with(flags), flags);
}

/// The named settings as a document: what the service and the route read.
Result<std::string> settings_json(const TenantFlags& flags) {
  std::optional<std::uint64_t> timeout_ms;
  if (!flags.query_timeout.empty()) {
    DENDRO_TRY_ASSIGN(const std::chrono::milliseconds span, parse_time_span(flags.query_timeout));
    timeout_ms = static_cast<std::uint64_t>(span.count());
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  if (flags.retention_days) json.member("retention_days", *flags.retention_days);
  if (!flags.log_levels.empty()) json.member("log_levels", flags.log_levels);
  if (flags.requests_per_s || flags.ingest_bytes_per_day || flags.queries_at_once || timeout_ms) {
    json.key("quota");
    json.begin_object();
    if (flags.requests_per_s) json.member("requests_per_s", *flags.requests_per_s);
    if (flags.ingest_bytes_per_day) json.member("ingest_bytes_per_day", *flags.ingest_bytes_per_day);
    if (flags.queries_at_once) json.member("queries_at_once", *flags.queries_at_once);
    if (timeout_ms) json.member("query_timeout_ms", *timeout_ms);
    json.end_object();
  }
  json.end_object();
  return text;
}

/// Where the tenants are: their documents are those of `/api/v1/tenants`.
class TenantPlace {
 public:
  virtual ~TenantPlace() = default;
  virtual Result<std::vector<JsonValue>> list() = 0;
  virtual Result<JsonValue> show(const std::string& id) = 0;
  /// @param name      empty: the id, or as it is.
  /// @param settings  a document; what it does not name stays.
  virtual Result<JsonValue> create(const std::string& id, const std::string& name, const std::string& settings) = 0;
  virtual Result<JsonValue> set(const std::string& id, const std::string& name, const std::string& settings) = 0;
  virtual Result<JsonValue> set_suspended(const std::string& id, bool is_suspended) = 0;
  virtual Status remove(const std::string& id) = 0;
};

class ServerTenants final : public TenantPlace {
 public:
  explicit ServerTenants(IdentityRemote remote) : remote_(std::move(remote)) {}

  Result<std::vector<JsonValue>> list() override {
    constexpr std::size_t kPage = 1'000;
    std::vector<JsonValue> all;
    for (;;) {
      DENDRO_TRY_ASSIGN(const JsonValue page,
                        remote_.call("GET", std::string(kPath) + "?limit=" + std::to_string(kPage) +
                                                "&skip=" + std::to_string(all.size())));
      const JsonValue* const data = page.find("data");
      if (data == nullptr) return Error(ErrorCode::unavailable, "the answer has no list of tenants");
      all.insert(all.end(), data->elements().begin(), data->elements().end());
      if (data->elements().size() < kPage) return all;
    }
  }
  Result<JsonValue> show(const std::string& id) override { return remote_.call("GET", path_of(id)); }
  Result<JsonValue> create(const std::string& id, const std::string& name, const std::string& settings) override {
    return remote_.call("POST", std::string(kPath), body_of(id, name.empty() ? id : name, settings));
  }
  Result<JsonValue> set(const std::string& id, const std::string& name, const std::string& settings) override {
    return remote_.call("PUT", path_of(id), body_of({}, name, settings));
  }
  Result<JsonValue> set_suspended(const std::string& id, bool is_suspended) override {
    return remote_.call("POST", path_of(id) + (is_suspended ? "/suspend" : "/resume"));
  }
  Status remove(const std::string& id) override {
    DENDRO_TRY(remote_.call("DELETE", path_of(id)));
    return {};
  }

 private:
  static constexpr std::string_view kPath = "/api/v1/tenants";
  static std::string path_of(const std::string& id) { return std::string(kPath) + "/" + percent_encoded(id); }
  static std::string body_of(const std::string& id, const std::string& name, const std::string& settings) {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    if (!id.empty()) json.member("tenant_id", id);
    if (!name.empty()) json.member("name", name);
    json.key("settings");
    json.raw(settings);
    json.end_object();
    return body;
  }
  IdentityRemote remote_;
};

/// Holds the folder's lock: a server keeps tenants in memory, and would not see what is changed beside it.
class FolderTenants final : public TenantPlace {
 public:
  Status open(const IdentityPlace& place) {
    std::map<std::string, std::vector<std::string>> flags;
    if (!place.data.empty()) flags["--data"] = {place.data};
    DENDRO_TRY_ASSIGN(LoadedSettings loaded, load_settings_from(place.files, flags));
    const std::string directory = loaded.settings.store.directory;
    if (!files_->exists(directory + "/CURRENT")) {
      return Error(ErrorCode::invalid_argument, "'" + directory + "' is not a data folder of dendro");
    }
    const RetentionRule standard = loaded.settings.store.retention.standard;
    loaded.settings.store.compacts_by_itself = false;
    DENDRO_TRY_ASSIGN(store_, Store::open(loaded.settings.store, *files_, clock_, random_));
    DENDRO_TRY_ASSIGN(database_, MetaDatabase::open(meta_database_path(directory), meta_schema()));
    rows_.emplace(*database_);
    service_.emplace(*rows_, make_tenant_store_parts(*store_, standard), clock_, random_);
    return service_->open();
  }

  Result<std::vector<JsonValue>> list() override {
    std::vector<JsonValue> all;
    for (const auto& tenant : service_->list()) {
      DENDRO_TRY_ASSIGN(JsonValue document, document_of(*tenant));
      all.push_back(std::move(document));
    }
    return all;
  }
  Result<JsonValue> show(const std::string& id) override {
    DENDRO_TRY_ASSIGN(const auto tenant, find(id));
    return document_of(*tenant);
  }
  Result<JsonValue> create(const std::string& id, const std::string& name, const std::string& settings) override {
    if (!is_tenant_name(id)) {
      return Error(ErrorCode::invalid_argument,
                   "TENANT: 1 to 63 letters, digits, dots, hyphens and underscores, a "
                   "letter or digit first");
    }
    DENDRO_TRY_ASSIGN(const TenantSettings wanted, settings_over({}, settings));
    DENDRO_TRY_ASSIGN(const auto made, service_->create({id, name.empty() ? id : name, wanted, {}}));
    return document_of(*made);
  }
  Result<JsonValue> set(const std::string& id, const std::string& name, const std::string& settings) override {
    DENDRO_TRY_ASSIGN(const auto tenant, find(id));
    DENDRO_TRY_ASSIGN(const TenantSettings wanted, settings_over(tenant->settings, settings));
    DENDRO_TRY_ASSIGN(const auto changed, service_->replace(tenant->id, name.empty() ? tenant->name : name, wanted));
    return document_of(*changed);
  }
  Result<JsonValue> set_suspended(const std::string& id, bool is_suspended) override {
    DENDRO_TRY_ASSIGN(const auto tenant, find(id));
    DENDRO_TRY_ASSIGN(const auto changed, service_->set_suspended(tenant->id, is_suspended));
    return document_of(*changed);
  }
  Status remove(const std::string& id) override {
    DENDRO_TRY_ASSIGN(const auto tenant, find(id));
    return service_->remove(tenant->id);
  }

 private:
  Result<std::shared_ptr<const Tenant>> find(const std::string& id) const {
    auto tenant = service_->find(std::string_view(id));
    if (tenant == nullptr) return Error(ErrorCode::not_found, "Tenant not found");
    return tenant;
  }
  static Result<TenantSettings> settings_over(TenantSettings settings, const std::string& named) {
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(named));
    FieldFaults faults;
    read_tenant_settings(document, settings, faults);
    if (faults.empty()) return settings;
    return Error(ErrorCode::invalid_argument, faults.front().field + ": " + faults.front().message);
  }
  static Result<JsonValue> document_of(const Tenant& tenant) {
    std::string text;
    JsonWriter json(text);
    write_tenant(json, tenant);
    return parse_json_document(text);
  }

  const std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<MetaDatabase> database_;
  std::optional<TenantRegister> rows_;
  std::optional<TenantService> service_;
};

/// The tenant with its settings beside its name, for a table.
void append_tenant_row(std::string& out, const JsonValue& tenant) {
  JsonWriter json(out);
  json.begin_object();
  const auto add_members = [&json](const JsonValue* object) {
    if (object == nullptr) return;
    for (const auto& [name, value] : object->members()) {
      if (value.is_object()) continue;
      std::string text;
      append_json(text, value);
      json.key(name);
      json.raw(text);
    }
  };
  const JsonValue* const settings = tenant.find("settings");
  add_members(&tenant);
  add_members(settings);
  if (settings != nullptr) add_members(settings->find("quota"));
  json.end_object();
}

void print_tenants(CommandIo& io, const std::string& format, const std::vector<JsonValue>& tenants) {
  constexpr std::string_view kColumns[] = {"tenant_id",  "name",           "retention_days",
                                           "log_levels", "requests_per_s", "ingest_bytes_per_day",
                                           "suspended",  "created_at"};
  std::string rows = "[";
  for (const JsonValue& tenant : tenants) {
    rows.append(rows.size() > 1 ? "," : "");
    append_tenant_row(rows, tenant);
  }
  print_items(io, format, format == "json" ? json_array(tenants) : rows + "]", kColumns, "nobody created a tenant");
}

Status delete_tenant(TenantPlace& place, const TenantFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const JsonValue tenant, place.show(flags.words.name));
  const std::string id = text_of(tenant, "tenant_id");
  if (!flags.yes && !can_ask(io)) {
    return Error(ErrorCode::cancelled, "nothing was deleted; --yes deletes without being asked");
  }
  if (!flags.yes && !is_agreed(io, "delete the tenant " + id + " and all that it stored, for good?")) {
    return Error(ErrorCode::cancelled, "nothing was deleted");
  }
  DENDRO_TRY(place.remove(id));
  std::fprintf(io.out, "deleted\n");
  return {};
}

Result<JsonValue> change_tenant(TenantPlace& place, const TenantFlags& flags) {
  const std::string& action = flags.words.action;
  const std::string& id = flags.words.name;
  if (action == "show") return place.show(id);
  if (action == "suspend" || action == "resume") return place.set_suspended(id, action == "suspend");
  DENDRO_TRY_ASSIGN(const std::string settings, settings_json(flags));
  return action == "create" ? place.create(id, flags.name, settings) : place.set(id, flags.name, settings);
}

Result<std::unique_ptr<TenantPlace>> open_tenant_place(const IdentityPlace& place, CommandIo& io) {
  if (IdentityRemote::is_wanted(place)) {
    DENDRO_TRY_ASSIGN(IdentityRemote remote, IdentityRemote::open(place, io));
    return std::unique_ptr<TenantPlace>(std::make_unique<ServerTenants>(std::move(remote)));
  }
  auto folder = std::make_unique<FolderTenants>();
  DENDRO_TRY(folder->open(place));
  return std::unique_ptr<TenantPlace>(std::move(folder));
}

Status do_tenant_action(const TenantFlags& flags, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const auto place, open_tenant_place(flags.place, io));
  if (flags.words.action == "delete") return delete_tenant(*place, flags, io);
  if (flags.words.action == "list") {
    DENDRO_TRY_ASSIGN(const auto tenants, place->list());
    print_tenants(io, flags.format, tenants);
    return {};
  }
  DENDRO_TRY_ASSIGN(const JsonValue tenant, change_tenant(*place, flags));
  if (flags.format != "json") {
    print_tenants(io, flags.format, {tenant});
    return {};
  }
  std::string json;
  append_json(json, tenant);
  std::fprintf(io.out, "%s\n", json.c_str());
  return {};
}

int run_tenant(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<TenantFlags>();
  const auto app = make_tenant_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::string fault = action_fault(*app, flags->words, kTenantActions, kTenantShared);
  if (!fault.empty()) return report_failure(io, "admin tenant", fault, 2);
  const Status done = do_tenant_action(*flags, io);
  if (done) return 0;
  const Error& error = done.error();
  // A folder that a server holds: what to do about it.
  const bool is_locked = error.code() == ErrorCode::unavailable && !IdentityRemote::is_wanted(flags->place);
  if (is_locked) return report_admin_error(io, "admin tenant", error);
  return report_failure(io, "admin tenant", error.message(), exit_code_of(error.code()));
}

}  // namespace

Command admin_tenant_command() {
  return {"tenant", kTenantSummary, &run_tenant, &make_tenant_app};
}

}  // namespace dendro
