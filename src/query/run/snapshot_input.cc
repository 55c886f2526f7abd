#include "query/plan/query_input.h"

namespace dendro {
namespace {

class SnapshotInput final : public QueryInput {
 public:
  explicit SnapshotInput(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  Result<std::unique_ptr<BlockSource>> open(const ScanRequest& request) override { return snapshot_->scan(request); }
  Result<std::unique_ptr<BlockStatsSource>> block_stats(const ScanRequest& request) override {
    return snapshot_->block_stats(request);
  }
  bool is_ordered() const override { return true; }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace

std::shared_ptr<QueryInput> make_snapshot_input(std::shared_ptr<const Snapshot> snapshot) {
  return std::make_shared<SnapshotInput>(std::move(snapshot));
}

}  // namespace dendro
