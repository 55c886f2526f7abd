#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "record/batch_layout.h"
#include "record/record_batch.h"

namespace dendro {

// Steps over the values of a checked batch (docs/formats/batch.md) without making them: the inner loop of every field
// test.

inline void skip_stored_varint(const char*& at) {
  while ((static_cast<std::uint8_t>(*at) & 0x80) != 0) ++at;
  ++at;
}

inline void skip_stored_value(ValueType type, const char*& at) {
  switch (type) {
    case ValueType::null:
    case ValueType::empty_object:
      return;
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::number_text:
    case ValueType::list: {
      std::uint64_t size = 0;
      for (unsigned shift = 0;; shift += 7) {
        const auto byte = static_cast<std::uint8_t>(*at++);
        size |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) break;
      }
      at += size;
      return;
    }
    case ValueType::int64:
    case ValueType::uint64:
      skip_stored_varint(at);
      return;
    case ValueType::float64:
      at += sizeof(double);
      return;
    case ValueType::boolean:
      ++at;
      return;
    case ValueType::time:
      at += 1 + ((static_cast<std::uint8_t>(*at) & batch_layout::kTimeHasInstant) != 0 ? sizeof(std::int64_t) : 0);
      return;
  }
}

/// True of leaves whose value a text filter without a field searches (query-language.md D2); labels come from the
/// stream.
inline bool is_searchable_leaf(const Leaf& leaf) {
  switch (leaf.role) {
    case LeafRole::attribute:
    case LeafRole::body:
    case LeafRole::body_part:
    case LeafRole::trace_id:
    case LeafRole::span_id:
    case LeafRole::severity_text:
      return leaf.type != ValueType::null;
    case LeafRole::severity:
      return leaf.type == ValueType::text;
    default:
      return false;
  }
}

}  // namespace dendro
