#include "tests/conformance/record_sink_suite.h"

#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

class StoreSinkUnderTest : public SinkUnderTest {
 public:
  StoreSinkUnderTest() { fixture_.open(); }
  RecordSink& sink() override { return *fixture_.store; }
  std::vector<std::pair<SequenceNumber, std::string>> records(const TenantId& tenant) override {
    prepare();
    const auto snapshot = fixture_.store->snapshot(tenant);
    const ScanOutcome outcome = run_scan(**snapshot);
    std::vector<std::pair<SequenceNumber, std::string>> records;
    for (std::size_t i = 0; i < outcome.bodies.size(); ++i)
      records.emplace_back(outcome.positions[i].sequence, outcome.bodies[i]);
    std::sort(records.begin(), records.end());
    return records;
  }

 protected:
  virtual void prepare() {}
  StoreFixture fixture_;
};

/// The same after everything was opened again.
class ReopenedStoreSinkUnderTest final : public StoreSinkUnderTest {
 private:
  void prepare() override {
    if (!is_in_done()) fixture_.open();
  }
  /// The suite also looks from inside `done`, where closing the store would wait for itself.
  bool is_in_done() const { return std::this_thread::get_id() != owner_; }
  const std::thread::id owner_ = std::this_thread::get_id();
};

std::unique_ptr<SinkUnderTest> make_store_under_test() {
  return std::make_unique<StoreSinkUnderTest>();
}
std::unique_ptr<SinkUnderTest> make_reopened_store_under_test() {
  return std::make_unique<ReopenedStoreSinkUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Store, RecordSinkSuite, testing::Values(&make_store_under_test));
INSTANTIATE_TEST_SUITE_P(ReopenedStore, RecordSinkSuite, testing::Values(&make_reopened_store_under_test));

}  // namespace
}  // namespace dendro
