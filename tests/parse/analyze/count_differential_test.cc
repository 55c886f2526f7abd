// The vectorised way against the exact one on random and hostile text. DENDRO_TEST_SEED repeats a run.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>

#include "tests/parse/analyze/count_fixture.h"

namespace dendro {
namespace {

unsigned test_seed() {
  const char* given = std::getenv("DENDRO_TEST_SEED");
  return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
}

/// Makes lines that are mostly right, then hurts some of them.
class HostileText {
 public:
  explicit HostileText(unsigned seed) : random_(seed) {}

  std::string make(std::size_t lines) {
    std::string text;
    for (std::size_t i = 0; i < lines; ++i) {
      std::string line = one_in(12) ? pretty() : one_in(15) ? junk() : object(0);
      if (one_in(10)) line += object(0);
      if (one_in(4)) hurt(line);
      text += line + (one_in(9) ? " \r\n" : one_in(40) ? "" : "\n");
    }
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool one_in(std::size_t bound) { return below(bound) == 0; }
  template <std::size_t kSize>
  std::string pick(const std::array<const char*, kSize>& words) {
    return words[below(kSize)];
  }
  std::string space() { return one_in(6) ? pick<4>({" ", "\t", "  ", "\r"}) : ""; }

  std::string value(int depth) {
    switch (below(depth > 3 ? 8 : 10)) {
      case 8:
        return object(depth + 1);
      case 9: {
        std::string text = "[";
        for (std::size_t n = below(4); n > 0; --n) text += space() + value(depth + 1) + (n > 1 ? "," : "");
        return text + space() + "]";
      }
      case 0:
        return pick<9>({"true", "false", "null", "NaN", "Infinity", "-Infinity", "0", "-0", "[]"});
      case 1:
        return pick<8>({"1", "12345678901234567890", "-1.5", "1e9", "0.25E-3", "1E+4", "7", "{}"});
      case 2:
        return pick<8>({"01", "1.", ".5", "--1", "tru", "nul", "1e", "+1"});
      default:
        return string();
    }
  }
  std::string string() {
    return '"' +
           pick<16>({"ERROR", "INFO", "api", "db", "", " ", "caf\u00e9", "\u20ac\u20ac", "\U0001F600", "a\\\"b", "\\\\",
                     "\\u0041", "\\ud83d\\ude00", "x{}[]:,y",
                     "a longer text that spans more than one block of the indexer, surely", "\\n"}) +
           '"';
  }
  std::string object(int depth) {
    std::string text = "{" + space();
    for (std::size_t n = below(6); n > 0; --n) {
      const std::string key = pick<9>({"level", "service", "msg", "lev\\u0065l", "ts", "a", "levels", "", "service "});
      text += '"' + key + '"' + space() + ':' + space();
      text += key == "level" && !one_in(4) ? "\"ERROR\"" : value(depth);
      text += space() + (n > 1 ? "," : "");
    }
    return text + space() + "}";
  }
  std::string pretty() {
    std::string text = "{\n";
    for (std::size_t n = below(4); n > 0; --n) text += "  \"k\": " + value(2) + ",\n";
    return text + "  \"level\":\n \"ERROR\"\n}";
  }
  std::string junk() {
    return pick<10>({"", "   ", "plain text", "null", "[1,2]", "\"a\"", "42", "\u00a0", "{\"open\":", "}"});
  }
  void hurt(std::string& line) {
    for (std::size_t n = 1 + below(2); n > 0 && !line.empty(); --n) {
      const std::size_t at = below(line.size());
      switch (below(4)) {
        case 0:
          line.erase(at, 1 + below(3));
          break;
        case 1:
          line[at] = "\"\\{}[]:,\n\0\x01\x80\xC3\xE2\xF0\xFF \tae0-"[below(22)];
          break;
        case 2:
          line.insert(at, pick<8>({"\"", "\\", "{", "}", "\xE2\x82", "\n", "\xED\xA0\x80", "\xF5"}));
          break;
        default:
          line.resize(at);
      }
    }
  }

  std::mt19937 random_;
};

TEST(CountDifferential, EveryWayGivesWhatTheExactOneGives) {
  const unsigned seed = test_seed();
  std::cout << "seed " << seed << "\n";
  for (unsigned round = 0; round < 150; ++round) {
    SCOPED_TRACE("DENDRO_TEST_SEED=" + std::to_string(seed) + " round " + std::to_string(round));
    // A first line of its own, so that the input is no array.
    const std::string text = "{}\n" + HostileText(seed + round).make(1 + round % 120);
    const CountOptions options = round % 3 == 0   ? CountOptions{.levels = {"ERROR", "INFO"}, .ignore_case = true}
                                 : round % 3 == 1 ? CountOptions{.group_field = "msg"}
                                                  : CountOptions{};
    const std::string expected = summary(count_exactly(text, options));
    for (const Indexer indexer : {index_scalar, best_indexer()}) {
      for (const std::size_t chunk_bytes : {std::size_t{1}, std::size_t{50}, std::size_t{1000}, std::size_t{1} << 20}) {
        CountRun run;
        run.threads = 1 + static_cast<int>(chunk_bytes % 3);
        run.indexer = indexer;
        run.chunk_bytes = chunk_bytes;
        Result<CountResult> result =
            count_lines(std::make_unique<PiecewiseSource>(text, seed + round, 1 + chunk_bytes), options, run);
        ASSERT_TRUE(result.has_value());
        ASSERT_EQ(summary(*result), expected) << "chunk " << chunk_bytes << "\n" << text;
        ASSERT_EQ(result->bytes, text.size());
      }
    }
  }
}

TEST(CountDifferential, TheIndexersAgreeOnEveryByte) {
  const unsigned seed = test_seed();
  std::cout << "seed " << seed << "\n";
  for (unsigned round = 0; round < 2000; ++round) {
    SCOPED_TRACE("DENDRO_TEST_SEED=" + std::to_string(seed) + " round " + std::to_string(round));
    std::string text = HostileText(seed + round).make(1 + round % 8);
    const std::size_t size = text.size();
    text.append(kIndexPadBytes + 64, ' ');
    const auto run = [&](Indexer indexer, std::vector<std::uint32_t>& tokens, std::vector<std::uint32_t>& escapes) {
      tokens.assign(text.size() + 16, 0);
      escapes.assign(text.size() + 16, 0);
      IndexOutput out{tokens.data(), 0, escapes.data(), 0};
      IndexState state;
      const std::size_t stop = indexer(text.data(), 0, size, state, out);
      tokens.resize(out.token_count);
      escapes.resize(out.escape_count);
      return stop;
    };
    std::vector<std::uint32_t> plain_tokens, plain_escapes, tokens, escapes;
    const std::size_t plain_stop = run(index_scalar, plain_tokens, plain_escapes);
    const std::size_t stop = run(best_indexer(), tokens, escapes);
    ASSERT_EQ(stop, plain_stop) << text;
    // 0x1A and 0x0C pass for a colon and a comma in one of them; the hostile text holds neither.
    ASSERT_EQ(tokens, plain_tokens) << text;
    ASSERT_EQ(escapes, plain_escapes) << text;
  }
}

}  // namespace
}  // namespace dendro
