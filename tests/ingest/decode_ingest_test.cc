#include "ingest/decode_ingest.h"

#include <gtest/gtest.h>

#include "ingest/limits.h"
#include "tests/parse/decoding.h"

namespace dendro {
namespace {

DecodedRequest decode(std::string_view body, std::string_view content_type = {}, IngestOptions options = {}) {
  IngestRequest request;
  request.body = body;
  request.content_type = content_type;
  request.request_id = "req-1";
  request.receive_time = kTestNow;
  return decode_ingest(request, options).value();
}

std::vector<RecordView> records_of(const DecodedRequest& decoded) {
  std::vector<RecordView> records;
  for (const auto& batch : decoded.batches) {
    for (std::size_t i = 0; i < batch->size(); ++i) records.push_back(batch->record(i));
  }
  return records;
}

TEST(DecodeIngest, BelievesTheMediaTypeElseTheFirstByte) {
  const char* line = "{\"a\":1}\n";
  for (const char* type : {"application/json", "application/x-ndjson; charset=utf-8", "",
                           "application/x-www-form-urlencoded", "APPLICATION/JSON"}) {
    const DecodedRequest decoded = decode(line, type);
    EXPECT_EQ(leaf_text(records_of(decoded).at(0), "a"), "1") << type;
  }
  EXPECT_EQ(leaf_text(records_of(decode(line, "text/plain")).at(0), "body"), "{\"a\":1}");
  EXPECT_EQ(leaf_text(records_of(decode("plain", "application/x-www-form-urlencoded")).at(0), "body"), "plain");
  EXPECT_EQ(decode("plain", "application/json").rejected, 1u);
  IngestOptions detect;
  detect.format_is_given = true;
  EXPECT_EQ(leaf_text(records_of(decode(line, "text/plain", detect)).at(0), "a"), "1");
  IngestOptions text;
  text.format = ParseFormat::text;
  text.format_is_given = true;
  EXPECT_EQ(leaf_text(records_of(decode(line, "application/json", text)).at(0), "body"), "{\"a\":1}");
}

TEST(DecodeIngest, ABadRecordBecomesADeadLetterAmongTheOthers) {
  const DecodedRequest decoded = decode("{\"a\":1}\nbad \xFF\n{\"a\":2}\n", "application/x-ndjson");
  EXPECT_EQ(decoded.accepted, 2u);
  EXPECT_EQ(decoded.rejected, 1u);
  ASSERT_EQ(decoded.errors.size(), 1u);
  EXPECT_EQ(decoded.errors[0].index, 1u);
  EXPECT_EQ(decoded.errors[0].reason, RejectReason::parse_error);
  const std::vector<RecordView> records = records_of(decoded);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(label_text(records[0], "dendro.source"), "ingest");
  EXPECT_EQ(label_text(records[1], "dendro.source"), "dead_letter");
  EXPECT_EQ(leaf_text(records[1], "dendro.reason"), "parse_error");
  EXPECT_EQ(leaf_text(records[1], "dendro.detail"), decoded.errors[0].detail);
  EXPECT_EQ(leaf_text(records[1], "dendro.dialect"), "ingest");
  EXPECT_EQ(leaf_text(records[1], "dendro.request_id"), "req-1");
  EXPECT_EQ(records[1].value_at(3).text, "bad \xFF");
  EXPECT_EQ(records[1].timestamp(), kTestNow);
}

TEST(DecodeIngest, DeadLettersKeepTheFrontOfALargeRecord) {
  const std::string large = "{\"a\":\"" + std::string(kMaxRecordBytes, 'x') + "\"}";
  const DecodedRequest decoded = decode(large + "\n{\"a\":1}", "application/x-ndjson");
  EXPECT_EQ(decoded.accepted, 1u);
  EXPECT_EQ(decoded.errors.at(0).reason, RejectReason::record_too_large);
  EXPECT_EQ(records_of(decoded).at(0).value_at(3).text, large.substr(0, kMaxDeadLetterRawBytes));
}

TEST(DecodeIngest, ListsAHundredErrorsAndCountsAll) {
  std::string body;
  for (int i = 0; i < 150; ++i) body += "bad\n";
  const DecodedRequest decoded = decode(body, "application/x-ndjson");
  EXPECT_EQ(decoded.rejected, 150u);
  EXPECT_EQ(decoded.errors.size(), kMaxListedErrors);
  EXPECT_EQ(records_of(decoded).size(), 150u);
}

TEST(DecodeIngest, KeepsAtMostABatchOfDeadLetters) {
  std::string body;
  for (std::size_t i = 0; i < kMaxDeadLetters + 10; ++i) body += "x\n";
  const DecodedRequest decoded = decode(body, "application/x-ndjson");
  EXPECT_EQ(decoded.rejected, kMaxDeadLetters + 10);
  EXPECT_EQ(records_of(decoded).size(), kMaxDeadLetters);
}

TEST(DecodeIngest, NothingInNothingOut) {
  for (const char* body : {"", "\n \n", "[]"}) {
    for (const char* type : {"application/json", "text/plain", ""}) {
      if (std::string_view(body) == "[]" && std::string_view(type) == "text/plain") continue;
      const DecodedRequest decoded = decode(body, type);
      EXPECT_TRUE(decoded.batches.empty());
      EXPECT_EQ(decoded.accepted + decoded.rejected, 0u);
    }
  }
}

TEST(DecodeIngest, SourceLabelCannotBeForged) {
  IngestOptions options;
  options.mapping.labels = {{"dendro.source", "entries"}};
  options.mapping.stream_fields = {"dendro"};
  const DecodedRequest decoded = decode(R"({"dendro.source":"entries"})", "", options);
  EXPECT_EQ(label_text(records_of(decoded).at(0), "dendro.source"), "ingest");
}

TEST(DecodeIngest, AFormatNotBuiltYetSaysSo) {
  IngestOptions options;
  options.format = ParseFormat::csv;
  EXPECT_EQ(decode_ingest({}, options).error().code(), ErrorCode::unimplemented);
}

TEST(DecodeIngest, BecomesACommitRequest) {
  const CommitRequest commit =
      to_commit_request(decode("{\"a\":1}\nbad", "application/x-ndjson"), TenantId::default_tenant(), kTestNow);
  EXPECT_EQ(commit.batches.size(), 1u);
  EXPECT_EQ(commit.accepted, 1u);
  EXPECT_EQ(commit.rejected, 1u);
  EXPECT_EQ(commit.receive_time, kTestNow);
}

}  // namespace
}  // namespace dendro
