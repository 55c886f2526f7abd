// The segment encoder by itself: bytes at rest and speed over a corpus, in one process, one thread. Usage:
//   segment_bench FILE.ndjson [LEVEL [SEGMENT_MIB]]      LEVEL of zstd, default 1; SEGMENT_MIB of raw text, default 64
// Decodes FILE as an intake would (1 MiB bodies), orders all records by time, cuts segments and row groups as a flush
// does, proves each row group as a flush does (segment_proof.h; timed apart). Peer: zstd of the same level over the
// file as it is. docs/benchmarks.md holds results.
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "bench/corpus_rows.h"
#include "io/memory_file_system.h"
#include "storage/segment/row_group_encoder.h"
#include "storage/segment/segment_proof.h"

namespace {

using dendro::RowGroupEntry;

struct Totals {
  std::size_t row_groups = 0, segments = 0, templates = 0;
  std::size_t blocks_bytes = 0, directory_bytes = 0, dictionary_bytes = 0;
  double proof_seconds = 0;
  std::map<std::string, double> parts;
  std::size_t total() const { return blocks_bytes + directory_bytes + dictionary_bytes; }
};

void attribute(const RowGroupEntry& entry, const dendro::SegmentDictionary& dictionary, Totals& totals) {
  std::vector<bool> is_named(entry.blocks.size());
  const auto add = [&](const dendro::ChunkPlace& place, const std::string& name) {
    if (place.is_empty()) return;
    const auto& block = entry.blocks[place.block];
    totals.parts[name] += 1.0 * block.stored_bytes * place.bytes / block.plain_bytes;
    is_named[place.block] = true;
  };
  add(entry.timestamps, "(timestamps)");
  add(entry.sequences, "(sequences)");
  add(entry.severities, "(severities)");
  add(entry.shapes, "(shapes)");
  add(entry.streams, "(streams)");
  for (const auto& column : entry.columns) {
    add(column.place, std::string(dictionary.columns()[column.column].path) +
                          (column.layout == dendro::ColumnLayout::templates ? " (head)" : ""));
  }
  for (std::size_t i = 0; i < is_named.size(); ++i) {
    if (!is_named[i]) totals.parts["(slots, codes, pools)"] += entry.blocks[i].stored_bytes;
  }
}

void prove(std::span<const dendro::SegmentRow> rows, const dendro::SegmentDictionaryBuilder& dictionary,
           RowGroupEntry entry, const std::string& stored, Totals& totals) {
  const std::clock_t begin = std::clock();
  for (dendro::BlockPlace& block : entry.blocks) {
    block.hash = xxh3(std::string_view(stored).substr(block.offset, block.stored_bytes), dendro::HashSeed(0));
  }
  dendro::MemoryFileSystem files;
  const dendro::SegmentInfo info;
  const std::string path = "bench";
  const dendro::Status proved = prove_row_group(rows, {path, info, dictionary, entry, stored}, files);
  if (!proved) {
    std::printf("%s\n", proved.error().message().c_str());
    std::exit(1);
  }
  totals.proof_seconds += static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

void encode_segment(std::span<const dendro::SegmentRow> rows, int level, Totals& totals) {
  dendro::SegmentDictionaryBuilder dictionary;
  dendro::BlockCompressor compressor(level);
  dendro::RowGroupEncoder encoder(dictionary, compressor);
  std::string directory;
  std::vector<RowGroupEntry> entries;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    std::size_t bytes = 0;
    while (last < rows.size() && last - first < dendro::kMaxBatchRecords && bytes < (std::size_t{32} << 20)) {
      bytes += rows[last].batch->record(rows[last].row).value_bytes().size();
      ++last;
    }
    std::string stored;
    entries.push_back(encoder.encode(rows.subspan(first, last - first), dendro::EncodeForm::best, stored));
    last = first + entries.back().record_count;
    prove(rows.subspan(first, last - first), dictionary, entries.back(), stored, totals);
    totals.blocks_bytes += stored.size();
    append_row_group(directory, entries.back());
    first = last;
  }
  dendro::BlockCompressor strong(std::max(level, 9));
  const std::string plain = dictionary.encode();
  totals.dictionary_bytes += strong.packed_size(plain);
  totals.directory_bytes += strong.packed_size(directory);
  totals.row_groups += entries.size();
  ++totals.segments;
  auto parsed = dendro::SegmentDictionary::parse(plain);
  if (!parsed) {
    std::printf("%s\n", parsed.error().message().c_str());
    std::exit(1);
  }
  for (std::size_t c = 0; c < (*parsed)->columns().size(); ++c) {
    totals.templates += (*parsed)->templates(c).templates.size();
  }
  if (std::getenv("DETAIL") != nullptr) {
    for (const RowGroupEntry& entry : entries) attribute(entry, **parsed, totals);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int level = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::size_t segment_bytes = static_cast<std::size_t>(argc > 3 ? std::atoi(argv[3]) : 64) << 20;
  const std::string text = read_text_file(argv[1]);
  const CorpusRows loaded = decode_corpus(text);
  const double bytes_a_row = 1.0 * static_cast<double>(text.size()) / static_cast<double>(loaded.rows.size());
  const auto rows_a_segment = static_cast<std::size_t>(static_cast<double>(segment_bytes) / bytes_a_row);

  Totals totals;
  const std::clock_t begin = std::clock();
  for (std::size_t first = 0; first < loaded.rows.size(); first += rows_a_segment) {
    const std::size_t count = std::min(rows_a_segment, loaded.rows.size() - first);
    encode_segment(std::span(loaded.rows).subspan(first, count), level, totals);
  }
  const double proved_seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const double seconds = proved_seconds - totals.proof_seconds;
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const std::size_t peer = ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), level);

  std::printf("%s: %zu records, %zu bytes raw, %zu segments, %zu row groups, %zu templates\n", argv[1],
              loaded.rows.size(), text.size(), totals.segments, totals.row_groups, totals.templates);
  std::printf("  blocks %zu, dictionary %zu, directory %zu, total %zu\n", totals.blocks_bytes, totals.dictionary_bytes,
              totals.directory_bytes, totals.total());
  std::printf("  ratio %.1fx (zstd -%d of the file %.1fx), encode %.0f MB/s of CPU time, proved %.0f MB/s\n",
              1.0 * static_cast<double>(text.size()) / static_cast<double>(totals.total()), level,
              1.0 * static_cast<double>(text.size()) / static_cast<double>(peer),
              static_cast<double>(text.size()) / 1e6 / seconds,
              static_cast<double>(text.size()) / 1e6 / proved_seconds);
  std::vector<std::pair<double, std::string>> parts;
  for (const auto& [name, bytes] : totals.parts) parts.emplace_back(bytes, name);
  std::sort(parts.rbegin(), parts.rend());
  for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 25); ++i) {
    std::printf("    %-32s %9.0f  %4.1f %%\n", parts[i].second.c_str(), parts[i].first,
                100 * parts[i].first / static_cast<double>(totals.total()));
  }
}
