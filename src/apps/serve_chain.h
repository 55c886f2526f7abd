#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/chain_settings.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/http_client.h"
#include "io/object_store.h"
#include "services/evidence/evidence_service.h"
#include "storage/spool/spool.h"
#include "storage/store.h"

namespace dendro {

/// The name of the queue of heads for `anchor_url`.
inline constexpr std::string_view kAnchorQueue = "anchors";

/// The chains of a store, which is opened before them and must tell them what it removes all the same. One thread opens
/// and stops it.
class ServeChain {
 public:
  ServeChain();
  ~ServeChain();
  ServeChain(const ServeChain&) = delete;
  ServeChain& operator=(const ServeChain&) = delete;

  /// For StoreOptions. Until open() and behind stop(), what would be removed is refused: unavailable. Outlives this.
  RemovalWitness witness() const;

  struct Parts {
    Store& store;
    FileSystem& files;
    ObjectStore& objects;
    const Clock& clock;
    RandomSource& random;
    std::string directory;                           ///< the data folder
    std::function<std::vector<TenantId>()> tenants;  ///< may be empty
  };
  /// All of `parts` outlives this. Errors: invalid_argument (a key, an address), those of Spool::open.
  Status open(const ChainSettings& settings, Parts parts);
  void start();
  void stop();

  /// Null: off.
  EvidenceService* service() { return service_.get(); }
  /// Null: no heads go to an address.
  Spool* queue() { return queue_.get(); }
  void append_metrics(std::string& out) const;

 private:
  Result<std::vector<std::shared_ptr<HeadAnchor>>> make_anchors(const ChainSettings& settings, const Parts& parts);

  class Slot;
  const std::shared_ptr<Slot> slot_;
  // What is below uses what is above.
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Spool> queue_;
  std::unique_ptr<EvidenceService> service_;
};

/// For a backup: paths within the data folder, and how many bytes of each. Errors: io_error.
Result<std::vector<std::pair<std::string, std::uint64_t>>> chain_files_of(FileSystem& files,
                                                                          const std::string& data_directory);

/// Where the chains of a data folder lie.
std::string chain_folder(const std::string& data_directory);

}  // namespace dendro
