#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/admin_remote.h"
#include "apps/cli.h"
#include "apps/serve_chain.h"
#include "apps/text_table.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "services/admin/deletion_log.h"

namespace dendro {
namespace {

constexpr std::string_view kDeleteSummary = "delete the records that match a filter";
constexpr std::string_view kDeletePath = "/api/v1/admin/delete";

struct DeleteFlags {
  AdminPlace place;
  std::string query, start, end;
  bool only_count = false;
  bool yes = false;
};

std::shared_ptr<CLI::App> make_delete_app_with(const std::shared_ptr<DeleteFlags>& flags) {
  auto app = make_cli_app(
      "admin delete", kDeleteSummary,
      "  dendro admin delete --server http://127.0.0.1:8080 --dry-run '{service=\"shop\"} card_number:*'\n"
      "  dendro admin delete --data dendro-data --end 2026-01-01 --yes 'severity:debug'\n"
      "Says how many records match, asks, and deletes them for every query from then on; files follow little by\n"
      "little, or at once with `dendro admin compact`. Records that come later stay. There is no way back.\n"
      "Exit codes: 0 deleted, or only counted; 1 failed or not agreed to; 2 usage, filter, no such folder.\n");
  app->add_option("QUERY", flags->query, "a filter of the query language, without pipes; * is every record")
      ->required();
  add_place_options(*app, flags->place);
  app->add_option("--start", flags->start, "first instant: 2026-01-31T10:00:00Z, now-1h, epoch")->type_name("TIME");
  app->add_option("--end", flags->end, "instant to stop before")->type_name("TIME");
  app->add_flag("-n,--dry-run", flags->only_count, "only say how many records match");
  app->add_flag("-y,--yes", flags->yes, "do not ask");
  return app;
}

std::shared_ptr<CLI::App> make_delete_app() {
  const auto flags = std::make_shared<DeleteFlags>();
  return keep_with(make_delete_app_with(flags), flags);
}

/// The tenant's records, wherever they are.
class DeletionTarget {
 public:
  virtual ~DeletionTarget() = default;
  virtual Result<DeletionCount> count() = 0;
  /// What is told about it then.
  virtual Result<std::string> carry_out() = 0;
};

class FolderDeletion final : public DeletionTarget {
 public:
  explicit FolderDeletion(PreparedDeletion deletion) : deletion_(std::move(deletion)) {}
  Status open(const std::string& directory) {
    if (!files_->exists(directory + "/CURRENT")) {
      return Error(ErrorCode::not_found, "'" + directory + "' is not a data folder of dendro");
    }
    StoreOptions options;
    options.directory = directory;
    options.removal_witness = chain_.witness();
    DENDRO_TRY_ASSIGN(store_, Store::open(std::move(options), *files_, clock_, random_));
    return open_chain(directory);
  }
  Result<DeletionCount> count() override {
    return DeletionLog(*store_, clock_).count(TenantId::default_tenant(), deletion_, CancelToken());
  }
  Result<std::string> carry_out() override {
    DENDRO_TRY(store_->delete_records(TenantId::default_tenant(), deletion_.range, deletion_.predicate));
    return std::string("deleted; `dendro admin compact` takes them out of the files now, a server does later");
  }

 private:
  /// Where records are under a chain, it is told what goes: a removal that nobody declared looks like tampering.
  Status open_chain(const std::string& directory) {
    ChainSettings settings;
    settings.keeps_scope = true;
    const std::string folder = chain_folder_of(chain_folder(directory), TenantId::default_tenant());
    if (!files_->exists(folder)) settings.scope.reset();
    if (const char* key = std::getenv("DENDRO_AUDIT_CHAIN_KEY_FILE")) settings.key_file = key;
    return chain_.open(settings, {*store_, *files_, *objects_, clock_, random_, directory, {}});
  }

  const PreparedDeletion deletion_;
  const std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SystemRandom random_;
  const std::unique_ptr<ObjectStore> objects_ = make_local_object_store();
  std::unique_ptr<Store> store_;
  ServeChain chain_;  // goes before the store
};

class ServerDeletion final : public DeletionTarget {
 public:
  ServerDeletion(AdminRemote remote, const DeleteFlags& flags) : remote_(std::move(remote)), flags_(flags) {}
  Result<DeletionCount> count() override {
    DENDRO_TRY_ASSIGN(const JsonValue reply, remote_.call("POST", std::string(kDeletePath), request_body(true)));
    const JsonValue* complete = reply.find("complete");
    return DeletionCount{count_of(reply, "matched"), complete == nullptr || complete->as_bool().value_or(true)};
  }
  Result<std::string> carry_out() override {
    DENDRO_TRY_ASSIGN(const JsonValue reply, remote_.call("POST", std::string(kDeletePath), request_body(false)));
    return "deleted: " + grouped_digits(count_of(reply, "matched")) + " records; GET /api/v1/admin/deletions follows " +
           text_of(reply, "deletion_id") + " until no file holds them";
  }

 private:
  std::string request_body(bool only_count) const {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    json.member("query", flags_.query);
    if (!flags_.start.empty()) json.member("start", flags_.start);
    if (!flags_.end.empty()) json.member("end", flags_.end);
    json.member("dry_run", only_count);
    json.end_object();
    return body;
  }
  AdminRemote remote_;
  const DeleteFlags& flags_;
};

int delete_with(DeletionTarget& target, const DeleteFlags& flags, CommandIo& io) {
  const Result<DeletionCount> count = target.count();
  if (!count) return report_remote_error(io, "admin delete", count.error());
  std::fprintf(io.out, "%s records match%s\n", grouped_digits(count->matched).c_str(),
               count->complete ? "" : ", and more may where the store cannot be read");
  std::fflush(io.out);
  if (flags.only_count) return 0;
  if (!flags.yes && !can_ask(io)) {
    return report_failure(io, "admin delete", "nothing was deleted; --yes deletes without being asked", 1);
  }
  if (!flags.yes && !is_agreed(io, "delete them for good?")) {
    return report_failure(io, "admin delete", "nothing was deleted", 1);
  }
  const Result<std::string> done = target.carry_out();
  if (!done) return report_remote_error(io, "admin delete", done.error());
  std::fprintf(io.out, "%s\n", done->c_str());
  return 0;
}

int run_delete(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<DeleteFlags>();
  const auto app = make_delete_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  if (const std::string_view fault = place_fault(flags->place); !fault.empty()) {
    return report_failure(io, "admin delete", fault, 2);
  }
  QueryFault fault;
  // Also before a server is asked: it speaks the same language, and the caret needs no round trip.
  Result<PreparedDeletion> deletion =
      prepare_deletion({flags->query, flags->start, flags->end, SystemClock().now()}, fault);
  if (!deletion && !fault.message.empty()) {
    std::fprintf(io.err, "dendro admin delete: %s", fault_text(fault, flags->query).c_str());
    return 2;
  }
  if (!deletion) return report_failure(io, "admin delete", deletion.error().message(), 2);
  if (flags->place.data.empty()) {
    Result<AdminRemote> remote = AdminRemote::open(flags->place, io);
    if (!remote) return report_remote_error(io, "admin delete", remote.error());
    ServerDeletion target(std::move(remote).value(), *flags);
    return delete_with(target, *flags, io);
  }
  FolderDeletion target(std::move(deletion).value());
  const Status opened = target.open(flags->place.data);
  return opened ? delete_with(target, *flags, io) : report_admin_error(io, "admin delete", opened.error());
}

}  // namespace

Command admin_delete_command() {
  return {"delete", kDeleteSummary, &run_delete, &make_delete_app};
}

}  // namespace dendro
