// How fast texts are looked at for sensitive values when there are none, a line at a time and a buffer at a time, and
// what RE2 takes for the same kinds as one alternation. One thread, best of rounds.
//
//   mask_bench [FILE]   lines of FILE, else 64 MiB of made-up service logs (seed 1)
//
// Output: what, MB/s, ratio to RE2. Aim: 1 GB/s a core where nothing matches.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "filter/regex.h"
#include "filter/sensitive/sensitive_finder.h"

namespace {

using namespace dendro;

constexpr std::size_t kMadeUpBytes = std::size_t{64} << 20;
constexpr int kRounds = 5;

/// Times, numbers, hashes, versions, names with colons: what looks a little like something.
std::string made_up_logs() {
  std::mt19937_64 random(1);
  constexpr std::string_view kWords[] = {"request", "finished", "user",   "session",  "token",       "cache",
                                         "GET",     "/api/v1",  "status", "upstream", "std::vector", "keys"};
  std::string text;
  char front[96];
  while (text.size() < kMadeUpBytes) {
    std::snprintf(front, sizeof front, "2026-11-20T10:%02u:%02u.%06uZ INFO svc-%u [%016llx] ",
                  static_cast<unsigned>(random() % 60), static_cast<unsigned>(random() % 60),
                  static_cast<unsigned>(random() % 1'000'000), static_cast<unsigned>(random() % 40),
                  static_cast<unsigned long long>(random()));
    text += front;
    for (std::size_t i = 4 + random() % 8; i > 0; --i) {
      text += kWords[random() % std::size(kWords)];
      text += random() % 3 == 0 ? "=" + std::to_string(random() % 100'000) + " " : " ";
    }
    text += "took " + std::to_string(random() % 1'000) + "." + std::to_string(random() % 100) + "ms\n";
  }
  return text;
}

std::string text_of(int argc, char** argv) {
  if (argc < 2) return made_up_logs();
  std::ifstream file(argv[1], std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t last = std::min(text.find('\n', first), text.size());
    lines.push_back(text.substr(first, last - first));
    first = last + 1;
  }
  return lines;
}

/// Megabytes a second of the best round.
double rate_of(std::size_t bytes, const std::function<std::size_t()>& work, std::size_t& found) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto began = std::chrono::steady_clock::now();
    found = work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    best = std::max(best, static_cast<double>(bytes) / took.count() / 1e6);
  }
  return best;
}

constexpr std::string_view kPeer =
    R"((?i:[a-z0-9._%+-]+@[a-z0-9-]+\.[a-z]{2,})|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:\d[ -]?){13,19}\b|\beyJ[\w-]{8,}\.[\w-]+|)"
    R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bxox[a-z]-[\w-]{10,}|\bAIza[\w-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY|)"
    R"((?i:password|passwd|secret|api_key)["']?\s*[:=]\s*\S+|\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b|\b\d{3}-\d{2}-\d{4}\b|)"
    R"((?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2})";

}  // namespace

int main(int argc, char** argv) {
  const std::string text = text_of(argc, argv);
  const std::vector<std::string_view> lines = lines_of(text);
  std::printf("%zu bytes, %zu lines\n", text.size(), lines.size());
  std::size_t found = 0;

  const auto peer = Regex::compile(kPeer);
  if (!peer) {
    std::fprintf(stderr, "%s\n", peer.error().message().c_str());
    return 1;
  }
  const double peer_rate = rate_of(
      text.size(),
      [&] {
        return static_cast<std::size_t>(
            std::ranges::count_if(lines, [&](auto line) { return (*peer)->matches(line); }));
      },
      found);
  std::printf("%-34s %9.0f MB/s  1.00  (%zu lines with a find)\n", "RE2, alternation, by line", peer_rate, found);

  std::vector<SensitiveSpan> spans;
  for (const char* kinds : {"all", "personal", "credentials", "card"}) {
    const SensitiveFinder finder(*parse_sensitive_kinds(kinds));
    const double by_line = rate_of(
        text.size(),
        [&] {
          spans.clear();
          for (const std::string_view line : lines) finder.find(line, spans);
          return spans.size();
        },
        found);
    std::printf("%-34s %9.0f MB/s %5.2f  (%zu finds)\n", (std::string(kinds) + ", by line").c_str(), by_line,
                by_line / peer_rate, found);
    const double by_buffer = rate_of(
        text.size(),
        [&] {
          spans.clear();
          for (std::size_t at = 0; at < text.size(); at += 65'536) {
            finder.find(std::string_view(text).substr(at, 65'536), spans);
          }
          return spans.size();
        },
        found);
    std::printf("%-34s %9.0f MB/s %5.2f\n", (std::string(kinds) + ", by 64 KiB").c_str(), by_buffer,
                by_buffer / peer_rate);
  }
  return 0;
}
