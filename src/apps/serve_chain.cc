#include "apps/serve_chain.h"

#include <algorithm>

#include "adapters/http/curl_http_client.h"
#include "base/log.h"
#include "base/mutex.h"
#include "server/metric_text.h"
#include "services/evidence/head_anchors.h"
#include "storage/store_paths.h"

namespace dendro {

/// What the store was given before there were chains.
class ServeChain::Slot {
 public:
  enum class State : std::uint8_t { waiting, off, on, over };

  Result<std::shared_ptr<void>> witness(const Removal& removal) {
    DENDRO_TRY_ASSIGN(EvidenceService * service, begin_call());
    if (service == nullptr) return std::shared_ptr<void>();
    auto guard = service->before_removal(removal);
    MutexLock lock(mutex_);
    --calls_;
    changed_.notify_all();
    return guard;
  }
  /// Waits for calls under way where the service goes.
  void set(State state, EvidenceService* service) {
    MutexLock lock(mutex_);
    state_ = state;
    service_ = service;
    while (calls_ > 0 && state_ != State::on) changed_.wait(mutex_);
  }

 private:
  /// Null: nobody wants to hear.
  Result<EvidenceService*> begin_call() {
    MutexLock lock(mutex_);
    if (state_ == State::off) return static_cast<EvidenceService*>(nullptr);
    if (state_ != State::on) return Error(ErrorCode::unavailable, "the chains are not open: nothing is removed now");
    ++calls_;
    return service_;
  }

  Mutex mutex_;
  CondVar changed_;
  State state_ DENDRO_GUARDED_BY(mutex_) = State::waiting;
  EvidenceService* service_ DENDRO_GUARDED_BY(mutex_) = nullptr;
  int calls_ DENDRO_GUARDED_BY(mutex_) = 0;  ///< under way: the service must stay
};

ServeChain::ServeChain() : slot_(std::make_shared<Slot>()) {}

ServeChain::~ServeChain() {
  slot_->set(Slot::State::over, nullptr);
}

RemovalWitness ServeChain::witness() const {
  return [slot = slot_](const Removal& removal) { return slot->witness(removal); };
}

Status ServeChain::open(const ChainSettings& settings, Parts parts) {
  if (!settings.scope) {
    slot_->set(Slot::State::off, nullptr);
    return {};
  }
  const std::string folder = chain_folder(parts.directory);
  const bool is_own = settings.key_file.empty();
  const std::string key_path = is_own ? folder + "/key.pem" : settings.key_file;
  const auto key = load_evidence_key(parts.files, key_path, parts.random, is_own);
  if (!key && key.error().code() == ErrorCode::storage_full) {
    // No key, so no chain yet: reading goes on, and what is stored is covered behind the next start.
    log(LogLevel::error, "apps", "no key for chains could be stored; records are not covered until the next start",
        {{"reason", key.error().message()}});
    slot_->set(Slot::State::off, nullptr);
    return {};
  }
  if (!key) return key.error();
  EvidenceService::Parts made{parts.store, parts.files, folder, parts.clock, parts.random, *key};
  if (!settings.previous_key_file.empty()) {
    DENDRO_TRY_ASSIGN(made.previous_key,
                      load_evidence_key(parts.files, settings.previous_key_file, parts.random, false));
  }
  made.scope = *settings.scope;
  made.keeps_scope = settings.keeps_scope;
  made.interval = settings.interval;
  made.anchor_interval = settings.anchor_interval;
  made.tenants = parts.tenants;
  made.tenant_folders = StorePaths(parts.directory).tenants_folder();
  DENDRO_TRY_ASSIGN(made.anchors, make_anchors(settings, parts));
  DENDRO_TRY_ASSIGN(service_, EvidenceService::open(std::move(made)));
  slot_->set(Slot::State::on, service_.get());
  return {};
}

Result<std::vector<std::shared_ptr<HeadAnchor>>> ServeChain::make_anchors(const ChainSettings& settings,
                                                                          const Parts& parts) {
  std::vector<std::shared_ptr<HeadAnchor>> anchors;
  if (!settings.anchor_file.empty()) anchors.push_back(make_file_anchor(parts.files, settings.anchor_file));
  if (!settings.anchor_bucket.empty()) anchors.push_back(make_object_anchor(parts.objects, settings.anchor_bucket));
  if (settings.anchor_url.empty()) return anchors;
  if (!settings.anchor_url.starts_with("https://") && !settings.anchor_url.starts_with("http://")) {
    return Error(ErrorCode::invalid_argument, "audit.anchor.url must begin with https:// or http://");
  }
  http_ = make_curl_http_client();
  SpoolOptions options;
  options.directory = StorePaths(parts.directory).queue_folder(std::string(kAnchorQueue));
  DENDRO_TRY_ASSIGN(queue_, Spool::open(options, parts.files, parts.clock, parts.random));
  anchors.push_back(make_webhook_anchor({*http_, *queue_, settings.anchor_url, settings.anchor_secret}));
  return anchors;
}

void ServeChain::start() {
  if (service_ != nullptr) service_->start();
}

void ServeChain::stop() {
  if (service_ != nullptr) service_->stop();
}

void ServeChain::append_metrics(std::string& out) const {
  if (service_ == nullptr) return;
  const EvidenceService::Figures figures = service_->figures();
  append_metric(out, "dendro_chain_entries_total", "counter", "entries added to chains", figures.entries);
  append_metric(out, "dendro_chain_records_total", "counter", "records that chains cover", figures.records);
  append_metric(out, "dendro_chain_failures_total", "counter", "times that a chain could not go on", figures.failures);
  append_metric(out, "dendro_chain_heads_anchored_total", "counter", "heads that went to every anchor",
                figures.heads_anchored);
  append_metric(out, "dendro_chain_heads_waiting", "gauge", "tenants whose newest head is not anchored",
                figures.heads_waiting);
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> chain_files_of(FileSystem& files,
                                                                          const std::string& data_directory) {
  DENDRO_TRY_ASSIGN(const std::vector<ChainFile> listed, list_chain_files(files, chain_folder(data_directory)));
  std::vector<std::pair<std::string, std::uint64_t>> named;
  for (const ChainFile& file : listed) named.emplace_back("chain/" + file.path, file.bytes);
  return named;
}

std::string chain_folder(const std::string& data_directory) {
  return data_directory + "/chain";
}

}  // namespace dendro
