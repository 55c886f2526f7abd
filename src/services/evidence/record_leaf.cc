#include "services/evidence/record_leaf.h"

#include <bit>

#include "base/bytes.h"
#include "base/crypto_hash.h"

namespace dendro {
namespace {

constexpr std::uint8_t kLeafVersion = 1;
/// Role of a stream label that no leaf of the sender's object stands for.
constexpr std::uint8_t kLabelRole = static_cast<std::uint8_t>(LeafRole::resource);

Hash32 key_of_record(const Hash32& range_key, SequenceNumber sequence) {
  std::string bytes(1, kSaltTag);
  bytes.append(hash_bytes(range_key));
  append_le(bytes, sequence.number());
  return sha256(bytes);
}

Hash32 salt_of_field(const Hash32& record_key, std::uint32_t index) {
  std::string bytes(1, kSaltTag);
  bytes.append(hash_bytes(record_key));
  append_le(bytes, index);
  return sha256(bytes);
}

std::string encoded_name(std::uint8_t role, ValueType type, std::string_view path, std::string_view key) {
  std::string bytes;
  bytes.push_back(static_cast<char>(role));
  bytes.push_back(static_cast<char>(type));
  append_sized(bytes, path);
  append_sized(bytes, key);
  return bytes;
}

std::string encoded_value(const Value& value) {
  std::string bytes;
  switch (value.type) {
    case ValueType::null:
    case ValueType::empty_object:
      break;
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list:
      bytes = value.text;
      break;
    case ValueType::int64:
      append_le(bytes, value.integer);
      break;
    case ValueType::uint64:
      append_le(bytes, value.natural);
      break;
    case ValueType::float64:
      append_le(bytes, std::bit_cast<std::uint64_t>(value.real));
      break;
    case ValueType::boolean:
      bytes.push_back(value.boolean ? 1 : 0);
      break;
    case ValueType::time:
      append_le(bytes, value.integer);
      bytes.push_back(static_cast<char>(value.fraction_digits));
      break;
  }
  return bytes;
}

/// A value borrowed from `bytes`; nothing where the size is not one of the type.
std::optional<Value> decoded_value(ValueType type, std::string_view bytes) {
  ByteReader reader(bytes);
  Value value;
  switch (type) {
    case ValueType::text:
      return Value::of_text(bytes);
    case ValueType::bytes:
      return Value::of_bytes(bytes);
    case ValueType::number_text:
      return Value::of_number_text(bytes);
    case ValueType::list:
      return Value::of_list(bytes);
    case ValueType::null:
      break;
    case ValueType::empty_object:
      value = Value::of_empty_object();
      break;
    case ValueType::int64:
      value = Value::of_int64(reader.read_le<std::int64_t>());
      break;
    case ValueType::uint64:
      value = Value::of_uint64(reader.read_le<std::uint64_t>());
      break;
    case ValueType::float64:
      value = Value::of_float64(std::bit_cast<double>(reader.read_le<std::uint64_t>()));
      break;
    case ValueType::boolean:
      value = Value::of_bool(reader.read_le<std::uint8_t>() != 0);
      break;
    case ValueType::time: {
      const Timestamp instant(reader.read_le<std::int64_t>());
      value = Value::of_time(instant, reader.read_le<std::uint8_t>());
      break;
    }
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return value;
}

struct LeafName {
  std::uint8_t role = 0;
  ValueType type = ValueType::null;
  std::string_view path, key;
};

std::optional<LeafName> decoded_name(std::string_view bytes) {
  ByteReader reader(bytes);
  LeafName name;
  name.role = reader.read_le<std::uint8_t>();
  const auto type = reader.read_le<std::uint8_t>();
  name.path = reader.read_sized();
  name.key = reader.read_sized();
  if (!reader.ok() || !reader.at_end() || type >= kValueTypeCount) return std::nullopt;
  name.type = static_cast<ValueType>(type);
  return name;
}

/// How the sender's object was nested: its steps, leaves without their names.
Hash32 nesting_hash(const Shape& shape) {
  std::string bytes;
  for (const ShapeOp& op : shape.ops) {
    bytes.push_back(static_cast<char>(op.kind));
    if (op.kind == ShapeOp::Kind::open) append_sized(bytes, op.key);
  }
  return sha256(bytes);
}

std::string encoded_head(const RecordBlock& block, std::uint32_t row) {
  const RecordView record = block.record(row);
  std::string head(1, static_cast<char>(kLeafVersion));
  append_le(head, block.sequence(row).number());
  append_le(head, record.timestamp().number());
  append_le(head, block.receive_time(row).number());
  head.push_back(static_cast<char>(record.severity()));
  head.push_back(record.severity_is_from_body() ? 1 : 0);
  head.append(hash_bytes(nesting_hash(record.shape())));
  return head;
}

Hash32 value_hash(const FieldOpening& field) {
  if (field.withheld) return *field.withheld;
  std::string bytes(1, kValueTag);
  bytes.append(hash_bytes(field.salt));
  bytes.append(field.value);
  return sha256(bytes);
}

Hash32 field_hash(const FieldOpening& field) {
  std::string bytes(1, kFieldTag);
  append_sized(bytes, field.name);
  bytes.append(hash_bytes(value_hash(field)));
  return sha256(bytes);
}

}  // namespace

RecordOpening open_record(const RecordBlock& block, std::uint32_t row, const Hash32& range_key) {
  RecordOpening opening;
  opening.head = encoded_head(block, row);
  const Hash32 record_key = key_of_record(range_key, block.sequence(row));
  const auto add = [&](std::string name, const Value& value) {
    const auto index = static_cast<std::uint32_t>(opening.fields.size());
    opening.fields.push_back({std::move(name), salt_of_field(record_key, index), encoded_value(value), std::nullopt});
  };
  const RecordView record = block.record(row);
  record.for_each_leaf([&add](const Leaf& leaf, const Value& value) {
    add(encoded_name(static_cast<std::uint8_t>(leaf.role), leaf.type, leaf.path, leaf.key), value);
    return true;
  });
  for (const StreamLabel& label : record.stream().labels) {
    add(encoded_name(kLabelRole, label.value.type, label.path, {}), label.value);
  }
  return opening;
}

Hash32 leaf_of(const RecordOpening& opening) {
  std::string bytes(1, kLeafTag);
  append_sized(bytes, opening.head);
  append_varint(bytes, opening.fields.size());
  for (const FieldOpening& field : opening.fields) bytes.append(hash_bytes(field_hash(field)));
  return sha256(bytes);
}

void withhold(FieldOpening& field) {
  field.withheld = value_hash(field);
  field.salt = {};
  field.value.clear();
}

std::optional<RecordHead> read_record_head(std::string_view head) {
  ByteReader reader(head);
  const auto version = reader.read_le<std::uint8_t>();
  RecordHead read;
  read.sequence = reader.read_le<std::uint64_t>();
  read.timestamp_ns = reader.read_le<std::int64_t>();
  read.received_ns = reader.read_le<std::int64_t>();
  read.severity = reader.read_le<std::uint8_t>();
  reader.read_le<std::uint8_t>();
  reader.read_bytes(sizeof(Hash32));
  if (!reader.ok() || !reader.at_end() || version != kLeafVersion) return std::nullopt;
  return read;
}

std::optional<std::string> path_of_field(std::string_view name) {
  const auto read = decoded_name(name);
  if (!read) return std::nullopt;
  return std::string(read->path);
}

std::optional<std::string> value_text_of_field(const FieldOpening& field) {
  const auto name = decoded_name(field.name);
  if (!name) return std::nullopt;
  const auto value = decoded_value(name->type, field.value);
  if (!value) return std::nullopt;
  std::string text;
  append_value_text(text, *value);
  return text;
}

}  // namespace dendro
