// len lower upper trim substr concat replace coalesce duration_ms bytes time_part split levenshtein parse_url json_path
// base64_decode url_decode sha256 parse_user_agent
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/base64.h"
#include "base/crypto_hash.h"
#include "base/edit_distance.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "filter/list_elements.h"
#include "filter/literal.h"
#include "filter/number.h"
#include "filter/text_pattern.h"
#include "filter/time_literal.h"
#include "parse/json_paths.h"
#include "parse/json_reader.h"
#include "query/expression/expression_value.h"
#include "query/expression/user_agent.h"
#include "record/fold.h"
#include "record/limits.h"

namespace dendro {
namespace {

/// Texts that are compared letter by letter may not be longer: time grows with the product.
constexpr std::size_t kLevenshteinBytesMax = 1'024;

/// Upper case: the code point that folds to this one, the nearby one where there are several.
char32_t upper_code_point(char32_t code_point) {
  if (code_point < 0x80) return code_point >= 'a' && code_point <= 'z' ? code_point - 32 : code_point;
  const std::vector<char32_t> candidates = code_points_folding_to(code_point);
  for (const char32_t distance : {char32_t{32}, char32_t{80}, char32_t{1}}) {
    if (std::find(candidates.begin(), candidates.end(), code_point - distance) != candidates.end())
      return code_point - distance;
  }
  return candidates.empty() ? code_point : candidates.front();
}

std::string upper_text(std::string_view text) {
  std::string upper;
  while (!text.empty()) {
    const DecodedUtf8 decoded = decode_utf8(text);
    if (decoded.valid) {
      append_utf8(upper, upper_code_point(decoded.code_point));
    } else {
      upper += text.substr(0, decoded.bytes);
    }
    text.remove_prefix(decoded.bytes);
  }
  return upper;
}

/// Byte offset of a character; the end if there are fewer.
std::size_t offset_of_character(std::string_view text, std::size_t character) {
  std::size_t at = 0;
  for (; character > 0 && at < text.size(); --character) at += decode_utf8(text.substr(at)).bytes;
  return at;
}

std::optional<std::int64_t> whole_number(const Value& value) {
  const auto number = number_of_value(value);
  return number && number->is_int64() ? std::optional(number->int64()) : std::nullopt;
}

/// The text of each argument, nothing where one is missing.
class ArgumentTexts {
 public:
  explicit ArgumentTexts(std::span<const Value> arguments) : scratches_(arguments.size()) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      texts_.push_back(arguments[i].is_missing() ? std::string_view() : value_text(arguments[i], scratches_[i]));
      all_present_ = all_present_ && !arguments[i].is_missing();
    }
  }
  ArgumentTexts(const ArgumentTexts&) = delete;
  ArgumentTexts& operator=(const ArgumentTexts&) = delete;
  std::string_view operator[](std::size_t index) const { return texts_[index]; }
  std::size_t size() const { return texts_.size(); }
  bool all_present() const { return all_present_; }

 private:
  std::vector<std::string> scratches_;
  std::vector<std::string_view> texts_;
  bool all_present_ = true;
};

Value length_value(const Value& value, std::string_view text) {
  if (value.type != ValueType::list || !value.text.starts_with('['))
    return Value::of_int64(static_cast<std::int64_t>(count_code_points(text)));
  std::int64_t count = 0;
  for_each_list_element(value.text, [&count](const Value&) {
    ++count;
    return true;
  });
  return Value::of_int64(count);
}

/// Characters from `start` (0 is the first, -1 the last) on, `count` of them or all.
Value substring_value(const ScalarCall& call, std::string_view text) {
  const auto start = whole_number(call.arguments[1]);
  const auto count =
      call.arguments.size() > 2 ? whole_number(call.arguments[2]) : std::optional<std::int64_t>(INT64_MAX);
  if (!start || !count || *count < 0) return Value::of_null();
  std::size_t skipped = static_cast<std::size_t>(std::max<std::int64_t>(*start, 0));
  if (*start < 0) {
    const auto characters = static_cast<std::int64_t>(count_code_points(text));
    skipped = static_cast<std::size_t>(std::max<std::int64_t>(characters + std::max(*start, -characters), 0));
  }
  text.remove_prefix(offset_of_character(text, skipped));
  return arena_text(call.arena, text.substr(0, offset_of_character(text, static_cast<std::size_t>(*count))));
}

Value replaced_value(const ScalarCall& call, const ArgumentTexts& texts) {
  if (texts[1].empty()) return arena_text(call.arena, texts[0]);
  std::string changed;
  std::size_t at = 0;
  for (std::size_t hit = find_literal(texts[0], texts[1]); hit != std::string_view::npos;
       hit = find_literal(texts[0], texts[1], at)) {
    changed += texts[0].substr(at, hit - at);
    changed += texts[2];
    at = hit + texts[1].size();
  }
  changed += texts[0].substr(at);
  return arena_text(call.arena, changed);
}

Value time_part_value(const ScalarCall& call, std::string_view part) {
  std::optional<Timestamp> instant;
  std::string scratch;
  if (call.arguments[0].type == ValueType::time) {
    instant = Timestamp(call.arguments[0].integer);
  } else {
    const std::string_view text = value_text(call.arguments[0], scratch);
    const std::shared_ptr<const TimeZone> borrowed(std::shared_ptr<const TimeZone>(), &call.zone);
    if (const auto range = parse_partial_time(text, {Timestamp(), 0, borrowed})) instant = range->first;
    if (!instant) instant = parse_epoch(text);
  }
  if (!instant) return Value::of_null();
  const CivilTime civil = to_civil(Timestamp(call.zone.local_ns(*instant)));
  const auto days = days_from_civil(civil.year, civil.month, civil.day);
  if (part == "year") return Value::of_int64(civil.year);
  if (part == "month") return Value::of_int64(civil.month);
  if (part == "day") return Value::of_int64(civil.day);
  if (part == "hour") return Value::of_int64(civil.hour);
  if (part == "minute") return Value::of_int64(civil.minute);
  if (part == "second") return Value::of_int64(civil.second);
  if (part == "weekday") return Value::of_int64(((days + 3) % 7 + 7) % 7 + 1);  // Monday is 1
  if (part == "day_of_year") return Value::of_int64(days - days_from_civil(civil.year, 1, 1) + 1);
  return Value::of_null();
}

/// A list of the parts, or the one with that number (0 is the first, -1 the last).
Value split_value(const ScalarCall& call, const ArgumentTexts& texts) {
  if (texts[1].empty()) return Value::of_null();
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  for (;;) {
    const std::size_t hit = find_literal(texts[0], texts[1], at);
    parts.push_back(texts[0].substr(at, hit - at));
    if (hit == std::string_view::npos) break;
    at = hit + texts[1].size();
  }
  if (call.arguments.size() > 2) {
    const auto wanted = whole_number(call.arguments[2]);
    const auto count = static_cast<std::int64_t>(parts.size());
    if (!wanted || *wanted >= count || *wanted < -count) return Value::of_null();
    return arena_text(call.arena, parts[static_cast<std::size_t>(*wanted < 0 ? count + *wanted : *wanted)]);
  }
  std::string json = "[";
  for (const std::string_view part : parts) {
    if (json.size() > 1) json.push_back(',');
    append_json_string(json, part);
  }
  json.push_back(']');
  return Value::of_list(arena_text(call.arena, json).text);
}

/// "scheme" "host" "port" "path" "query" "fragment" "user" of a URL.
Value url_part_value(const ScalarCall& call, std::string_view url, std::string_view part) {
  const auto found = [&](std::string_view text) { return arena_text(call.arena, text); };
  std::string_view rest = url;
  const auto cut_behind = [&rest](char c) -> std::optional<std::string_view> {
    const std::size_t at = rest.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view behind = rest.substr(at + 1);
    rest = rest.substr(0, at);
    return behind;
  };
  const auto fragment = cut_behind('#');
  const auto query = cut_behind('?');
  const std::size_t scheme_end = rest.find("://");
  std::string_view authority;
  if (scheme_end != std::string_view::npos) {
    if (part == "scheme") return found(rest.substr(0, scheme_end));
    rest.remove_prefix(scheme_end + 3);
    const std::size_t path = std::min(rest.find('/'), rest.size());
    authority = rest.substr(0, path);
    rest.remove_prefix(path);
  }
  if (part == "path") return rest.empty() ? Value::of_null() : found(rest);
  if (part == "query") return query ? found(*query) : Value::of_null();
  if (part == "fragment") return fragment ? found(*fragment) : Value::of_null();
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (part == "user") return found(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (part == "host" && !authority.empty()) return found(authority.substr(0, colon));
  if (part == "port" && colon != std::string_view::npos) return found(authority.substr(colon + 1));
  return Value::of_null();
}

Value json_path_value(const ScalarCall& call, std::string_view text, std::string_view wanted) {
  JsonReader reader(kMaxRecordDepth);
  if (reader.read(text, 0).kind != JsonRead::Kind::object) return Value::of_null();
  Value found;
  for_each_json_path(reader, [&](const std::string& path, const Value& value) {
    if (path == wanted) found = value;
    return true;
  });
  if (!found.text.empty()) found.text = arena_text(call.arena, found.text).text;
  return found;
}

Value url_decoded_value(const ScalarCall& call, std::string_view text) {
  std::string decoded;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_escape =
        text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) >= 0 && digit(text[at + 2]) >= 0;
    decoded.push_back(is_escape         ? static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]))
                      : text[at] == '+' ? ' '
                                        : text[at]);
    if (is_escape) at += 2;
  }
  return arena_text(call.arena, decoded);
}

/// "browser" "version" "os" "device".
Value user_agent_value(const ScalarCall& call, std::string_view text, std::string_view part) {
  const UserAgent agent = parse_user_agent(text);
  const std::string_view found = part == "browser"   ? agent.browser
                                 : part == "version" ? agent.version
                                 : part == "os"      ? agent.os
                                 : part == "device"  ? agent.device
                                                     : std::string_view();
  return found.empty() ? Value::of_null() : arena_text(call.arena, found);
}

Value amount_value(double amount) {
  const bool is_whole = std::floor(amount) == amount && std::fabs(amount) < 9e15;
  return is_whole ? Value::of_int64(static_cast<std::int64_t>(amount)) : Value::of_float64(amount);
}

}  // namespace

Value call_text_function(ScalarFunction function, const ScalarCall& call) {
  const ArgumentTexts texts(call.arguments);
  if (function == ScalarFunction::coalesce) {
    for (const Value& value : call.arguments) {
      if (!value.is_missing()) return value;
    }
    return Value::of_null();
  }
  if (function == ScalarFunction::concat) {
    std::string joined;
    for (std::size_t i = 0; i < texts.size(); ++i) joined += texts[i];
    return arena_text(call.arena, joined);
  }
  if (!texts.all_present()) return Value::of_null();
  switch (function) {
    case ScalarFunction::len:
      return length_value(call.arguments[0], texts[0]);
    case ScalarFunction::lower:
      return arena_text(call.arena, folded(texts[0]));
    case ScalarFunction::upper:
      return arena_text(call.arena, upper_text(texts[0]));
    case ScalarFunction::trim:
      return arena_text(call.arena, is_valid_utf8(texts[0]) ? trim_unicode_space(texts[0]) : texts[0]);
    case ScalarFunction::substr:
      return substring_value(call, texts[0]);
    case ScalarFunction::replace:
      return replaced_value(call, texts);
    case ScalarFunction::duration_ms: {
      const auto amount = parse_duration_amount(texts[0]);
      return amount ? amount_value(*amount / 1e6) : Value::of_null();
    }
    case ScalarFunction::bytes: {
      const auto amount = parse_size_amount(texts[0]);
      return amount ? amount_value(*amount) : Value::of_null();
    }
    case ScalarFunction::time_part:
      return time_part_value(call, texts[1]);
    case ScalarFunction::split:
      return split_value(call, texts);
    case ScalarFunction::levenshtein:
      if (std::max(texts[0].size(), texts[1].size()) > kLevenshteinBytesMax) return Value::of_null();
      return Value::of_int64(static_cast<std::int64_t>(edit_distance(texts[0], texts[1])));
    case ScalarFunction::parse_url:
      return url_part_value(call, texts[0], texts[1]);
    case ScalarFunction::json_path:
      return json_path_value(call, texts[0], texts[1]);
    case ScalarFunction::base64_decode: {
      const auto decoded = decode_base64(texts[0]);
      return decoded ? arena_text(call.arena, *decoded) : Value::of_null();
    }
    case ScalarFunction::url_decode:
      return url_decoded_value(call, texts[0]);
    case ScalarFunction::sha256:
      return arena_text(call.arena, to_hex(sha256(texts[0])));
    case ScalarFunction::parse_user_agent:
      return user_agent_value(call, texts[0], texts[1]);
    default:
      return Value::of_null();
  }
}

}  // namespace dendro
