#include "server/tls/tls_keeper.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace dendro {
namespace {

/// What tells one state of a file from the next: which file it is, its size, and when it and its entry last changed.
/// Links are followed, so that a link that is set anew (certbot, Kubernetes) shows.
std::string stamp_of_file(const std::string& path) {
  struct stat info{};
  if (path.empty()) return {};
  if (::stat(path.c_str(), &info) != 0) return "absent;";
  std::string stamp;
  for (const auto part :
       {static_cast<std::int64_t>(info.st_dev), static_cast<std::int64_t>(info.st_ino),
        static_cast<std::int64_t>(info.st_size), static_cast<std::int64_t>(info.st_mtim.tv_sec),
        static_cast<std::int64_t>(info.st_mtim.tv_nsec), static_cast<std::int64_t>(info.st_ctim.tv_sec),
        static_cast<std::int64_t>(info.st_ctim.tv_nsec)}) {
    stamp += std::to_string(part) + ",";
  }
  return stamp + ";";
}

bool is_open_to_others(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

}  // namespace

Result<std::shared_ptr<TlsKeeper>> TlsKeeper::open(TlsSettings settings, std::string listener, const Clock& clock) {
  std::shared_ptr<TlsKeeper> keeper(new TlsKeeper(std::move(settings), std::move(listener), clock));
  keeper->seen_stamp_ = keeper->stamp_of_files();
  auto loaded = TlsContext::load(keeper->settings_);
  if (!loaded) return loaded.error().with_context("listener " + keeper->listener_);
  for (const std::string& key : keeper->settings_.keys) {
    if (!is_open_to_others(key)) continue;
    log(LogLevel::warning, "server", "others than its owner may read the private key; chmod 600 it", {{"file", key}});
  }
  keeper->warn_of_what_is_wrong(**loaded);
  MutexLock lock(keeper->mutex_);
  keeper->current_ = std::move(*loaded);
  return keeper;
}

void TlsKeeper::warn_of_what_is_wrong(const TlsContext& context) const {
  for (const TlsContext::Certificate& certificate : context.certificates()) {
    if (certificate.expires > clock_.now()) continue;
    log(LogLevel::error, "server", "the certificate has run out: clients will refuse it",
        {{"listener", listener_}, {"certificate", certificate.label}, {"expired", to_rfc3339(certificate.expires, 0)}});
  }
  if (context.crl_expires() && *context.crl_expires() <= clock_.now()) {
    log(LogLevel::error, "server", "the revocation list is out of date: no client certificate is taken",
        {{"listener", listener_}, {"expired", to_rfc3339(*context.crl_expires(), 0)}});
  }
}

std::shared_ptr<const TlsContext> TlsKeeper::current() const {
  MutexLock lock(mutex_);
  return current_;
}

std::string TlsKeeper::stamp_of_files() const {
  std::string stamp;
  for (const std::string& path : settings_.certificates) stamp += stamp_of_file(path);
  for (const std::string& path : settings_.keys) stamp += stamp_of_file(path);
  return stamp + stamp_of_file(settings_.client_ca) + stamp_of_file(settings_.client_crl);
}

Result<std::shared_ptr<const TlsContext>> TlsKeeper::load_better() const {
  DENDRO_TRY_ASSIGN(auto loaded, TlsContext::load(settings_));
  for (const TlsContext::Certificate& certificate : loaded->certificates()) {
    if (certificate.expires > clock_.now()) continue;
    return Error(ErrorCode::invalid_argument,
                 "tls certificate of " + certificate.label + ": it ran out on " + to_rfc3339(certificate.expires, 0));
  }
  return loaded;
}

void TlsKeeper::look() {
  std::string stamp = stamp_of_files();  // before the files are read: what changes meanwhile shows at the next look
  if (stamp == seen_stamp_) return;
  seen_stamp_ = std::move(stamp);
  auto loaded = load_better();
  if (loaded) {
    warn_of_what_is_wrong(**loaded);
    log(LogLevel::info, "server", "certificates read again",
        {{"listener", listener_}, {"expires", to_rfc3339((*loaded)->certificates().front().expires, 0)}});
  } else {
    log(LogLevel::error, "server", "the files of the certificate changed and are not taken; the ones before stay",
        {{"listener", listener_}, {"reason", loaded.error().message()}});
  }
  MutexLock lock(mutex_);
  is_behind_ = !loaded;
  if (!loaded) {
    ++reload_failures_;
    return;
  }
  ++reloads_;
  current_ = std::move(*loaded);
}

TlsKeeper::State TlsKeeper::state() const {
  MutexLock lock(mutex_);
  return {listener_, current_->certificates(), current_->crl_expires(), reloads_, reload_failures_, is_behind_};
}

}  // namespace dendro
