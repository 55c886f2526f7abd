// The counting scanner on any bytes: no crash, and every way gives what the exact one gives. The first byte chooses the
// chunks.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "tests/parse/analyze/count_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // A first line of its own: the model knows neither marks nor arrays. Without it they run as well, uncompared.
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  dendro::count_text(bytes);
  const std::string text = "{}\n" + bytes;
  const std::string expected = dendro::summary(dendro::count_exactly(text));
  for (const dendro::Indexer indexer : {dendro::index_scalar, dendro::best_indexer()}) {
    dendro::CountRun run;
    run.threads = 1;
    run.indexer = indexer;
    run.chunk_bytes = std::size_t{1} + data[0];
    DENDRO_CHECK(dendro::summary(dendro::count_text(text, {}, run)) == expected);
  }
  return 0;
}
