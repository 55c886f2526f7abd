#include "apps/serve_app.h"

#include <sys/vfs.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <thread>

#include "adapters/aws/sns_topic.h"
#include "adapters/http/curl_http_client.h"
#include "apps/aws_access.h"
#include "apps/build_info.h"
#include "apps/identity_folder.h"
#include "apps/memory_shares.h"
#include "apps/serve_access.h"
#include "apps/serve_alerts.h"
#include "apps/serve_audit.h"
#include "apps/serve_chain.h"
#include "apps/serve_metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/worker_pool.h"
#include "io/file_system.h"
#include "meta/meta_database.h"
#include "meta/meta_schema.h"
#include "meta/privacy_key_table.h"
#include "meta/saved_queries.h"
#include "meta/short_links.h"
#include "query/plan/lookup_tables.h"
#include "query/spill/spill_file.h"
#include "server/http_server.h"
#include "server/metric_text.h"
#include "server/query_admission.h"
#include "server/routes/admin_routes.h"
#include "server/routes/alert_routes.h"
#include "server/routes/analyze_routes.h"
#include "server/routes/chain_routes.h"
#include "server/routes/entries_routes.h"
#include "server/routes/ingest_routes.h"
#include "server/routes/key_routes.h"
#include "server/routes/privacy_routes.h"
#include "server/routes/query_help_routes.h"
#include "server/routes/query_routes.h"
#include "server/routes/queue_routes.h"
#include "server/routes/role_routes.h"
#include "server/routes/running_query_routes.h"
#include "server/routes/saved_routes.h"
#include "server/routes/session_routes.h"
#include "server/routes/tail_routes.h"
#include "server/routes/tenant_routes.h"
#include "server/routes/token_routes.h"
#include "server/routes/user_routes.h"
#include "server/system_routes.h"
#include "server/tls/tls_watch.h"
#include "server/use_recording.h"
#include "services/admin/admin_service.h"
#include "services/entries/engine_entry_store.h"
#include "services/privacy/privacy_service.h"
#include "services/search/query_slots.h"
#include "services/search/query_turns.h"
#include "services/search/running_queries.h"
#include "services/search/saved_filter_names.h"
#include "services/tail/tail_hub.h"
#include "storage/store.h"

namespace dendro {
namespace {

/// What a container loses with itself is no place for records that were promised to be on disk (deploy.md 3.1).
void warn_of_fleeting_folder(const std::string& directory) {
  constexpr std::int64_t kTmpfs = 0x01021994;
  constexpr std::int64_t kOverlayfs = 0x794c7630;
  struct statfs info{};
  if (statfs(directory.c_str(), &info) != 0) return;
  if (info.f_type == kTmpfs || info.f_type == kOverlayfs) {
    log(LogLevel::warning, "apps",
        "the data folder lies on a file system that does not outlive the machine or container; mount a volume there",
        {{"directory", directory}, {"kind", info.f_type == kTmpfs ? "tmpfs" : "overlayfs"}});
  }
}

/// The environment with the dotenv file below it.
AwsVariable aws_variables(const Settings& settings) {
  return [values = settings.aws_environment](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

}  // namespace

/// In the order of construction: what is below uses what is above, so it goes first.
struct ServeApp::Parts {
  explicit Parts(const Settings& from) : settings(from) {}

  Settings settings;
  SystemClock clock;
  SystemRandom random;
  std::shared_ptr<FileSystem> files = make_posix_file_system();
  AwsAccess aws{aws_variables(settings), clock, random, *files};
  std::unique_ptr<AlertPublisher> publisher;  // null: no topic is set
  std::unique_ptr<Store> store;
  ServeChain chain;  // hears of what the store removes, and goes before it
  std::unique_ptr<MetaDatabase> meta;
  std::unique_ptr<HttpClient> http = make_curl_http_client();  // keys of issuers
  std::unique_ptr<IdentityParts> identity;
  std::optional<TenantRegister> tenant_rows;
  std::optional<TenantService> tenants;
  std::optional<TenantMeters> meters;
  std::optional<PrivacyKeyTable> privacy_rows;
  std::optional<PrivacyKeys> privacy_keys;
  std::optional<PrivacyService> privacy;
  std::optional<SavedQueries> saved;
  std::optional<ShortLinks> links;
  std::unique_ptr<EntryStore> entries;
  std::unique_ptr<WorkerPool> workers;
  std::optional<ServeAccess> access;
  std::optional<QuerySlots> slots;
  std::optional<QueryTurns> turns;
  QueryLimits query_limits;
  std::optional<RunningQueries> running;
  std::unique_ptr<TailHub> tails;
  std::shared_ptr<const LookupTables> lookup_tables;
  std::shared_ptr<const GeoDatabase> geo_database;
  std::unique_ptr<ServeAlerts> alerts;
  std::unique_ptr<ServeAudit> audit;
  std::shared_ptr<UseRecording> uses;
  std::optional<QueueAdmin> queues;
  std::unique_ptr<AdminService> admin;
  ServerMetrics metrics;
  std::unique_ptr<TlsWatch> tls;
  std::unique_ptr<HttpServer> server;

  Status open();
  Status open_identity(const std::vector<ListenerSpec>& listeners);
  Status open_tenants();
  Result<std::shared_ptr<const MaskRules>> mask_rules_of(const TenantId& tenant) const;
  Status check_who_may_come(const std::vector<ListenerSpec>& listeners) const;
  void open_audit();
  Status open_chain();
  Status open_spill_place();
  Status open_alerts();
  std::vector<TenantId> tenant_ids() const;
  void open_admin();
  RouteTable routes();
  SystemParts system_parts();
};

Status ServeApp::Parts::open() {
  DENDRO_TRY(divide_memory(settings));
  const std::size_t cores = std::max<std::size_t>(std::thread::hardware_concurrency(), 2);
  settings.store.scan_threads = cores - 1;
  DENDRO_TRY_ASSIGN(const std::vector<ListenerSpec> listeners, parse_listener_specs(settings.listeners, settings.tls));
  DENDRO_TRY_ASSIGN(tls, TlsWatch::open(listeners, clock));
  settings.store.removal_witness = chain.witness();
  DENDRO_TRY_ASSIGN(store, Store::open(settings.store, *files, clock, random));
  warn_of_fleeting_folder(settings.store.directory);
  DENDRO_TRY_ASSIGN(meta, MetaDatabase::open(meta_database_path(settings.store.directory), meta_schema()));
  DENDRO_TRY(open_identity(listeners));
  DENDRO_TRY(open_tenants());
  saved.emplace(*meta, clock, random);
  links.emplace(*meta, clock, random);
  running.emplace(clock, settings.slow_query_after);
  const SnapshotFunction snapshot_of = [this](const TenantId& tenant) { return store->snapshot(tenant); };
  entries = make_engine_entry_store(*store, snapshot_of);
  workers = std::make_unique<WorkerPool>(settings.worker_threads == 0 ? cores : settings.worker_threads,
                                         settings.worker_queue_tasks_max);
  slots.emplace([this](const TenantId& tenant) { return tenants->settings_of(tenant).quota.queries_at_once; });
  turns.emplace(QueryTurns::Options{.turns_max = workers->threads(),
                                    .waiting_max = std::max<std::size_t>(settings.worker_queue_tasks_max / 4, 1),
                                    .waiting_total_max = settings.worker_queue_tasks_max},
                clock);
  query_limits.shared_memory = std::make_shared<ByteBudget>(settings.query_memory_bytes);
  DENDRO_TRY(open_spill_place());
  if (!settings.lookup_directory.empty()) lookup_tables = make_folder_lookup_tables(*files, settings.lookup_directory);
  if (!settings.geoip_database.empty()) {
    DENDRO_TRY_ASSIGN(geo_database, open_maxmind_database(settings.geoip_database));
  }
  TailOptions tail_options;
  tail_options.tails_per_tenant_max = settings.tails_per_tenant_max;
  tail_options.memory_bytes_max = settings.tail_memory_bytes;
  TailParts tail_parts{store->listeners(), snapshot_of, *workers, clock, query_limits, lookup_tables, geo_database};
  tail_parts.saved_filters_of = [this](const TenantId& tenant) { return make_saved_filters(*saved, tenant); };
  tails = std::make_unique<TailHub>(std::move(tail_parts), tail_options);
  DENDRO_TRY(open_alerts());
  if (!settings.sns_topic_arn.empty()) {
    publisher = make_sns_publisher(aws.client(), aws.settings(), settings.sns_topic_arn);
  }
  open_audit();
  DENDRO_TRY(open_chain());
  open_admin();
  access.emplace(*identity, *tenants, *meters, *workers, clock);
  DENDRO_TRY(access->read_roles());
  AccessParts access_parts = access->parts();
  access_parts.hear_refusal = [this](const RefusedUse& refused) { uses->record_refusal(refused); };
  DENDRO_TRY_ASSIGN(server, HttpServer::start(settings.server, listeners, routes(),
                                              {clock, random, *workers, metrics, std::move(access_parts), tls.get()}));
  tls->start();
  identity->start();
  alerts->service().start();
  chain.start();
  return {};
}

Status ServeApp::Parts::open_identity(const std::vector<ListenerSpec>& listeners) {
  if (settings.insecure) settings.server.tokens_over_http = TokensOverHttp::warn;
  settings.identity.takes_certificates = std::ranges::any_of(
      listeners, [](const ListenerSpec& listener) { return listener.tls && !listener.tls->client_ca.empty(); });
  const IdentityParts::From from{*meta, *files, http.get(), clock, random, &check_row_filter};
  DENDRO_TRY_ASSIGN(identity, IdentityParts::open(settings.identity, from));
  return check_who_may_come(listeners);
}

/// From here on nothing is stored unmasked.
Status ServeApp::Parts::open_tenants() {
  privacy_rows.emplace(*meta);
  privacy_keys.emplace(*privacy_rows, settings.privacy_keys, clock, random);
  DENDRO_TRY(privacy_keys->open());
  DENDRO_TRY(privacy_rows->set_default_rules(settings.masking == nullptr ? std::string("[]")
                                                                         : mask_rules_json(*settings.masking)));
  privacy.emplace(*privacy_keys, [this](const TenantId& tenant) { return mask_rules_of(tenant); });
  meters.emplace(settings.tenant_labels_max);
  store->set_intake([this](CommitRequest& request) -> Status {
    DENDRO_TRY(privacy->rewrite(request));
    TenantMeters::Counts counts;
    for (const auto& batch : request.batches) counts += {batch->size(), batch->encoded().size(), 0, 0};
    meters->add(request.tenant, counts);
    return {};
  });
  tenant_rows.emplace(*meta);
  TenantStoreParts parts = make_tenant_store_parts(*store, settings.store.retention.standard);
  parts.forget = [this](const TenantId& tenant) {
    privacy->forget(tenant);
    meters->forget(tenant);
  };
  tenants.emplace(*tenant_rows, std::move(parts), clock, random);
  return tenants->open();
}

Result<std::shared_ptr<const MaskRules>> ServeApp::Parts::mask_rules_of(const TenantId& id) const {
  const auto tenant = tenants->find(id);
  if (tenant == nullptr) return settings.masking;
  if (tenant->settings.is_masking_unreadable) {
    return Error(ErrorCode::unavailable, "the masking rules of tenant " + id.text() +
                                             " cannot be read by this "
                                             "version: set them anew, or start the version that wrote them");
  }
  return tenant->settings.masking == nullptr ? settings.masking : tenant->settings.masking;
}

Status ServeApp::Parts::check_who_may_come(const std::vector<ListenerSpec>& listeners) const {
  const bool has_auth = identity->is_auth_configured();
  DENDRO_TRY(check_listeners(listeners, {has_auth, settings.insecure, settings.server.public_url}));
  if (settings.server.cors_origins.is_any() && !has_auth) {
    return Error(
        ErrorCode::invalid_argument,
        "server.cors_origins: \"*\" where nobody is asked who they are lets every page that a reader opens read "
        "the logs; name the origins");
  }
  if (settings.identity.certificates.empty() || settings.identity.takes_certificates) return {};
  return Error(ErrorCode::invalid_argument,
               "auth.certificates: no listener asks clients for a certificate; set server.tls.client_ca");
}

void ServeApp::Parts::open_audit() {
  ServeAudit::Parts parts{*store, *workers, clock, random, query_limits};
  parts.settings_of = [this](const TenantId& tenant) { return audit_settings_of(tenants->settings_of(tenant)); };
  parts.tenants = [this] { return tenant_ids(); };
  audit = std::make_unique<ServeAudit>(std::move(parts));
  UseRecording::Parts recording{audit->trail(), clock, settings.audit_trail};
  recording.asks_callers = [this] { return identity->is_auth_configured(); };
  recording.can_record = [this]() -> Status {
    const StoreHealth health = store->health();
    if (health.accepts_writes) return {};
    return Error(ErrorCode::unavailable, "the change could not be recorded in the audit trail: " + health.reason);
  };
  uses = std::make_shared<UseRecording>(std::move(recording));
}

std::vector<TenantId> ServeApp::Parts::tenant_ids() const {
  std::vector<TenantId> ids = {TenantId::default_tenant()};
  for (const auto& tenant : tenants->list()) {
    if (tenant->id != ids.front()) ids.push_back(tenant->id);
  }
  return ids;
}

Status ServeApp::Parts::open_chain() {
  return chain.open(settings.chain, {*store, *files, aws.objects(), clock, random, settings.store.directory,
                                     [this] { return tenant_ids(); }});
}

Status ServeApp::Parts::open_alerts() {
  AlertQueryParts query{clock, [this](const TenantId& tenant) { return store->snapshot(tenant); }, query_limits,
                        lookup_tables};
  query.saved_filters_of = [this](const TenantId& tenant) { return make_saved_filters(*saved, tenant); };
  query.running = &*running;
  query.geo_database = geo_database;
  DENDRO_TRY_ASSIGN(alerts,
                    ServeAlerts::open(settings, {*files, *meta, *workers, clock, random, aws, std::move(query)}));
  return {};
}

void ServeApp::Parts::open_admin() {
  AdminOptions options{settings.backup_directory, meta.get(), {}, {}};
  options.spools = {{std::string(kAlertQueue), &alerts->queue()}};
  if (chain.queue() != nullptr) options.spools.push_back({std::string(kAnchorQueue), chain.queue()});
  options.more_files = [this] { return chain_files_of(*files, settings.store.directory); };
  options.hold_messages = [this] { return alerts->service().hold_messages(); };
  admin = std::make_unique<AdminService>(*store, clock, random, std::move(options));
  std::vector<NamedQueue> named = {{std::string(kAlertQueue), &alerts->queue()}};
  if (chain.queue() != nullptr) {
    named.push_back({std::string(kAnchorQueue), chain.queue()});
  }
  queues.emplace(std::move(named));
}

/// The folder is this process's: the store's lock is held.
Status ServeApp::Parts::open_spill_place() {
  if (settings.spill_bytes_max == 0) return {};
  auto place = std::make_shared<SpillPlace>();
  place->files = files;
  place->directory = settings.spill_directory.empty() ? settings.store.directory + "/tmp" : settings.spill_directory;
  place->free_bytes_min = settings.store.free_bytes_min;
  place->free_share_min = settings.store.free_share_min;
  DENDRO_TRY(clear_spill_directory(*files, place->directory));
  query_limits.spill = std::move(place);
  query_limits.spill_bytes_max = settings.spill_bytes_max;
  return {};
}

RouteTable ServeApp::Parts::routes() {
  RouteTable table;
  const auto add = [&table](std::vector<Route> rows) {
    std::move(rows.begin(), rows.end(), std::back_inserter(table));
  };
  add(make_ingest_routes(*workers, *store));
  const auto snapshot_of = [this](const TenantId& tenant) { return store->snapshot(tenant); };
  QueryRouteParts query_parts{*workers, clock, snapshot_of, query_limits, lookup_tables};
  query_parts.saved_filters_of = [this](const TenantId& tenant) { return make_saved_filters(*saved, tenant); };
  query_parts.running = &*running;
  if (EvidenceService* service = chain.service(); service != nullptr) {
    query_parts.prover_of = [service](const TenantId& tenant) { return service->prover(tenant); };
  }
  query_parts.timeout_max_of = [this](const TenantId& tenant) {
    return std::chrono::milliseconds(tenants->settings_of(tenant).quota.query_timeout_ms);
  };
  query_parts.geo_database = geo_database;
  add(query_routes(query_parts));
  add(query_help_routes(query_parts, [this](const TenantId& tenant) -> SavedNames {
    return [this, tenant](std::string_view prefix) { return saved_filter_names(*saved, tenant, prefix); };
  }));
  add(make_saved_routes(*workers, *saved, *links));
  add(make_running_query_routes(*running));
  add(make_alert_routes(*workers, alerts->service()));
  add(tail_routes(*workers, *tails, uses));
  add(make_entries_routes(*workers, *entries, random));
  add(audit->routes(settings.audit_api_prefix));
  add(make_chain_routes({query_parts, admin->jobs(), chain.service()}));
  add(make_tenant_routes(*workers, *tenants, [this](const MaskRules& rules) { return privacy->check(rules); }));
  add(make_privacy_routes(query_parts, *privacy, *tenants, audit->trail()));
  add(make_key_routes(*workers, identity->keys(), identity->roles()));
  add(make_user_routes(*workers, identity->users(), identity->roles()));
  add(make_token_routes(*workers, identity->tokens(), identity->roles()));
  add(make_role_routes(*workers, identity->roles()));
  add(make_session_routes({*workers, *identity, *tenants, settings.server, std::string(version_text())}));
  add(make_admin_routes(*workers, *admin));
  add(make_queue_routes(*workers, *queues, clock));
  add(make_analyze_routes(*workers, aws.objects(), settings.analyze_allowed_buckets, publisher.get()));
  add_system_routes(table, system_parts());
  const auto note = [this](const TenantId& tenant, bool is_admitted) {
    meters->add(tenant, is_admitted ? TenantMeters::Counts{.queries = 1} : TenantMeters::Counts{.refusals = 1});
  };
  admit_queries(table, {*slots, *turns, note});
  record_uses(table, uses);
  return table;
}

SystemParts ServeApp::Parts::system_parts() {
  SystemParts parts;
  parts.version = version_text();
  parts.commit = commit_text();
  parts.api_prefix = settings.audit_api_prefix;
  parts.project_name = settings.audit_project_name;
  parts.metrics = &metrics;
  parts.readiness = [this] {
    const StoreHealth health = store->health();
    std::vector<Readiness> backends = {{"store", health.accepts_writes, health.reason}};
    if (!tls->empty()) backends.push_back({"tls", true, tls->trouble()});
    return backends;
  };
  parts.more_metrics = [this](std::string& out) {
    append_store_metrics(out, *store);
    append_query_metrics(out, *running);
    alerts->append_metrics(out);
    audit->append_metrics(out);
    chain.append_metrics(out);
    append_privacy_metrics(out, *privacy);
    append_tenant_metrics(out, *meters);
    tls->append_metrics(out);
    append_metric(out, "dendro_audit_refusals_left_out_total", "counter",
                  "refused callers that the trail of uses only counts", uses->refusals_left_out());
    append_metric(out, "dendro_tails_open", "gauge", "live tails", tails->open_tails());
    append_metric(out, "dendro_tails_bytes", "gauge", "memory of batches and tables that live tails hold",
                  tails->memory_bytes());
  };
  return parts;
}

Result<std::unique_ptr<ServeApp>> ServeApp::start(const Settings& settings) {
  auto parts = std::make_unique<Parts>(settings);
  DENDRO_TRY(parts->open());
  return std::unique_ptr<ServeApp>(new ServeApp(std::move(parts)));
}

ServeApp::ServeApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ServeApp::~ServeApp() {
  stop();
}

std::vector<std::string> ServeApp::listening_lines() const {
  std::vector<std::string> lines;
  for (const ListenerSpec& bound : parts_->server->bound()) lines.push_back(listening_text(bound));
  return lines;
}

void ServeApp::stop() {
  if (parts_->admin != nullptr) parts_->admin->jobs().stop();  // first: callers may wait for them
  if (parts_->alerts != nullptr) parts_->alerts->service().stop();
  if (parts_->tails != nullptr) parts_->tails->shut_down();  // its readers are told before their connections go
  if (parts_->server != nullptr) parts_->server->stop(parts_->settings.drain_timeout);
  if (parts_->tls != nullptr) parts_->tls->stop();
  if (parts_->audit != nullptr) parts_->audit->stop();
  parts_->chain.stop();     // behind the last reply, so that the last uses are covered soon
  parts_->tails.reset();    // its thread uses the workers
  parts_->workers.reset();  // what they still do uses the store
  if (parts_->identity != nullptr) parts_->identity->stop();
  if (parts_->tenants) {
    if (const Status saved = parts_->tenants->save_usage(); !saved) {
      log(LogLevel::warning, "apps", "what tenants sent could not be written", {{"reason", saved.error().message()}});
    }
  }
  parts_->admin.reset();
  parts_->alerts.reset();
  parts_->store.reset();
}

}  // namespace dendro
