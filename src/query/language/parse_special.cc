// severity by rank (query-language.md 2.3) and times (section 7).
#include <array>

#include "query/language/parser_state.h"
#include "record/severity.h"

namespace dendro {
namespace {

constexpr std::uint32_t kEverySeverity = 0x1FFFFFE;

/// Bits of [first, last].
std::uint32_t severity_bits(int first, int last) {
  std::uint32_t bits = 0;
  for (int number = std::max(first, 1); number <= std::min(last, int{kSeverityMax}); ++number) bits |= 1u << number;
  return bits;
}

int group_start(int number) {
  return (number - 1) / 4 * 4 + 1;
}

/// What a word or number of a severity stands for: [first, last] of ranks.
struct SeverityRanks {
  int first = 0, last = 0;
};

std::optional<SeverityRanks> severity_ranks(std::string_view text) {
  if (const auto number = parse_number(text); number && number->is_int64()) {
    if (number->int64() < 1 || number->int64() > kSeverityMax) return std::nullopt;
    return SeverityRanks{static_cast<int>(number->int64()), static_cast<int>(number->int64())};
  }
  const auto number = severity_of_word(text);
  if (!number) return std::nullopt;
  // "warn" is its whole group; "notice" or "alert" in a comparison is that one rank.
  const int first = *number;
  return SeverityRanks{first, first == group_start(first) ? first + 3 : first};
}

TimeRange moved_back(TimeRange range, std::int64_t by) {
  const auto move = [by](Timestamp t) {
    std::int64_t moved = 0;
    return __builtin_sub_overflow(t.number(), by, &moved) ? (by > 0 ? kTimestampMin : kTimestampMax) : Timestamp(moved);
  };
  return {move(range.first), move(range.last)};
}

bool is_comparison(TokenKind kind) {
  return kind == TokenKind::greater || kind == TokenKind::greater_equal || kind == TokenKind::less ||
         kind == TokenKind::less_equal;
}

}  // namespace

Result<Predicate> QueryParser::make_severity_test(const std::string& field, const Condition& condition, Place place) {
  const auto test = [&field](std::uint32_t numbers) { return Predicate{SeverityTest{field, numbers}}; };
  if (std::holds_alternative<Exists>(condition)) return test(kEverySeverity);
  if (std::holds_alternative<Empty>(condition)) return test(1);
  if (const auto* pattern = std::get_if<TextPattern>(&condition)) {
    if (pattern->open_start || pattern->open_end) return Predicate{FieldTest{field, condition}};
    DENDRO_TRY_ASSIGN(const std::uint32_t numbers, severity_numbers(Literal::of_word(pattern->text), place));
    return test(numbers);
  }
  if (const auto* equals = std::get_if<Equals>(&condition)) {
    DENDRO_TRY_ASSIGN(const std::uint32_t numbers, severity_numbers(equals->literal, place));
    return test(numbers);
  }
  if (const auto* comparison = std::get_if<Comparison>(&condition)) {
    DENDRO_TRY_ASSIGN(const std::uint32_t numbers,
                      severity_numbers_against(comparison->op, comparison->literal, place));
    return test(numbers);
  }
  if (const auto* range = std::get_if<Between>(&condition)) {
    const CompareOp low = range->includes_first ? CompareOp::greater_equal : CompareOp::greater;
    const CompareOp high = range->includes_last ? CompareOp::less_equal : CompareOp::less;
    DENDRO_TRY_ASSIGN(const std::uint32_t above, severity_numbers_against(low, range->first, place));
    DENDRO_TRY_ASSIGN(const std::uint32_t below, severity_numbers_against(high, range->last, place));
    return test(above & below);
  }
  if (const auto* list = std::get_if<OneOf>(&condition)) {
    std::uint32_t numbers = 0;
    for (const Literal& literal : list->literals) {
      DENDRO_TRY_ASSIGN(const std::uint32_t one, severity_numbers(literal, place));
      numbers |= one;
    }
    return test(numbers);
  }
  return Predicate{FieldTest{field, condition}};
}

Result<std::uint32_t> QueryParser::severity_numbers(const Literal& literal, Place place) {
  const auto ranks = severity_ranks(literal.text());
  if (!ranks) return fail(place, "\"" + literal.text() + "\" is not a severity");
  if (parse_number(literal.text())) return severity_bits(ranks->first, ranks->last);
  const int start = group_start(ranks->first);
  return severity_bits(start, start + 3);
}

Result<std::uint32_t> QueryParser::severity_numbers_against(CompareOp op, const Literal& literal, Place place) {
  const auto ranks = severity_ranks(literal.text());
  if (!ranks) return fail(place, "\"" + literal.text() + "\" is not a severity");
  switch (op) {
    case CompareOp::greater:
      return severity_bits(ranks->last + 1, kSeverityMax);
    case CompareOp::greater_equal:
      return severity_bits(ranks->first, kSeverityMax);
    case CompareOp::less:
      return severity_bits(1, ranks->first - 1);
    case CompareOp::less_equal:
      return severity_bits(1, ranks->last);
  }
  return std::uint32_t{0};
}

bool QueryParser::starts_range(const Token& token) const {
  if (token.kind == TokenKind::open_square) return true;
  if (!is_keyword(token, "range") || token.end() >= query().size()) return false;
  return query()[token.end()] == '(' || query()[token.end()] == '[';
}

Result<bool> QueryParser::take_range_start(RangeBrackets& brackets) {
  Token token = peek(LexMode::value);
  if (is_keyword(token, "range")) {
    take(token);
    token = peek();
  }
  brackets.includes_first = token.kind == TokenKind::open_square;
  take(token);
  return true;
}

Status QueryParser::take_range_comma() {
  const Token comma = peek();
  if (comma.kind != TokenKind::comma) return unexpected(comma, "\",\"");
  take(comma);
  return {};
}

Status QueryParser::take_range_end(RangeBrackets& brackets, const Token& opener) {
  const Token closer = peek();
  if (closer.kind == TokenKind::end)
    return fail(opener, "this range is never closed", std::string(query()) + "]", {"]", ")"});
  if (closer.kind != TokenKind::close_square && closer.kind != TokenKind::close_round)
    return unexpected(closer, "\"]\" or \")\"");
  brackets.includes_last = closer.kind == TokenKind::close_square;
  take(closer);
  return {};
}

Error QueryParser::not_a_time(const Token& token) {
  return fail(token, "\"" + token.text + "\" is not a time; units are ns us ms s m h d w y");
}

Result<Predicate> QueryParser::parse_when(const std::string& field) {
  const Token token = peek(LexMode::value);
  if (token.kind == TokenKind::star) {
    take(token);
    return Predicate{TimeTest{field, TimeRange{}}};
  }
  if (is_comparison(token.kind)) return parse_when_comparison(field);
  if (starts_range(token)) return parse_when_range(field);
  if (is_keyword(token, "day_range") || is_keyword(token, "week_range")) {
    const bool is_day = is_keyword(token, "day_range");
    take(token);
    return parse_clock_range(field, is_day ? ClockTest::Cycle::day : ClockTest::Cycle::week);
  }
  if (token.kind == TokenKind::equal || token.kind == TokenKind::not_equal) {
    take(token);
    return parse_when_word(field, token.kind == TokenKind::not_equal);
  }
  return parse_when_word(field, false);
}

Result<Predicate> QueryParser::parse_when_word(const std::string& field, bool negated) {
  const Token token = peek(LexMode::value);
  if (!token.is_text()) return unexpected(token, "a time or a duration");
  take(token);
  TimeRange range;
  if (const auto duration = parse_duration(token.text)) {
    range = {moved_back({options_.time.now, options_.time.now}, *duration).first, options_.time.now};
  } else if (const auto instant = parse_instant(token.text, options_.time)) {
    range = *instant;
  } else {
    return not_a_time(token);
  }
  if (take_keyword("offset")) {
    const Token back = peek(LexMode::value);
    if (!back.is_text()) return unexpected(back, "a duration after \"offset\"");
    const auto duration = parse_duration(back.text);
    if (!duration) return not_a_time(back);
    take(back);
    range = moved_back(range, *duration);
  }
  Predicate test{TimeTest{field, range}};
  return negated ? negation(std::move(test)) : std::move(test);
}

Result<TimeRange> QueryParser::parse_instant_token(std::string_view after) {
  const Token token = peek(LexMode::value);
  if (!token.is_text()) return unexpected(token, "a time after \"" + std::string(after) + "\"");
  take(token);
  if (const auto instant = parse_instant(token.text, options_.time)) return *instant;
  if (parse_duration(token.text)) {
    return fail(token, "\"" + token.text + "\" is a duration, not a time", with_part(token.offset, 0, "now-"));
  }
  return not_a_time(token);
}

Result<Predicate> QueryParser::parse_when_comparison(const std::string& field) {
  const Token op = peek(LexMode::value);
  take(op);
  DENDRO_TRY_ASSIGN(const TimeRange instant, parse_instant_token(query().substr(op.offset, op.size)));
  TimeRange range;
  switch (op.kind) {
    case TokenKind::greater:
      range.first = instant.last;
      break;
    case TokenKind::greater_equal:
      range.first = instant.first;
      break;
    case TokenKind::less:
      range.last = instant.first;
      break;
    default:
      range.last = instant.last;
      break;
  }
  return Predicate{TimeTest{field, range}};
}

/// `[08:00,18:00)`, `[Mon,Fri]`, or with "(" in front.
Result<Predicate> QueryParser::parse_clock_range(const std::string& field, ClockTest::Cycle cycle) {
  const Token opener = peek();
  if (opener.kind != TokenKind::open_square && opener.kind != TokenKind::open_round)
    return unexpected(opener, "\"[\" or \"(\"");
  take(opener);
  RangeBrackets brackets;
  brackets.includes_first = opener.kind == TokenKind::open_square;
  DENDRO_TRY_ASSIGN(const TimeRange first, parse_clock_time(cycle));
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(const TimeRange last, parse_clock_time(cycle));
  DENDRO_TRY(take_range_end(brackets, opener));
  const std::int64_t cycle_ns = cycle == ClockTest::Cycle::day ? kNanosPerDay : 7 * kNanosPerDay;
  ClockTest test;
  test.field = field;
  test.cycle = cycle;
  test.first_ns = (brackets.includes_first ? first.first : first.last).number() % cycle_ns;
  test.last_ns = (brackets.includes_last ? last.last : last.first).number() % cycle_ns;
  if (test.last_ns == 0) test.last_ns = cycle_ns;
  test.zone = options_.time.zone != nullptr ? options_.time.zone : TimeZone::fixed(options_.time.utc_offset_s);
  if (test.first_ns == test.last_ns) return fail(opener, "this range is empty");
  return Predicate{std::move(test)};
}

/// `08:00`, `08:00:30`, `24:00`; `Mon`, `monday`: what it takes of the day or week.
Result<TimeRange> QueryParser::parse_clock_time(ClockTest::Cycle cycle) {
  const Token token = peek(LexMode::value);
  if (!token.is_text()) return unexpected(token, cycle == ClockTest::Cycle::day ? "a time of day" : "a day");
  if (cycle == ClockTest::Cycle::week) {
    static constexpr std::array<std::string_view, 7> kDays = {"monday", "tuesday",  "wednesday", "thursday",
                                                              "friday", "saturday", "sunday"};
    const std::string folded = fold_keyword(token.text);
    for (std::size_t day = 0; day < kDays.size(); ++day) {
      if (folded != kDays[day] && folded != kDays[day].substr(0, 3)) continue;
      take(token);
      const auto number = static_cast<std::int64_t>(day);
      return TimeRange{Timestamp(number * kNanosPerDay), Timestamp((number + 1) * kNanosPerDay)};
    }
    return fail(token, "\"" + token.text + "\" is not a day; write Mon Tue Wed Thu Fri Sat Sun");
  }
  if (token.text == "24:00" || token.text == "24:00:00") {
    take(token);
    return TimeRange{Timestamp(kNanosPerDay), Timestamp(kNanosPerDay)};
  }
  const auto range = parse_partial_time("1970-01-01T" + token.text, 0);
  const bool is_time = token.text.find(':') != std::string::npos && range &&
                       token.text.find_first_not_of("0123456789:.") == std::string::npos;
  if (!is_time) return fail(token, "\"" + token.text + "\" is not a time of day; write 08:00");
  take(token);
  return *range;
}

Result<Predicate> QueryParser::parse_when_range(const std::string& field) {
  const Token opener = peek(LexMode::value);
  RangeBrackets brackets;
  DENDRO_TRY(take_range_start(brackets));
  DENDRO_TRY_ASSIGN(const TimeRange first, parse_instant_token("["));
  DENDRO_TRY(take_range_comma());
  DENDRO_TRY_ASSIGN(const TimeRange last, parse_instant_token(","));
  DENDRO_TRY(take_range_end(brackets, opener));
  const TimeRange range{brackets.includes_first ? first.first : first.last,
                        brackets.includes_last ? last.last : last.first};
  return Predicate{TimeTest{field, range}};
}

}  // namespace dendro
