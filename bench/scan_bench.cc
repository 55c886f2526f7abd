// Filters over segments by themselves: milliseconds a query, without plan, order or HTTP, on one thread. Usage:
//   scan_bench FILE.ndjson QUERY...      a QUERY is a filter; --check also counts by the plain way, record by record
// Writes FILE into one segment in a temporary folder, then asks each filter of every row group: once cold, then five
// times hot. docs/benchmarks.md holds results; VictoriaLogs' figures are those of engine.md 5.4, quoted.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "bench/corpus_rows.h"
#include "query/plan/query_plan.h"
#include "storage/scan/segment_filter.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/segment_writer.h"

namespace {

using dendro::RowGroupReader;

std::size_t count_matches(const dendro::Segment& segment, const dendro::SegmentTables& tables,
                          dendro::PieceCache& cache, const dendro::RecordFilter& filter, bool& is_exact) {
  const auto segment_filter = dendro::make_segment_filter(filter);
  std::size_t count = 0;
  is_exact = true;
  for (std::uint32_t i = 0; i < tables.row_groups.size(); ++i) {
    RowGroupReader reader(segment, tables, i, cache);
    const dendro::RowVerdict verdict = must(segment_filter->select(reader));
    is_exact = is_exact && verdict.is_exact();
    count += verdict.possible.count();
  }
  return count;
}

std::size_t count_plainly(const CorpusRows& source, const dendro::RecordFilter& filter) {
  std::size_t count = 0;
  for (const auto& batch : source.batches) {
    std::vector<std::uint32_t> rows(batch->size());
    std::iota(rows.begin(), rows.end(), 0u);
    filter.select(*batch, rows);
    count += rows.size();
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::string folder = std::filesystem::temp_directory_path() / "scan_bench_XXXXXX";  // mkdtemp fills the X in
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const dendro::StorePaths paths(folder);
  const auto files = dendro::make_posix_file_system();
  const CorpusRows source = decode_corpus(read_text_file(argv[1]));
  dendro::SegmentWriter::Place place;
  place.id = dendro::SegmentId(1);
  place.day = dendro::day_start(source.rows.front().batch->timestamp(source.rows.front().row));
  auto writer = must(dendro::SegmentWriter::create(paths, *files, place));
  for (const dendro::SegmentRow& row : source.rows) {
    if (!writer->add(row)) return 1;
  }
  const dendro::SegmentInfo info = must(writer->finish());
  const auto segment = dendro::Segment::open(*files, paths.segment(info.tenant, info.day, info.id), {}, info);
  const std::shared_ptr<const dendro::SegmentTables> held = must(segment->tables());
  const dendro::SegmentTables& tables = *held;
  std::printf("%s: %zu records, segment of %llu bytes, %zu row groups\n", argv[1], source.rows.size(),
              static_cast<unsigned long long>(info.file_bytes), tables.row_groups.size());
  bool check = false;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--check") {
      check = true;
      continue;
    }
    dendro::QueryRequest request;
    request.query = argv[i];
    dendro::QueryFault fault;
    const auto prepared = dendro::prepare_query(request, fault);
    if (!prepared) {
      std::printf("  %-50s %s\n", argv[i], prepared.error().message().c_str());
      continue;
    }
    const dendro::RecordFilter& filter = *prepared->plan().scan_filter;
    dendro::PieceCache cache(std::size_t{1} << 30);
    std::vector<double> times;
    std::size_t count = 0;
    bool is_exact = false;
    for (int run = 0; run < 6; ++run) {
      const auto begin = std::chrono::steady_clock::now();
      count = count_matches(*segment, tables, cache, filter, is_exact);
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(times.begin() + 1, times.end());
    std::printf("  %-50s %8zu%s  cold %7.2f ms  hot %7.3f ms", argv[i], count, is_exact ? " " : "?", times[0],
                times[3]);
    if (check) {
      const std::size_t truth = count_plainly(source, filter);
      std::printf("  %s", truth == count ? "as by records" : (std::string("WRONG: ") + std::to_string(truth)).c_str());
    }
    std::printf("\n");
  }
  std::filesystem::remove_all(folder);
}
