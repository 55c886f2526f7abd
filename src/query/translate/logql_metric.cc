// LogQL's metric queries (query-language.md 12).
//
//   comparison = sum { ("==" | "!=" | ">" | ">=" | "<" | "<=") sum }
//   sum        = product { ("+" | "-") product }
//   product    = power { ("*" | "/" | "%") power }
//   power      = primary [ "^" power ]
//   primary    = number | "(" comparison ")" | over | aggregation
//   over       = name "(" [ number "," ] log query "[5m]" [ "offset" duration ] ")" [ grouping ]
//   aggregation = name [ grouping ] "(" [ number "," ] comparison ")" [ grouping ]
//   grouping   = "by" "(" labels ")"
//
// What an aggregation over time counts by is known only once the aggregation around it is: `sum by (x)` of counts is
// counted by x at once, an average needs each series by itself first. So it waits as it is (Operand::Kind::over_time).
#include "query/translate/logql_metric.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "filter/time_literal.h"
#include "query/translate/logql_stages.h"

namespace dendro {
namespace {

constexpr int kMetricDepthMax = 50;
constexpr std::string_view kValue = "value";
constexpr std::string_view kStream = "_stream";
constexpr std::int64_t kStepMaxNs = std::int64_t{3600} * kNanosPerSecond;

std::string number_text(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end.ptr};
}
/// A duration of our language.
std::string duration_text(std::int64_t ns) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 6> kUnits = {{{3'600'000'000'000, "h"},
                                                                                       {60'000'000'000, "m"},
                                                                                       {1'000'000'000, "s"},
                                                                                       {1'000'000, "ms"},
                                                                                       {1'000, "us"},
                                                                                       {1, "ns"}}};
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [ns](const auto& row) { return ns % row.first == 0; });
  return std::to_string(ns / unit->first) + std::string(unit->second);
}

/// How an aggregation over time is said here.
struct OverTime {
  std::string_view name;
  std::string_view of_lines;    ///< empty: it needs unwrap
  std::string_view of_numbers;  ///< `$` is the field; empty: unwrap makes no sense
  bool is_per_second = false;
  /// The aggregation of several series that gives what one of all their lines would give; empty: none.
  std::string_view joined_by;
};
constexpr std::array<OverTime, 12> kOverTime = {{
    {"count_over_time", "count()", "count()", false, "sum"},
    {"rate", "count()", "sum($)", true, "sum"},
    {"bytes_over_time", "sum_len(body)", "", false, "sum"},
    {"bytes_rate", "sum_len(body)", "", true, "sum"},
    {"sum_over_time", "", "sum($)", false, "sum"},
    {"avg_over_time", "", "avg($)", false, ""},
    {"min_over_time", "", "min($)", false, "min"},
    {"max_over_time", "", "max($)", false, "max"},
    {"stddev_over_time", "", "stddev($)", false, ""},
    {"stdvar_over_time", "", "variance($)", false, ""},
    {"first_over_time", "", "first($)", false, ""},
    {"last_over_time", "", "last($)", false, ""},
}};
constexpr OverTime kQuantileOverTime = {"quantile_over_time", "", "quantile(#, $)", false, ""};

struct Aggregation {
  std::string_view name, function;
};
constexpr std::array<Aggregation, 7> kAggregations = {{{"sum", "sum(value)"},
                                                       {"avg", "avg(value)"},
                                                       {"min", "min(value)"},
                                                       {"max", "max(value)"},
                                                       {"count", "count()"},
                                                       {"stddev", "stddev(value)"},
                                                       {"stdvar", "variance(value)"}}};

struct Operand {
  enum class Kind : std::uint8_t { scalar, over_time, table };
  Kind kind = Kind::scalar;
  double scalar = 0;
  // over_time
  LogqlPipeline pipeline;
  std::string function;  ///< of `stats`
  std::string joined_by;
  bool is_per_second = false;
  std::int64_t offset_ns = 0;
  std::optional<std::vector<std::string>> own_labels;  ///< of `by` behind it
  // table
  std::string query;
  std::vector<std::string> labels;  ///< its columns but `_time` and `value`
};

class MetricTranslator {
 public:
  MetricTranslator(LogqlText& text, std::int64_t step_ns, std::vector<std::string>& warnings)
      : text_(text), step_ns_(step_ns), warnings_(warnings) {}

  Result<std::string> run() {
    DENDRO_TRY_ASSIGN(Operand whole, take_comparison());
    if (!text_.at_end()) {
      for (const char* word : {"and", "or", "unless"}) {
        if (text_.peek_word() == word)
          return text_.fail("\"" + std::string(word) + "\" between series has no translation");
      }
      return text_.fail("nothing must stand here");
    }
    if (whole.kind == Operand::Kind::scalar) return text_.fail("a number alone has no translation");
    DENDRO_TRY(make_table(whole));
    return std::move(whole.query);
  }

 private:
  // ---- operators ----

  Result<Operand> take_comparison() {
    if (++depth_ > kMetricDepthMax) return text_.fail("more than 50 brackets inside each other");
    DENDRO_TRY_ASSIGN(Operand left, take_sum());
    for (;;) {
      std::string op;
      for (const char* known : {"==", "!=", ">=", "<=", ">", "<"}) {
        if (op.empty() && text_.take(known)) op = known;
      }
      if (op.empty()) break;
      const bool is_bool = text_.take_word("bool");
      DENDRO_TRY_ASSIGN(Operand right, take_sum());
      DENDRO_TRY_ASSIGN(left, compared(std::move(left), op, is_bool, std::move(right)));
    }
    --depth_;
    return left;
  }
  Result<Operand> take_sum() {
    DENDRO_TRY_ASSIGN(Operand left, take_product());
    for (;;) {
      const char op = text_.peek();
      if (op != '+' && op != '-') return left;
      text_.take(std::string_view(&op, 1));
      DENDRO_TRY_ASSIGN(Operand right, take_product());
      DENDRO_TRY_ASSIGN(left, computed(std::move(left), op, std::move(right)));
    }
  }
  Result<Operand> take_product() {
    DENDRO_TRY_ASSIGN(Operand left, take_power());
    for (;;) {
      const char op = text_.peek();
      if (op != '*' && op != '/' && op != '%') return left;
      text_.take(std::string_view(&op, 1));
      DENDRO_TRY_ASSIGN(Operand right, take_power());
      DENDRO_TRY_ASSIGN(left, computed(std::move(left), op, std::move(right)));
    }
  }
  Result<Operand> take_power() {
    DENDRO_TRY_ASSIGN(Operand left, take_primary());
    if (text_.peek() != '^') return left;
    text_.take("^");
    if (++depth_ > kMetricDepthMax) return text_.fail("more than 50 powers of powers");
    DENDRO_TRY_ASSIGN(Operand right, take_power());
    --depth_;
    return computed(std::move(left), '^', std::move(right));
  }

  static double calculated(double a, char op, double b) {
    switch (op) {
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '/':
        return a / b;
      case '%':
        return std::fmod(a, b);
      default:
        return std::pow(a, b);
    }
  }
  Result<Operand> computed(Operand left, char op, Operand right) {
    const bool left_is_number = left.kind == Operand::Kind::scalar,
               right_is_number = right.kind == Operand::Kind::scalar;
    if (!left_is_number && !right_is_number)
      return text_.fail("\"" + std::string(1, op) + "\" between two series has no translation");
    if (left_is_number && right_is_number) {
      left.scalar = calculated(left.scalar, op, right.scalar);
      if (!std::isfinite(left.scalar)) return text_.fail("a number that is not finite has no translation");
      return left;
    }
    if (op == '/' && !right_is_number)
      return text_.fail("a number divided by a series has no translation: it may divide by zero");
    if ((op == '/' || op == '%') && right_is_number && right.scalar == 0) return text_.fail("a division by zero");
    Operand& table = left_is_number ? right : left;
    DENDRO_TRY(make_table(table));
    const std::string a = left_is_number ? number_text(left.scalar) : std::string(kValue);
    const std::string b = right_is_number ? number_text(right.scalar) : std::string(kValue);
    const std::string expression = op == '^' ? "pow(" + a + ", " + b + ")" : a + " " + op + " " + b;
    table.query += " | eval " + expression + " as value";
    return std::move(table);
  }
  Result<Operand> compared(Operand left, std::string op, bool is_bool, Operand right) {
    const bool left_is_number = left.kind == Operand::Kind::scalar,
               right_is_number = right.kind == Operand::Kind::scalar;
    if (left_is_number == right_is_number)
      return text_.fail("\"" + op + "\" between two " + (left_is_number ? "numbers" : "series") +
                        " has no translation");
    if (left_is_number) {  // 5 < x is x > 5
      if (op[0] == '<' || op[0] == '>') op[0] = op[0] == '<' ? '>' : '<';
      std::swap(left, right);
    }
    DENDRO_TRY(make_table(left));
    const std::string test = "value:" + (op == "==" ? "=" : op) + number_text(right.scalar);
    left.query += is_bool ? " | eval if (" + test + ") 1 else 0 as value" : " | where " + test;
    return left;
  }

  // ---- functions ----

  Result<Operand> take_primary() {
    if (text_.take("(")) {
      DENDRO_TRY_ASSIGN(Operand inner, take_comparison());
      DENDRO_TRY(text_.expect(")"));
      return inner;
    }
    const std::size_t before = text_.offset();
    const char first = text_.peek();
    if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') return take_number_operand();
    DENDRO_TRY_ASSIGN(const std::string name, text_.take_label());
    if (name == kQuantileOverTime.name) return take_over_time(kQuantileOverTime);
    const auto over =
        std::find_if(kOverTime.begin(), kOverTime.end(), [&](const auto& row) { return row.name == name; });
    if (over != kOverTime.end()) return take_over_time(*over);
    const auto aggregation =
        std::find_if(kAggregations.begin(), kAggregations.end(), [&](const auto& row) { return row.name == name; });
    if (aggregation != kAggregations.end()) return take_aggregation(*aggregation);
    if (name == "topk" || name == "bottomk") return take_choice(name == "topk");
    if (name == "sort" || name == "sort_desc") return take_sort(name == "sort_desc");
    text_.go_back(before);
    return text_.fail("\"" + name + "\" has no translation");
  }
  Result<Operand> take_number_operand() {
    Operand operand;
    const bool is_negative = text_.take("-");
    if (!is_negative) text_.take("+");
    const std::string text(text_.peek_word());
    const auto read = std::from_chars(text.data(), text.data() + text.size(), operand.scalar);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() ||
        !std::isfinite(operand.scalar)) {
      return text_.fail("\"" + text + "\" is no number");
    }
    text_.take(text);
    if (is_negative) operand.scalar = -operand.scalar;
    return operand;
  }

  /// `by (a, b)`; `without` has no equal: which labels there are is not known before the query runs.
  Result<std::optional<std::vector<std::string>>> take_grouping() {
    if (text_.peek_word() == "without")
      return text_.fail("\"without\" has no translation: name the labels that stay, by (..)");
    std::optional<std::vector<std::string>> labels;
    if (!text_.take_word("by")) return labels;
    labels.emplace();
    DENDRO_TRY(text_.expect("("));
    while (!text_.take(")")) {
      if (!labels->empty()) DENDRO_TRY(text_.expect(","));
      DENDRO_TRY_ASSIGN(std::string label, text_.take_label());
      if (label == kValue || label == "_time" || label == kStream)
        return text_.fail("a label \"" + label + "\" has no translation: a column of the result is called so");
      if (std::find(labels->begin(), labels->end(), label) == labels->end()) labels->push_back(std::move(label));
    }
    return labels;
  }

  Result<Operand> take_over_time(const OverTime& over) {
    Operand operand;
    operand.kind = Operand::Kind::over_time;
    operand.joined_by = over.joined_by;
    operand.is_per_second = over.is_per_second;
    DENDRO_TRY(text_.expect("("));
    std::string phi;
    if (over.name == kQuantileOverTime.name) {
      DENDRO_TRY_ASSIGN(const Operand number, take_number_operand());
      DENDRO_TRY(text_.expect(","));
      if (!(number.scalar >= 0 && number.scalar <= 1)) return text_.fail("a quantile must lie between 0 and 1");
      phi = number_text(number.scalar);
      warnings_.emplace_back("a quantile is a value that was observed here, and lies between two of them there");
    }
    DENDRO_TRY_ASSIGN(operand.pipeline, LogqlStages(text_, warnings_, LogqlStages::Use::samples).run());
    if (!operand.pipeline.range_ns) return text_.fail("a range such as [5m] must stand here");
    if (text_.take_word("offset")) {
      const auto offset = parse_duration(text_.take_number());
      if (!offset || *offset < 0)
        return text_.fail("a duration must stand behind \"offset\"; a negative one has no translation");
      operand.offset_ns = *offset;
    }
    DENDRO_TRY(text_.expect(")"));
    const bool has_numbers = !operand.pipeline.unwrapped.empty();
    operand.function = has_numbers ? over.of_numbers : over.of_lines;
    if (operand.function.empty()) {
      return text_.fail("\"" + std::string(over.name) + "\" " +
                        (has_numbers ? "takes no unwrap" : "needs \"| unwrap label\""));
    }
    replace(operand.function, "#", phi);
    replace(operand.function, "$", operand.pipeline.unwrapped);
    DENDRO_TRY_ASSIGN(operand.own_labels, take_grouping());
    return operand;
  }
  static void replace(std::string& text, std::string_view what, const std::string& by) {
    if (const std::size_t at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
  }

  Result<Operand> take_aggregation(const Aggregation& aggregation) {
    DENDRO_TRY_ASSIGN(auto labels, take_grouping());
    DENDRO_TRY(text_.expect("("));
    DENDRO_TRY_ASSIGN(Operand inner, take_comparison());
    DENDRO_TRY(text_.expect(")"));
    if (!labels) {
      DENDRO_TRY_ASSIGN(labels, take_grouping());
    }
    if (!labels) labels.emplace();
    if (inner.kind == Operand::Kind::scalar) return text_.fail("an aggregation of a number has no translation");
    const bool is_one =
        inner.kind == Operand::Kind::over_time && !inner.own_labels && inner.joined_by == aggregation.name;
    if (is_one) {
      DENDRO_TRY(render(inner, *labels));
      return inner;
    }
    if (inner.kind == Operand::Kind::over_time && !inner.own_labels) {
      DENDRO_TRY(check_series(inner));
      std::vector<std::string> series = *labels;
      series.insert(series.begin(), std::string(kStream));
      DENDRO_TRY(render(inner, series));
    } else {
      DENDRO_TRY(make_table(inner));
    }
    for (const std::string& label : *labels) {
      if (std::find(inner.labels.begin(), inner.labels.end(), label) == inner.labels.end())
        return text_.fail("the series inside have no label \"" + label + "\"; name it in the by (..) there");
    }
    inner.query += " | stats by (" + columns(*labels) + "_time) " + std::string(aggregation.function) + " as value";
    inner.labels = std::move(*labels);
    return inner;
  }

  /// The k greatest, or least, at each time.
  Result<Operand> take_choice(bool is_top) {
    DENDRO_TRY_ASSIGN(auto labels, take_grouping());
    DENDRO_TRY(text_.expect("("));
    DENDRO_TRY_ASSIGN(const Operand count, take_number_operand());
    DENDRO_TRY(text_.expect(","));
    DENDRO_TRY_ASSIGN(Operand inner, take_comparison());
    DENDRO_TRY(text_.expect(")"));
    if (!labels) {
      DENDRO_TRY_ASSIGN(labels, take_grouping());
    }
    if (!labels) labels.emplace();
    if (!(count.scalar >= 1 && count.scalar <= 1e6) || count.scalar != std::floor(count.scalar))
      return text_.fail("how many must be a whole number from 1 on");
    if (inner.kind == Operand::Kind::scalar) return text_.fail("a choice of a number has no translation");
    DENDRO_TRY(make_table(inner));
    const std::string desc = is_top ? " desc" : "";
    inner.query += " | sort by (value" + desc + ") | dedup " + number_text(count.scalar) + " by (" + columns(*labels) +
                   "_time) | sort by (_time, value" + desc + ")";
    return inner;
  }
  Result<Operand> take_sort(bool is_descending) {
    DENDRO_TRY(text_.expect("("));
    DENDRO_TRY_ASSIGN(Operand inner, take_comparison());
    DENDRO_TRY(text_.expect(")"));
    if (inner.kind == Operand::Kind::scalar) return text_.fail("a sort of a number has no translation");
    DENDRO_TRY(make_table(inner));
    inner.query += std::string(" | sort by (_time, value") + (is_descending ? " desc)" : ")");
    return inner;
  }

  // ---- our side ----

  /// A series is a stream, as long as no stage makes labels.
  Status check_series(const Operand& over) const {
    if (!over.pipeline.makes_labels) return {};
    return text_.fail(
        "series by all the labels that a parser makes have no translation; name those that count, by (..)");
  }
  Status make_table(Operand& operand) {
    if (operand.kind == Operand::Kind::table) return {};
    if (operand.own_labels) return render(operand, *operand.own_labels);
    DENDRO_TRY(check_series(operand));
    return render(operand, {std::string(kStream)});
  }
  static std::string columns(const std::vector<std::string>& labels) {
    std::string text;
    for (const std::string& label : labels) text += query_name(label) + ", ";
    return text;
  }
  Status render(Operand& over, std::vector<std::string> labels) {
    for (const std::string& label : labels) warn_of_dots(label, over.pipeline.makes_labels);
    const std::int64_t range_ns = *over.pipeline.range_ns;
    const std::int64_t step_ns = step_ns_ != 0 ? step_ns_ : std::min(range_ns, kStepMaxNs);
    std::string window = "_time:" + duration_text(step_ns) + " window " + duration_text(range_ns);
    if (over.offset_ns != 0) window += " offset " + duration_text(over.offset_ns);
    over.query = over.pipeline.query + " | stats by (" + columns(labels) + window + ") " + over.function + " as value";
    if (over.is_per_second) {
      const double seconds = static_cast<double>(range_ns) / static_cast<double>(kNanosPerSecond);
      over.query += " | eval value / " + number_text(seconds) + " as value";
    }
    over.labels = std::move(labels);
    over.kind = Operand::Kind::table;
    return {};
  }
  void warn_of_dots(const std::string& label, bool is_told) {
    if (is_told || label == kStream || label == "service_name" || label.find('_') == std::string::npos) return;
    const std::string warning = "a label a_b that stands for a field a.b must be written so in by (..)";
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end()) warnings_.push_back(warning);
  }

  LogqlText& text_;
  const std::int64_t step_ns_;
  std::vector<std::string>& warnings_;
  int depth_ = 0;
};

}  // namespace

Result<std::string> translate_logql_metric(LogqlText& text, std::int64_t step_ns, std::vector<std::string>& warnings) {
  return MetricTranslator(text, step_ns, warnings).run();
}

}  // namespace dendro
