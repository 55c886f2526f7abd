#include "query/spill/cell_bytes.h"

namespace dendro {

void append_value_bytes(std::string& out, const Value& value) {
  out.push_back(static_cast<char>(value.type));
  switch (value.type) {
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      append_sized(out, value.text);
      return;
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float64:
      append_le(out, value.natural);
      return;
    case ValueType::time:
      append_le(out, value.integer);
      out.push_back(static_cast<char>(value.fraction_digits));
      return;
    case ValueType::boolean:
      out.push_back(value.boolean ? '\1' : '\0');
      return;
    case ValueType::null:
    case ValueType::empty_object:
      return;
  }
}

Value read_value_bytes(ByteReader& reader) {
  Value value;
  const auto type = reader.read_le<std::uint8_t>();
  if (type >= kValueTypeCount) {
    (void)reader.read_bytes(reader.remaining() + 1);  // not ok() any more
    return value;
  }
  value.type = static_cast<ValueType>(type);
  switch (value.type) {
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      value.text = reader.read_sized();
      break;
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float64:
      value.natural = reader.read_le<std::uint64_t>();
      break;
    case ValueType::time:
      value.integer = reader.read_le<std::int64_t>();
      value.fraction_digits = reader.read_le<std::uint8_t>();
      break;
    case ValueType::boolean:
      value.boolean = reader.read_le<std::uint8_t>() != 0;
      break;
    case ValueType::null:
    case ValueType::empty_object:
      break;
  }
  return value;
}

}  // namespace dendro
