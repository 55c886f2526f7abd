#include "apps/admin_queue_access.h"

#include "apps/admin_progress.h"
#include "apps/url_text.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "services/admin/queue_json.h"
#include "storage/spool/spool.h"
#include "storage/store_files.h"

namespace dendro {
namespace {

constexpr std::string_view kQueuesPath = "/api/v1/admin/queues";
constexpr std::size_t kLettersAtOnce = 1'000;

std::string_view change_word(QueueAccess::Change change) {
  return change == QueueAccess::Change::retry ? "retry" : "drop";
}

/// Holds the folder's lock.
class FolderQueues final : public QueueAccess {
 public:
  Status open(const std::string& directory) {
    const StorePaths paths(directory);
    if (!is_store(paths, *files_)) {
      return Error(ErrorCode::not_found, "'" + directory + "' is not a data folder of dendro");
    }
    DENDRO_TRY_ASSIGN(lock_, files_->lock(paths.lock_file()));
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, list_queue_names(paths, *files_));
    std::vector<NamedQueue> queues;
    for (const std::string& name : names) {
      SpoolOptions options;
      options.directory = paths.queue_folder(name);
      DENDRO_TRY_ASSIGN(auto spool, Spool::open(options, *files_, clock_, random_));
      queues.push_back({name, spool.get()});
      spools_.push_back(std::move(spool));
    }
    admin_.emplace(std::move(queues));
    return {};
  }

  Result<JsonValue> list() override {
    DENDRO_TRY_ASSIGN(const std::vector<QueueStatus> queues, admin_->list());
    return parse_json_document(queues_json(queues, clock_.now()));
  }
  Result<JsonValue> dead_letters(const std::string& queue, const std::string& after) override {
    DENDRO_TRY_ASSIGN(const std::vector<DeadLetter> letters, admin_->dead_letters(queue, kLettersAtOnce, after));
    return parse_json_document(dead_letters_json(letters, kLettersAtOnce));
  }
  Result<JsonValue> dead_letter(const std::string& queue, const std::string& id) override {
    DENDRO_TRY_ASSIGN(const DeadLetter letter, admin_->dead_letter(queue, id));
    return parse_json_document(dead_letter_json(letter));
  }
  Result<std::uint64_t> change(Change change, const std::string& queue, const std::optional<std::string>& id) override {
    const std::optional<std::string_view> chosen = id ? std::optional<std::string_view>(*id) : std::nullopt;
    DENDRO_TRY_ASSIGN(const std::size_t count,
                      change == Change::retry ? admin_->retry(queue, chosen) : admin_->drop(queue, chosen));
    return std::uint64_t{count};
  }

 private:
  const std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<FileLock> lock_;
  std::vector<std::unique_ptr<Spool>> spools_;
  std::optional<QueueAdmin> admin_;
};

class ServerQueues final : public QueueAccess {
 public:
  explicit ServerQueues(AdminRemote remote) : remote_(std::move(remote)) {}

  Result<JsonValue> list() override { return remote_.call("GET", std::string(kQueuesPath)); }
  Result<JsonValue> dead_letters(const std::string& queue, const std::string& after) override {
    return remote_.call("GET", letters_path(queue) + "?limit=" + std::to_string(kLettersAtOnce) +
                                   (after.empty() ? "" : "&after=" + percent_encoded(after)));
  }
  Result<JsonValue> dead_letter(const std::string& queue, const std::string& id) override {
    return remote_.call("GET", letters_path(queue) + "/" + percent_encoded(id));
  }
  Result<std::uint64_t> change(Change change, const std::string& queue, const std::optional<std::string>& id) override {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    if (id) {
      json.member("id", *id);
    } else {
      json.member("all", true);
    }
    json.end_object();
    const std::string word(change_word(change));
    DENDRO_TRY_ASSIGN(const JsonValue reply, remote_.call("POST", letters_path(queue) + "/" + word, body));
    return count_of(reply, change == Change::retry ? "retried" : "dropped");
  }

 private:
  static std::string letters_path(const std::string& queue) {
    return std::string(kQueuesPath) + "/" + percent_encoded(queue) + "/dead-letters";
  }
  AdminRemote remote_;
};

}  // namespace

Result<std::unique_ptr<QueueAccess>> open_queue_access(AdminPlace place, CommandIo& io) {
  if (place.data.empty()) {
    if (place.server.empty()) place.server = kDefaultServerUrl;
    DENDRO_TRY_ASSIGN(AdminRemote remote, AdminRemote::open(place, io));
    return std::unique_ptr<QueueAccess>(std::make_unique<ServerQueues>(std::move(remote)));
  }
  if (!place.server.empty()) return Error(ErrorCode::invalid_argument, std::string(place_fault(place)));
  auto folder = std::make_unique<FolderQueues>();
  DENDRO_TRY(folder->open(place.data));
  return std::unique_ptr<QueueAccess>(std::move(folder));
}

int report_queue_error(CommandIo& io, std::string_view command, const AdminPlace& place, const Error& error) {
  return place.data.empty() ? report_remote_error(io, command, error) : report_admin_error(io, command, error);
}

}  // namespace dendro
