// How fast NDJSON becomes encoded batches, against a bare simdjson On-Demand walk over all leaves of the same lines in
// the same process. CPU time of one thread, best of N.
//   zstd -dc --long=27 ../shared/data/corpora/nezha.ndjson.zst > /tmp/nezha.ndjson
//   build/bench/bench/ingest_decode_bench /tmp/nezha.ndjson 5
#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decode_ingest.h"
#include "parse/json_reader.h"

namespace {

constexpr std::size_t kBodyBytes = std::size_t{64} << 20;  // what one request may hold

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <typename Work>
double best_cpu_seconds(int repeats, Work work) {
  double best = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const double first = cpu_seconds();
    work();
    const double seconds = cpu_seconds() - first;
    if (seconds < best) best = seconds;
  }
  return best;
}

/// Bodies of at most kBodyBytes that end with a line.
std::vector<std::string_view> cut_bodies(std::string_view text) {
  std::vector<std::string_view> bodies;
  while (text.size() > kBodyBytes) {
    const std::size_t last = text.rfind('\n', kBodyBytes - 1) + 1;
    bodies.push_back(text.substr(0, last));
    text.remove_prefix(last);
  }
  bodies.push_back(text);
  return bodies;
}

std::uint64_t walk(simdjson::ondemand::value value) {
  std::uint64_t leaves = 0;
  switch (value.type().value_unsafe()) {
    case simdjson::ondemand::json_type::object: {
      simdjson::ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) return 0;
      for (auto field : object) {
        std::string_view key;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS) return leaves;
        leaves += walk(field.value().value_unsafe());
      }
      return leaves;
    }
    case simdjson::ondemand::json_type::array: {
      simdjson::ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) return 0;
      for (auto element : array) leaves += walk(element.value_unsafe());
      return leaves;
    }
    case simdjson::ondemand::json_type::string:
      return value.get_string().value_unsafe().size() > 0 ? 1u : 2u;
    case simdjson::ondemand::json_type::number:
      return value.raw_json_token().size();
    default:
      return value.raw_json_token().size();
  }
}

std::uint64_t walk_lines(simdjson::ondemand::parser& parser, std::string_view text, std::size_t capacity) {
  std::uint64_t leaves = 0;
  for (std::size_t first = 0; first < text.size();) {
    std::size_t last = text.find('\n', first);
    if (last == std::string_view::npos) last = text.size();
    simdjson::ondemand::document document;
    if (parser.iterate(text.data() + first, last - first, capacity - first).get(document) == simdjson::SUCCESS) {
      simdjson::ondemand::object object;
      if (document.get_object().get(object) == simdjson::SUCCESS) {
        for (auto field : object) {
          std::string_view key;
          if (field.unescaped_key().get(key) == simdjson::SUCCESS) leaves += walk(field.value().value_unsafe());
        }
      }
    }
    first = last + 1;
  }
  return leaves;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FILE.ndjson [REPEATS]\n", argv[0]);
    return 2;
  }
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  std::ostringstream buffer;
  buffer << std::ifstream(argv[1], std::ios::binary).rdbuf();
  std::string text = std::move(buffer).str();
  const std::size_t bytes = text.size();
  text.resize(bytes + simdjson::SIMDJSON_PADDING);
  const std::string_view all(text.data(), bytes);
  const std::vector<std::string_view> bodies = cut_bodies(all);

  std::uint64_t accepted = 0;
  std::uint64_t encoded_bytes = 0;
  const double decode_seconds = best_cpu_seconds(repeats, [&] {
    accepted = encoded_bytes = 0;
    for (const std::string_view body : bodies) {
      dendro::IngestRequest request;
      request.body = body;
      request.content_type = "application/x-ndjson";
      request.receive_time = dendro::Timestamp(1'800'000'000'000'000'000);
      const auto decoded = dendro::decode_ingest(request, {});
      if (!decoded) std::abort();
      accepted += decoded->accepted;
      for (const auto& batch : decoded->batches) encoded_bytes += batch->encoded().size();
    }
  });
  std::uint64_t nodes = 0;
  dendro::JsonReader reader(32);
  const double read_seconds = best_cpu_seconds(repeats, [&] {
    for (std::size_t first = 0; first < bytes;) {
      const std::size_t last = std::min(all.find('\n', first), bytes);
      if (reader.read(all.substr(0, last), first).kind == dendro::JsonRead::Kind::object)
        nodes += reader.nodes().size();
      first = last + 1;
    }
  });
  std::uint64_t leaves = 0;
  simdjson::ondemand::parser parser;
  const double walk_seconds = best_cpu_seconds(repeats, [&] { leaves += walk_lines(parser, all, text.size()); });

  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::printf("%s: %.1f MB, %llu records, best of %d, CPU time of one thread\n", argv[1], megabytes,
              static_cast<unsigned long long>(accepted), repeats);
  std::printf("  decode_ingest to encoded batches  %8.1f MB/s  %7.0f ns a record  (%.1f MB encoded)\n",
              megabytes / decode_seconds, decode_seconds * 1e9 / static_cast<double>(accepted),
              static_cast<double>(encoded_bytes) / 1e6);
  std::printf("  JsonReader alone                  %8.1f MB/s  (checksum %llu)\n", megabytes / read_seconds,
              static_cast<unsigned long long>(nodes));
  std::printf("  simdjson On-Demand, all leaves    %8.1f MB/s  (checksum %llu, %s)\n", megabytes / walk_seconds,
              static_cast<unsigned long long>(leaves), simdjson::get_active_implementation()->name().c_str());
  std::printf("  ratio decode_ingest : simdjson    %8.2f\n", walk_seconds / decode_seconds);
  return 0;
}
