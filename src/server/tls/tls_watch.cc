#include "server/tls/tls_watch.h"

#include <pthread.h>

#include <algorithm>

#include "server/metric_text.h"

namespace dendro {
namespace {

/// Issuers of certificates for 90 days renew with a third of the time left; who comes this near was forgotten.
constexpr std::chrono::hours kExpiryWarning{24 * 7};

std::string days_until(Timestamp end, Timestamp now) {
  if (end <= now) return "ran out on " + to_rfc3339(end, 0);
  return "runs out in " + std::to_string((end.number() - now.number()) / kNanosPerDay) + " days";
}

void append_label(std::string& out, std::string_view name, std::string_view text) {
  out.append(name).append("=\"");
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

/// `more`: further labels, each with a comma in front.
void append_sample(std::string& out, std::string_view name, std::string_view listener, std::uint64_t value,
                   std::string_view more = {}) {
  out.append(name).append("{");
  append_label(out, "listener", listener);
  out.append(more).append("} ").append(std::to_string(value)).append("\n");
}

/// The index tells two certificates of one name apart.
std::string certificate_labels(std::string_view label, std::size_t index) {
  std::string out = ",";
  append_label(out, "certificate", label);
  return out.append(",index=\"").append(std::to_string(index)).append("\"");
}

std::uint64_t unix_seconds(Timestamp time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.number() / kNanosPerSecond));
}

}  // namespace

Result<std::unique_ptr<TlsWatch>> TlsWatch::open(const std::vector<ListenerSpec>& listeners, const Clock& clock) {
  std::unique_ptr<TlsWatch> watch(new TlsWatch(clock));
  for (const ListenerSpec& listener : listeners) {
    watch->keepers_.emplace_back();
    if (!listener.tls) continue;
    DENDRO_TRY_ASSIGN(watch->keepers_.back(), TlsKeeper::open(*listener.tls, listener.address_text(), clock));
  }
  return watch;
}

bool TlsWatch::empty() const {
  return std::ranges::none_of(keepers_, [](const auto& keeper) { return keeper != nullptr; });
}

void TlsWatch::start(std::chrono::milliseconds interval) {
  if (empty()) return;
  thread_ = std::jthread([this, interval] { run(interval); });
  ::pthread_setname_np(thread_.native_handle(), "dendro-tls");
}

void TlsWatch::stop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TlsWatch::run(std::chrono::milliseconds interval) {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!is_stopping_) (void)wake_.wait_for(mutex_, interval);
      if (is_stopping_) return;
    }
    for (const auto& keeper : keepers_) {
      if (keeper) keeper->look();
    }
  }
}

std::vector<TlsKeeper::State> TlsWatch::states() const {
  std::vector<TlsKeeper::State> states;
  for (const auto& keeper : keepers_) {
    if (keeper) states.push_back(keeper->state());
  }
  return states;
}

std::string TlsWatch::trouble() const {
  std::string text;
  const Timestamp now = clock_.now();
  const Timestamp soon(now.number() + std::chrono::nanoseconds(kExpiryWarning).count());
  const auto add = [&text](const std::string& sentence) { text += (text.empty() ? "" : "; ") + sentence; };
  for (const TlsKeeper::State& state : states()) {
    for (const TlsContext::Certificate& certificate : state.certificates) {
      if (certificate.expires <= soon)
        add("the certificate of " + certificate.label + " " + days_until(certificate.expires, now));
    }
    if (state.crl_expires && *state.crl_expires <= soon) {
      add("the revocation list " + days_until(*state.crl_expires, now));
    }
    if (state.is_behind) add("new files of a certificate could not be taken, the log says why");
  }
  return text;
}

void TlsWatch::append_metrics(std::string& out) const {
  const std::vector<TlsKeeper::State> states = this->states();
  if (states.empty()) return;
  constexpr std::string_view kExpiry = "dendro_tls_certificate_expiry_timestamp_seconds";
  append_metric_head(out, kExpiry, "gauge", "when the certificate runs out");
  for (const TlsKeeper::State& state : states) {
    for (std::size_t i = 0; i < state.certificates.size(); ++i) {
      const TlsContext::Certificate& certificate = state.certificates[i];
      append_sample(out, kExpiry, state.listener, unix_seconds(certificate.expires),
                    certificate_labels(certificate.label, i));
    }
  }
  constexpr std::string_view kListExpiry = "dendro_tls_crl_expiry_timestamp_seconds";
  append_metric_head(out, kListExpiry, "gauge", "when the first revocation list is out of date");
  for (const TlsKeeper::State& state : states) {
    if (state.crl_expires) append_sample(out, kListExpiry, state.listener, unix_seconds(*state.crl_expires));
  }
  constexpr std::string_view kReloads = "dendro_tls_reloads_total";
  append_metric_head(out, kReloads, "counter", "changed files of certificates that were taken since start");
  for (const TlsKeeper::State& state : states) append_sample(out, kReloads, state.listener, state.reloads);
  constexpr std::string_view kFailures = "dendro_tls_reload_failures_total";
  append_metric_head(out, kFailures, "counter", "changed files of certificates that were not taken since start");
  for (const TlsKeeper::State& state : states) append_sample(out, kFailures, state.listener, state.reload_failures);
}

}  // namespace dendro
