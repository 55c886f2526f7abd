#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/timestamp.h"

namespace dendro {

/// Kinds of value a leaf of a record can have (docs/formats/batch.md; the numbers are on disk, never change them).
enum class ValueType : std::uint8_t {
  null = 0,   ///< rendered back, missing to every filter
  text = 1,   ///< UTF-8
  bytes = 2,  ///< text that is not UTF-8, kept as it came
  int64 = 3,
  uint64 = 4,       ///< beyond int64 only
  float64 = 5,      ///< finite; its shortest round trip is the text that was sent
  number_text = 6,  ///< a numeral that none of the three gives back: 1.0, 1e3, -0, thirty digits
  boolean = 7,
  list = 8,  ///< compact JSON text of the array, number texts as sent
  empty_object = 9,
  time = 10,  ///< RFC 3339 text in canonical form: instant and count of fraction digits
};
inline constexpr std::uint8_t kValueTypeCount = 11;

/// One value, borrowed: `text` lives as long as the batch or the caller's buffer it came from.
struct Value {
  ValueType type = ValueType::null;
  std::uint8_t fraction_digits = 0;  ///< time
  bool boolean = false;              ///< boolean
  std::string_view text;             ///< text, bytes, number_text, list
  union {
    std::int64_t integer = 0;  ///< int64; nanoseconds of time
    std::uint64_t natural;     ///< uint64
    double real;               ///< float64
  };

  static Value of_null() { return {}; }
  static Value of_text(std::string_view utf8) { return of(ValueType::text, utf8); }
  static Value of_bytes(std::string_view raw) { return of(ValueType::bytes, raw); }
  static Value of_number_text(std::string_view numeral) { return of(ValueType::number_text, numeral); }
  static Value of_list(std::string_view json) { return of(ValueType::list, json); }
  static Value of_empty_object() { return of(ValueType::empty_object, {}); }
  static Value of_bool(bool truth) {
    Value value = of(ValueType::boolean, {});
    value.boolean = truth;
    return value;
  }
  static Value of_int64(std::int64_t number) {
    Value value = of(ValueType::int64, {});
    value.integer = number;
    return value;
  }
  static Value of_uint64(std::uint64_t number) {
    Value value = of(ValueType::uint64, {});
    value.natural = number;
    return value;
  }
  static Value of_float64(double number) {
    Value value = of(ValueType::float64, {});
    value.real = number;
    return value;
  }
  static Value of_time(Timestamp instant, int digits) {
    Value value = of(ValueType::time, {});
    value.integer = instant.number();
    value.fraction_digits = static_cast<std::uint8_t>(digits);
    return value;
  }

  bool is_missing() const { return type == ValueType::null; }
  bool is_string() const { return type == ValueType::text || type == ValueType::bytes || type == ValueType::time; }

 private:
  static Value of(ValueType type, std::string_view text) {
    Value value;
    value.type = type;
    value.text = text;
    return value;
  }
};

/// The number of a JSON numeral with its exact text: int64, uint64, float64, or number_text borrowing `numeral`.
Value value_of_numeral(std::string_view numeral);
/// text if valid UTF-8, else bytes. Borrows.
Value value_of_string(std::string_view raw);

/// Text of a value as filters, CSV and templates see it (query-language.md 6.2): decimal integer, shortest double,
/// true/false, base64 of bytes, compact JSON of lists, "{}"; nothing for null.
void append_value_text(std::string& out, const Value& value);
/// The same without copying where the value is text already; `scratch` holds it otherwise. bytes are given raw, not as
/// base64.
std::string_view value_text(const Value& value, std::string& scratch);
/// One JSON value; bytes as a base64 string.
void append_value_json(std::string& out, const Value& value);

}  // namespace dendro
