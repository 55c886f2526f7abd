#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/decode_ingest.h"
#include "storage/segment/row_group_encoder.h"

/// The value, or its error on stderr and exit code 1: what a benchmark does with a failure.
template <typename T>
T must(dendro::Result<T> result) {
  if (result) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(1);
}

inline std::string read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A corpus as a flush sees it: decoded as an intake would (bodies of 1 MiB), ordered by time.
struct CorpusRows {
  std::vector<std::shared_ptr<const dendro::RecordBatch>> batches;
  std::vector<dendro::SegmentRow> rows;
};

inline CorpusRows decode_corpus(const std::string& text) {
  CorpusRows corpus;
  std::uint64_t sequence = 1;
  for (std::size_t first = 0; first < text.size();) {
    std::size_t last = std::min(text.size(), first + (std::size_t{1} << 20));
    last = last == text.size() ? last : text.rfind('\n', last) + 1;
    dendro::IngestRequest request;
    request.body = std::string_view(text).substr(first, last - first);
    request.content_type = "application/x-ndjson";
    request.receive_time = dendro::Timestamp(1'790'000'000'000'000'000);  // behind the records of every corpus
    for (const auto& batch : must(dendro::decode_ingest(request, {})).batches) {
      corpus.batches.push_back(batch);
      for (std::uint32_t row = 0; row < batch->size(); ++row) {
        corpus.rows.push_back({batch.get(), row, dendro::SequenceNumber(sequence++), request.receive_time});
      }
    }
    first = last;
  }
  std::sort(corpus.rows.begin(), corpus.rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.batch->timestamp(a.row), a.sequence) < std::pair(b.batch->timestamp(b.row), b.sequence);
  });
  return corpus;
}
