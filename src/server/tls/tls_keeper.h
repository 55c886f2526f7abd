#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/tls/tls_context.h"

namespace dendro {

/// The certificates of one listener, read again when their files change. Thread-safe.
///
/// New files are taken whole or not at all: a key that does not fit, a file that cannot be read and a certificate that
/// has run out leave what is in use as it is, and the log says so once for each change of the files.
class TlsKeeper {
 public:
  struct State {
    std::string listener;
    std::vector<TlsContext::Certificate> certificates;
    std::optional<Timestamp> crl_expires;
    std::uint64_t reloads = 0;
    std::uint64_t reload_failures = 0;
    bool is_behind = false;  ///< the files changed and could not be taken
  };

  /// @param listener  for messages: "0.0.0.0:8443". `clock` outlives this.
  /// A certificate that has run out is taken here, with a word in the log: refusing would leave nothing at all.
  /// Errors: those of TlsContext::load.
  static Result<std::shared_ptr<TlsKeeper>> open(TlsSettings settings, std::string listener, const Clock& clock);

  /// For new connections.
  std::shared_ptr<const TlsContext> current() const;
  /// Reads the files if they changed since the last look. Waits for the disk.
  void look();
  State state() const;

 private:
  TlsKeeper(TlsSettings settings, std::string listener, const Clock& clock)
      : settings_(std::move(settings)), listener_(std::move(listener)), clock_(clock) {}
  std::string stamp_of_files() const;
  Result<std::shared_ptr<const TlsContext>> load_better() const;
  void warn_of_what_is_wrong(const TlsContext& context) const;

  const TlsSettings settings_;
  const std::string listener_;
  const Clock& clock_;
  std::string seen_stamp_;  // of `look`'s thread

  mutable Mutex mutex_;
  std::shared_ptr<const TlsContext> current_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t reloads_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t reload_failures_ DENDRO_GUARDED_BY(mutex_) = 0;
  bool is_behind_ DENDRO_GUARDED_BY(mutex_) = false;
};

}  // namespace dendro
