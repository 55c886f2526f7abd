#include "record/record_sink.h"

#include "record/memory_record_sink.h"
#include "tests/conformance/record_sink_suite.h"

namespace dendro {
namespace {

class MemorySinkUnderTest final : public SinkUnderTest {
 public:
  RecordSink& sink() override { return sink_; }
  std::vector<std::pair<SequenceNumber, std::string>> records(const TenantId& tenant) override {
    std::vector<std::pair<SequenceNumber, std::string>> records;
    for (const MemoryRecordSink::Kept& kept : sink_.kept()) {
      if (kept.tenant != tenant) continue;
      for (std::size_t i = 0; i < kept.batch->size(); ++i) {
        records.emplace_back(kept.first_sequence.next(i), std::string(kept.batch->record(i).value_at(0).text));
      }
    }
    return records;
  }

 private:
  MemoryRecordSink sink_;
};

std::unique_ptr<SinkUnderTest> make_memory_sink_under_test() {
  return std::make_unique<MemorySinkUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Memory, RecordSinkSuite, testing::Values(&make_memory_sink_under_test));

TEST(MemoryRecordSink, FailsOnOrder) {
  MemoryRecordSink sink;
  sink.fail_with(Error(ErrorCode::resource_exhausted, "full"));
  CommitRequest request;
  RecordBatchBuilder builder{Timestamp(1)};
  builder.begin_record();
  builder.end_record();
  request.batches = {builder.finish()};
  EXPECT_EQ(append_and_wait(sink, request).error().code(), ErrorCode::resource_exhausted);
  sink.fail_with(ok_status());
  EXPECT_TRUE(append_and_wait(sink, request).has_value());
  EXPECT_EQ(sink.kept().size(), 1u);
}

TEST(BatchKeyId, SeparatesTenantDialectAndKey) {
  const TenantId tenant = TenantId::parse("ab").value();
  EXPECT_EQ(batch_key_id(tenant, "c", "d"), batch_key_id(tenant, "c", "d"));
  EXPECT_NE(batch_key_id(tenant, "c", "d"), batch_key_id(tenant, "cd", ""));
  EXPECT_NE(batch_key_id(tenant, "c", "d"), batch_key_id(TenantId::parse("a").value(), "bc", "d"));
}

}  // namespace
}  // namespace dendro
