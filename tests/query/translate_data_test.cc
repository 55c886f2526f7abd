// What a translated metric query answers is what its language says of the same records, computed the plain way.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <random>

#include "base/json_document.h"
#include "query/translate/translation.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

const Timestamp kStart = at("2026-11-20T10:00:00Z");
constexpr std::int64_t kSecond = kNanosPerSecond;

struct Line {
  std::int64_t second;  ///< since kStart
  std::string app, pod, body;
  std::optional<double> ms;
};

std::vector<Line> random_lines(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Line> lines;
  for (int i = 0; i < 400; ++i) {
    Line line;
    line.second = static_cast<std::int64_t>(random() % 900);
    line.app = random() % 3 == 0 ? "web" : "api";
    line.pod = line.app + std::to_string(random() % 3);
    const auto ms = random() % 500;
    if (random() % 5 != 0) line.ms = static_cast<double>(ms);
    line.body = line.ms ? "took ms=" + std::to_string(ms) : random() % 2 == 0 ? "took ms=long" : "took its time";
    lines.push_back(line);
  }
  return lines;
}

std::string ndjson(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) {
    text += R"({"_time":")" + to_rfc3339(Timestamp(kStart.number() + line.second * kSecond)) + R"(","service.name":")" +
            line.app + R"(","host.name":")" + line.pod + R"(","body":")" + line.body + "\"}\n";
  }
  return text;
}

/// Rows as "label label time value", sorted.
using Rows = std::vector<std::string>;

std::string shown(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}
std::string time_text(std::int64_t second) {
  return to_rfc3339(Timestamp(kStart.number() + second * kSecond)).substr(11, 8);
}

Rows answered(const std::string& translated, const std::vector<Line>& lines, const std::vector<std::string>& labels,
              std::int64_t first_s, std::int64_t last_s) {
  QueryRequest request;
  request.query = translated;
  request.now = at("2026-11-21T00:00:00Z");
  request.start = to_rfc3339(Timestamp(kStart.number() + first_s * kSecond));
  request.end = to_rfc3339(Timestamp(kStart.number() + last_s * kSecond));
  const ManualClock clock(request.now);
  const Answer answer =
      run_query(request, make_snapshot_input(make_memory_snapshot(load_json(ndjson(lines), kStart))), clock);
  Rows rows;
  for (const std::string& row : answer.rows) {
    const auto json = parse_json_document(row);
    EXPECT_TRUE(json.has_value()) << row;
    std::string text;
    for (const std::string& label : labels) text += std::string(json->find(label)->as_string().value_or("-")) + " ";
    text += std::string(*json->find("_time")->as_string()).substr(11, 8) + " ";
    rows.push_back(text + shown(*json->find("value")->as_double()));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// LogQL's meaning: at each step the lines of (t - range - offset, t - offset], by series.
struct Naive {
  const std::vector<Line>& lines;
  std::int64_t step, range, offset, first, last;
  using Series = std::map<std::string, std::vector<const Line*>>;

  template <typename Label, typename Value>
  std::map<std::int64_t, std::map<std::string, double>> at_each_step(Label label, Value value) const {
    std::map<std::int64_t, std::map<std::string, double>> samples;
    for (std::int64_t t = first; t <= last; t += step) {
      Series series;
      for (const Line& line : lines) {
        if (line.second > t - offset - range && line.second <= t - offset) series[label(line)].push_back(&line);
      }
      for (const auto& [name, members] : series) {
        const std::optional<double> sample = value(members);
        if (sample) samples[t][name] = *sample;
      }
    }
    return samples;
  }
  template <typename Label, typename Value>
  Rows rows(Label label, Value value) const {
    return as_rows(at_each_step(label, value));
  }
  static Rows as_rows(const std::map<std::int64_t, std::map<std::string, double>>& samples) {
    Rows rows;
    for (const auto& [t, values] : samples) {
      for (const auto& [name, value] : values)
        rows.push_back(name + (name.empty() ? "" : " ") + time_text(t) + " " + shown(value));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
};

std::optional<double> count_of(const std::vector<const Line*>& members) {
  return static_cast<double>(members.size());
}
std::vector<double> numbers_of(const std::vector<const Line*>& members) {
  std::vector<double> numbers;
  for (const Line* line : members) {
    if (line->ms) numbers.push_back(*line->ms);
  }
  return numbers;
}
const auto by_app = [](const Line& line) { return line.app; };
const auto by_nothing = [](const Line&) { return std::string(); };

std::string logql(const std::string& text, std::int64_t step_s) {
  const auto done = translate_logql(text, step_s * kSecond);
  EXPECT_TRUE(done.has_value()) << text << ": " << (done ? "" : done.error().message());
  return done ? done->query : "";
}

TEST(TranslatedLogql, CountsAndRatesAreTheRightNumbers) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(seed);
    const auto lines = random_lines(seed);
    const Naive naive{lines, 60, 300, 0, 300, 840};
    EXPECT_EQ(answered(logql("sum by (service_name) (count_over_time({}[5m]))", 60), lines, {"service_name"}, 300, 840),
              naive.rows(by_app, count_of));
    EXPECT_EQ(answered(logql("sum(rate({}[5m])) * 60", 60), lines, {}, 300, 840),
              naive.rows(by_nothing, [](const auto& members) {
                return std::optional(static_cast<double>(members.size()) / 300 * 60);
              }));
    const Naive shifted{lines, 60, 120, 300, 300, 840};
    EXPECT_EQ(answered(logql("sum by (service_name) (bytes_over_time({}[2m] offset 5m))", 60), lines, {"service_name"},
                       300, 840),
              shifted.rows(by_app, [](const auto& members) {
                double bytes = 0;
                for (const Line* line : members) bytes += static_cast<double>(line->body.size());
                return std::optional(bytes);
              }));
  }
}

TEST(TranslatedLogql, UnwrappedNumbersAreTheRightNumbers) {
  const auto lines = random_lines(4);
  const Naive naive{lines, 90, 180, 0, 180, 900};
  const std::string source = R"({} |= "took" | logfmt | unwrap ms | __error__="" [3m])";
  const auto of = [&](const std::string& query) {
    return answered(logql(query, 90), lines, {"service_name"}, 180, 900);
  };
  const auto folded = [&](auto fold) {
    return naive.rows(by_app, [fold](const auto& members) -> std::optional<double> {
      std::vector<double> numbers = numbers_of(members);
      if (numbers.empty()) return std::nullopt;
      return fold(numbers);
    });
  };
  const auto sum = [](const std::vector<double>& numbers) {
    double total = 0;
    for (const double number : numbers) total += number;
    return total;
  };
  EXPECT_EQ(of("sum by (service_name) (sum_over_time(" + source + "))"), folded(sum));
  EXPECT_EQ(of("sum by (service_name) (rate(" + source + "))"), folded([&](const auto& n) { return sum(n) / 180; }));
  EXPECT_EQ(of("avg_over_time(" + source + ") by (service_name)"),
            folded([&](const auto& n) { return sum(n) / static_cast<double>(n.size()); }));
  EXPECT_EQ(of("max by (service_name) (max_over_time(" + source + "))"),
            folded([](const auto& n) { return *std::max_element(n.begin(), n.end()); }));
  EXPECT_EQ(of("min_over_time(" + source + ") by (service_name)"),
            folded([](const auto& n) { return *std::min_element(n.begin(), n.end()); }));
  EXPECT_EQ(of("stddev_over_time(" + source + ") by (service_name)"), folded([&](const auto& n) {
              const double mean = sum(n) / static_cast<double>(n.size());
              double squares = 0;
              for (const double number : n) squares += (number - mean) * (number - mean);
              return std::sqrt(squares / static_cast<double>(n.size()));
            }));
}

TEST(TranslatedLogql, AggregationsOfSeriesAreTheRightNumbers) {
  const auto lines = random_lines(5);
  const Naive naive{lines, 120, 120, 0, 120, 840};
  const auto by_pod = naive.at_each_step([](const Line& line) { return line.app + " " + line.pod; }, count_of);
  std::map<std::int64_t, std::map<std::string, double>> averages, series, top;
  for (const auto& [t, values] : by_pod) {
    std::map<std::string, std::vector<double>> by_app_name;
    std::vector<std::pair<double, std::string>> ranked;
    for (const auto& [name, value] : values) {
      by_app_name[name.substr(0, name.find(' '))].push_back(value);
      ranked.emplace_back(value, name);
    }
    for (const auto& [app, counts] : by_app_name) {
      double total = 0;
      for (const double count : counts) total += count;
      averages[t][app] = total / static_cast<double>(counts.size());
      series[t][app] = static_cast<double>(counts.size());
    }
    std::sort(ranked.rbegin(), ranked.rend());
    if (ranked.size() < 3 || ranked[1].first != ranked[2].first) {  // otherwise either may be chosen
      for (std::size_t i = 0; i < std::min<std::size_t>(2, ranked.size()); ++i)
        top[t][ranked[i].second] = ranked[i].first;
    }
  }
  const auto of = [&](const std::string& query, const std::vector<std::string>& labels) {
    return answered(logql(query, 120), lines, labels, 120, 840);
  };
  EXPECT_EQ(of("avg by (service_name) (count_over_time({}[2m]))", {"service_name"}), Naive::as_rows(averages));
  EXPECT_EQ(of("count by (service_name) (count_over_time({}[2m]))", {"service_name"}), Naive::as_rows(series));
  EXPECT_EQ(of("avg by (service_name) (count_over_time({}[2m])) > 12", {"service_name"}), [&] {
    auto kept = averages;
    for (auto& [t, values] : kept) std::erase_if(values, [](const auto& one) { return one.second <= 12; });
    return Naive::as_rows(kept);
  }());
  const Rows chosen = of("topk(2, sum by (service_name, host) (count_over_time({}[2m])))", {"service_name", "host"});
  EXPECT_GT(top.size(), 3u);
  for (const std::string& row : Naive::as_rows(top)) EXPECT_EQ(std::count(chosen.begin(), chosen.end(), row), 1) << row;
  EXPECT_LE(chosen.size(), 2 * by_pod.size());
}

TEST(TranslatedInsights, AnswersAreTheRightNumbers) {
  const auto lines = random_lines(6);
  const auto done = translate_insights(
      "filter @message like /took/ and service.name = 'api' | parse @message \"ms=*\" as ms | "
      "stats count(*) as value by bin(3m)");
  ASSERT_TRUE(done.has_value()) << done.error().message();
  std::map<std::int64_t, std::map<std::string, double>> expected;
  for (const Line& line : lines) {
    if (line.app == "api") expected[line.second / 180 * 180][""] += 1;
  }
  EXPECT_EQ(answered(done->query, lines, {}, 0, 900), Naive::as_rows(expected));
  const auto averages = translate_insights(
      "parse @message 'ms=*' as ms | filter ms > 100 | stats avg(ms) as value by service.name, bin(15m) | sort value");
  ASSERT_TRUE(averages.has_value()) << averages.error().message();
  std::map<std::string, std::vector<double>> numbers;
  for (const Line& line : lines) {
    if (line.ms && *line.ms > 100) numbers[line.app].push_back(*line.ms);
  }
  std::map<std::int64_t, std::map<std::string, double>> means;
  for (const auto& [app, all] : numbers) {
    for (const double number : all) means[0][app] += number / static_cast<double>(all.size());
  }
  EXPECT_EQ(answered(averages->query, lines, {"service.name"}, 0, 900), Naive::as_rows(means));
}

}  // namespace
}  // namespace dendro
