#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/aws_access.h"
#include "apps/settings.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/http_client.h"
#include "services/alerts/alert_service.h"
#include "storage/spool/spool.h"

namespace dendro {

/// The name of its queue.
inline constexpr std::string_view kAlertQueue = "alerts";

/// Alerting of `dendro serve`: receivers of the configuration, the spool `queue/alerts` of the data folder, the
/// service. One thread starts and stops it.
class ServeAlerts {
 public:
  struct Parts {
    FileSystem& files;
    MetaDatabase& database;
    WorkerPool& workers;
    const Clock& clock;
    RandomSource& random;
    AwsAccess& aws;  ///< of topics
    AlertQueryParts query;
  };
  /// All of `parts` outlives this. Errors: invalid_argument (a rule, a receiver), those of Spool::open and
  /// AlertService::open.
  static Result<std::unique_ptr<ServeAlerts>> open(const Settings& settings, Parts parts);

  AlertService& service() { return *service_; }
  /// `queue/alerts`.
  Spool& queue() { return *queue_; }
  void append_metrics(std::string& out) const;

 private:
  ServeAlerts() = default;
  // What is below uses what is above.
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Spool> queue_;
  std::unique_ptr<AlertService> service_;
};

}  // namespace dendro
