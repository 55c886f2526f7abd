#include "record/value.h"

#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/utf8.h"

namespace dendro {
namespace {

bool is_integer_text(std::string_view numeral) {
  return numeral.find_first_of(".eE") == std::string_view::npos;
}

template <typename Number>
bool parses_wholly(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

Value value_of_numeral(std::string_view numeral) {
  if (numeral == "-0") return Value::of_number_text(numeral);  // an integer to read, but no integer prints it
  if (is_integer_text(numeral)) {
    std::int64_t integer = 0;
    if (parses_wholly(numeral, integer)) return Value::of_int64(integer);
    std::uint64_t natural = 0;
    if (parses_wholly(numeral, natural)) return Value::of_uint64(natural);
    return Value::of_number_text(numeral);
  }
  double real = 0;
  if (!parses_wholly(numeral, real) || !std::isfinite(real)) return Value::of_number_text(numeral);
  char text[32];
  const auto shortest = std::to_chars(text, text + sizeof text, real);
  const std::string_view round_trip(text, static_cast<std::size_t>(shortest.ptr - text));
  return round_trip == numeral ? Value::of_float64(real) : Value::of_number_text(numeral);
}

Value value_of_string(std::string_view raw) {
  return is_valid_utf8(raw) ? Value::of_text(raw) : Value::of_bytes(raw);
}

std::string_view value_text(const Value& value, std::string& scratch) {
  switch (value.type) {
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      return value.text;
    case ValueType::null:
      return {};
    case ValueType::boolean:
      return value.boolean ? "true" : "false";
    case ValueType::empty_object:
      return "{}";
    case ValueType::int64:
      scratch.clear();
      append_json_int(scratch, value.integer);
      return scratch;
    case ValueType::uint64:
      scratch.clear();
      append_json_uint(scratch, value.natural);
      return scratch;
    case ValueType::float64:
      scratch.clear();
      append_json_double(scratch, value.real);
      return scratch;
    case ValueType::time:
      scratch.clear();
      append_rfc3339(scratch, Timestamp(value.integer), value.fraction_digits);
      return scratch;
  }
  return {};
}

void append_value_text(std::string& out, const Value& value) {
  if (value.type == ValueType::bytes) {
    append_base64(out, value.text);
    return;
  }
  std::string scratch;
  out.append(value_text(value, scratch));
}

void append_value_json(std::string& out, const Value& value) {
  switch (value.type) {
    case ValueType::null:
      out += "null";
      return;
    case ValueType::text:
      append_json_string(out, value.text);
      return;
    case ValueType::bytes:
      out.push_back('"');
      append_base64(out, value.text);
      out.push_back('"');
      return;
    case ValueType::time:
      out.push_back('"');
      append_value_text(out, value);
      out.push_back('"');
      return;
    case ValueType::list:
      // The text may hold strings that are no UTF-8; an answer must be.
      if (is_valid_utf8(value.text)) {
        out.append(value.text);
      } else {
        append_utf8_lossy(out, value.text);
      }
      return;
    default:
      append_value_text(out, value);
      return;
  }
}

}  // namespace dendro
