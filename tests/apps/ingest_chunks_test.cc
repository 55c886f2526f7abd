#include "apps/ingest_chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace dendro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> chunks_of(const std::string& text, std::size_t target_bytes, std::size_t bytes_max = 1 << 20) {
  IngestChunker chunker(std::make_unique<MemoryByteSource>(text), target_bytes, bytes_max);
  std::vector<std::string> chunks;
  while (true) {
    auto chunk = chunker.next();
    if (!chunk) return {"error: " + chunk.error().message()};
    if (!chunk->has_value()) return chunks;
    chunks.push_back(**chunk);
  }
}

TEST(IngestChunker, CutsNdjsonBetweenLines) {
  EXPECT_THAT(chunks_of("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", 1),
              ElementsAre("{\"a\":1}\n", "{\"a\":2}\n", "{\"a\":3}\n"));
}

TEST(IngestChunker, KeepsAPrettyPrintedObjectWhole) {
  EXPECT_THAT(chunks_of("{\n \"a\": {\n }\n}\n{\n \"b\": 1\n}\n", 1),
              ElementsAre("{\n \"a\": {\n }\n}\n", "{\n \"b\": 1\n}\n"));
}

TEST(IngestChunker, KeepsAnArrayWhole) {
  EXPECT_THAT(chunks_of("[\n{\"a\":1},\n{\"a\":2}\n]\n", 1), ElementsAre("[\n{\"a\":1},\n{\"a\":2}\n]\n"));
}

TEST(IngestChunker, CutsTextAtAnyLine) {
  EXPECT_THAT(chunks_of("a }\nb\nc", 1), ElementsAre("a }\n", "b\n", "c"));
}

TEST(IngestChunker, RefusesWhatHasNoEnd) {
  EXPECT_THAT(chunks_of("[" + std::string(3'000'000, ' '), 1'000, 1'000'000),
              ElementsAre(HasSubstr("no end of a record")));
}

TEST(IngestChunker, GivesEveryByteOnce) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string text = random() % 2 == 0 ? "{" : "";
    for (unsigned i = random() % 200; i > 0; --i) text += "{}\n x\r"[random() % 7];
    std::string joined;
    for (const std::string& chunk : chunks_of(text, random() % 20 + 1)) joined += chunk;
    ASSERT_EQ(joined, text);
  }
}

}  // namespace
}  // namespace dendro
