#include "parse/json_record_decoder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/parse/decoding.h"

namespace dendro {
namespace {

using Jsons = std::vector<std::string>;

Decoded decode_document(std::string_view text) {
  return decode_text(text, {ParseFormat::json, JsonFraming::document, {}});
}

std::vector<std::uint64_t> refused_indices(const Decoded& decoded) {
  std::vector<std::uint64_t> indices;
  for (const Refusal& refusal : decoded.refusals) indices.push_back(refusal.index);
  return indices;
}

TEST(JsonRecordDecoder, TakesEveryWayToWriteRecords) {
  const Jsons two = {R"({"a":1})", R"({"a":2})"};
  for (const char* text :
       {"{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\r\n\r\n  {\"a\":2}", "{\"a\":1}{\"a\":2}", "{\"a\":1} {\"a\":2}\n",
        "[{\"a\":1},{\"a\":2}]", "[\n  {\"a\":1},\n  {\"a\":2}\n]\n", "[{\n\"a\":1\n},\n{\n\"a\":2\n}]",
        "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}", "{\n\"a\":1\n} {\n\"a\":2\n}", "\xEF\xBB\xBF{\"a\":1}\n{\"a\":2}",
        "[{\"a\":1}]\n[{\"a\":2}]", "{\"a\":1} [{\"a\":2}]", "{\"a\":1}\n[]\n{\"a\":2}"}) {
    for (const JsonFraming framing : {JsonFraming::lines, JsonFraming::document}) {
      const Decoded decoded = decode_text(text, {ParseFormat::json, framing, {}});
      EXPECT_EQ(decoded.jsons(), two) << text;
      EXPECT_TRUE(decoded.refusals.empty()) << text;
    }
  }
}

TEST(JsonRecordDecoder, OneBrokenLineCostsOneRecord) {
  for (const char* broken : {"{\"a\":", "{\"a\":1", "garbage", "{\"a\":1}}", "{\"a\":1} x", "{\"a\":1,}", "{'a':1}",
                             "{\"a\":01}", "{\"a\":\"x", "{\"a\":tru}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "17",
                             "null", "\"text\"", "]", "{\"a\":1,\"b\":[", "{\"a\":NaN}"}) {
    const std::string text = std::string("{\"n\":1}\n") + broken + "\n{\"n\":2}\n{\"n\":3}\n";
    const Decoded decoded = decode_document(text);
    EXPECT_EQ(decoded.jsons(), (Jsons{R"({"n":1})", R"({"n":2})", R"({"n":3})"})) << broken;
    EXPECT_EQ(refused_indices(decoded), std::vector<std::uint64_t>{1}) << broken;
    EXPECT_EQ(decoded.refusals.at(0).raw, broken);
  }
}

TEST(JsonRecordDecoder, AWholeDocumentMayHoldLinesThatLookLikeRecords) {
  const char* text = "{\"items\": [\n  {\"x\":1},\n  {\"x\":2}\n]}\n";
  EXPECT_EQ(decode_document(text).jsons(), Jsons{R"({"items":[{"x":1},{"x":2}]})"});
}

TEST(JsonRecordDecoder, PrettyPrintedListsOfNumbersAreJoined) {
  const char* text = "{\n \"a\": [\n  1,\n  2\n ],\n \"b\": {}\n}\n{\n \"a\": [\n  {}\n ]\n}\n";
  EXPECT_EQ(decode_text(text).jsons(), (Jsons{R"({"a":[1,2],"b":{}})", R"({"a":[{}]})"}));
}

TEST(JsonRecordDecoder, AFaultInAnArrayCostsItsLine) {
  const Decoded decoded = decode_document("[\n{\"a\":1},\n{\"a\":},\n{\"a\":3},\n{\n\"a\":4\n}\n]\n{\"a\":5}\n");
  EXPECT_EQ(decoded.jsons(), (Jsons{R"({"a":1})", R"({"a":3})", R"({"a":4})", R"({"a":5})"}));
  EXPECT_EQ(refused_indices(decoded), std::vector<std::uint64_t>{1});
}

TEST(JsonRecordDecoder, AnArrayThatStopsShortKeepsWhatCameBefore) {
  const Decoded decoded = decode_document("[{\"a\":1},{\"a\":2}");
  EXPECT_EQ(decoded.accepted, 2u);
  EXPECT_EQ(decoded.refusals.at(0).detail, "text ends inside an array");
  EXPECT_EQ(decode_document("[{\"a\":1},{\"a\"").refusals.size(), 1u);
  EXPECT_EQ(decode_document("[1,{\"a\":1},[],null]").refusals.size(), 3u);
}

TEST(JsonRecordDecoder, RefusesARecordOverTheLimitAndGoesOn) {
  DecoderOptions options;
  options.mapping.limits.record_bytes = 100;
  const std::string large = "{\"a\":\"" + std::string(100, 'x') + "\"}";
  const Decoded decoded = decode_text(large + "\n{\"a\":1}\n", options);
  EXPECT_EQ(decoded.refusals.at(0).reason, RejectReason::record_too_large);
  EXPECT_EQ(decoded.accepted, 1u);
}

TEST(JsonRecordDecoder, ALineBeyondTheWindowIsSkipped) {
  const std::string large = "{\"a\":\"" + std::string(kMaxDecoderWindowBytes + 10, 'x') + "\"}\n{\"a\":1}\n";
  BatchFiller filler(kTestNow);
  std::vector<RejectReason> reasons;
  auto decoder = *make_record_decoder({}, filler, [&](const RejectedRecord& r) { reasons.push_back(r.cause.reason); });
  EXPECT_EQ(decoder->decode(std::string_view(large).substr(0, 1000), InputEnd::more_follows), 0u);
  EXPECT_EQ(decoder->decode(std::string_view(large).substr(0, kMaxDecoderWindowBytes), InputEnd::more_follows),
            kMaxDecoderWindowBytes);
  decoder->decode(std::string_view(large).substr(kMaxDecoderWindowBytes), InputEnd::last);
  EXPECT_EQ(reasons, std::vector<RejectReason>{RejectReason::record_too_large});
  EXPECT_EQ(decoder->accepted(), 1u);
}

TEST(JsonRecordDecoder, ManyUnclosedLinesTakeLinearTime) {
  // Each line opens a list and closes nothing: 2 MB that a naive join reads 400,000 times.
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "{\"a\":\n";
  const Decoded decoded = decode_document(text);
  EXPECT_EQ(decoded.refusals.size(), 400'000u);
}

TEST(JsonRecordDecoder, PiecesGiveWhatTheWholeGives) {
  const char* given = std::getenv("DENDRO_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("DENDRO_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Jsons parts = {"{\"a\":1}",
                       "{\n \"a\": {\n  \"b\": 2\n }\n}",
                       "[{\"a\":1},\n {\"a\":2}]",
                       "garbage",
                       "{\"a\":\"\\u00e9\xC3\xA9\"}",
                       "{\"x\":",
                       "\n",
                       "{\"a\":[1,\n2]} {\"b\":1}",
                       "  ",
                       "17",
                       "{\n}garbage",
                       "{\n\"a\":1\n},"};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t n = 1 + random() % 8; n > 0; --n) text += parts[random() % parts.size()] + "\n";
    const Decoded whole = decode_text(text);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{16}}) {
      const Decoded pieces = decode_text(text, {}, piece);
      ASSERT_EQ(pieces.jsons(), whole.jsons()) << text << "piece " << piece;
      ASSERT_EQ(refused_indices(pieces), refused_indices(whole)) << text << "piece " << piece;
    }
  }
}

TEST(JsonRecordDecoder, CutsBatchesAtTheirLimits) {
  std::string text;
  for (std::size_t i = 0; i < kMaxBatchRecords + 1; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  const Decoded many = decode_text(text);
  ASSERT_EQ(many.batches.size(), 2u);
  EXPECT_EQ(many.batches[0]->size(), kMaxBatchRecords);
  text.clear();
  for (int i = 0; i < 12; ++i) text += "{\"n\":\"" + std::string(1'500'000, 'x') + "\"}\n";
  const Decoded large = decode_text(text);
  EXPECT_EQ(large.accepted, 12u);
  EXPECT_GE(large.batches.size(), 3u);
  for (const auto& batch : large.batches) EXPECT_LE(batch->encoded().size(), kMaxBatchBytes);
}

TEST(LineRecordDecoder, ALineIsARecord) {
  DecoderOptions options;
  options.format = ParseFormat::text;
  const Decoded decoded = decode_text("first\r\n\n  \n{\"a\":1}\n[error] x\nbad \xFF\nlast", options);
  std::vector<std::string> bodies;
  for (const RecordView& record : decoded.records()) bodies.emplace_back(record.value_at(0).text);
  EXPECT_EQ(bodies, (Jsons{"first", "{\"a\":1}", "[error] x", "bad \xFF", "last"}));
  EXPECT_EQ(decoded.records()[2].severity(), kSeverityError);
  EXPECT_EQ(decoded.records()[3].value_at(0).type, ValueType::bytes);
  for (const std::size_t piece : {1u, 2u, 5u}) {
    EXPECT_EQ(decode_text("first\r\n\n  \n{\"a\":1}\n[error] x\nlast", options, piece).accepted, 4u);
  }
}

TEST(LineRecordDecoder, RefusesALineOverTheLimit) {
  DecoderOptions options;
  options.format = ParseFormat::text;
  options.mapping.limits.record_bytes = 10;
  for (const std::size_t piece : {0u, 4u}) {
    const Decoded decoded = decode_text("0123456789\n0123456789a\nx\n0123456789abcdef", options, piece);
    EXPECT_EQ(decoded.accepted, 2u);
    EXPECT_EQ(decoded.refusals.size(), 2u);
  }
}

TEST(RecordDecoder, FormatsNotBuiltYetSaySo) {
  BatchFiller filler(kTestNow);
  DecoderOptions options;
  options.format = ParseFormat::csv;
  EXPECT_EQ(make_record_decoder(options, filler, {}).error().code(), ErrorCode::unimplemented);
}

}  // namespace
}  // namespace dendro
