#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/value.h"

namespace dendro {

/// What a leaf of the sender's object became. Numbers are on disk, never change them.
enum class LeafRole : std::uint8_t {
  attribute = 0,
  body = 1,           ///< the body itself
  body_part = 2,      ///< a leaf below a body that is an object; its path is without "body."
  resource = 3,       ///< a stream label: its value stands in the record's Stream under `path`, not in the record
  timestamp = 4,      ///< what `timestamp()` was read from, as it was written
  observed = 5,       ///< the sender's own observed time, as it was written
  severity = 6,       ///< the word or number `severity()` was read from; a text is also `severity_text`
  severity_text = 7,  ///< a word beside a severity number of its own
  trace_id = 8,
  span_id = 9,
  flags = 10,
  event_name = 11,
  scope_name = 12,
  scope_version = 13,
};
inline constexpr std::uint8_t kLeafRoleCount = 14;

/// One leaf of a shape. Strings are borrowed from the batch.
struct Leaf {
  LeafRole role = LeafRole::attribute;
  ValueType type = ValueType::null;
  std::string_view path;  ///< canonical dotted path: "a.b", "body", "service.name"
  std::string_view key;   ///< the member's own name where it stood: "b", "msg", "service.name"

  /// Leaves whose value is in the stream take no bytes of the record.
  bool is_stored() const { return role != LeafRole::resource; }
};

/// Steps that draw the sender's object again: its leaves in order, and where nested objects open and close.
struct ShapeOp {
  enum class Kind : std::uint8_t { leaf = 0, open = 1, close = 2 };
  Kind kind = Kind::leaf;
  std::uint32_t leaf_index = 0;  ///< leaf: index into Shape::leaves
  std::string_view key;          ///< open: the member's name
};

/// The ordered paths, types and nesting that many records of a batch share.
struct Shape {
  std::vector<Leaf> leaves;
  std::vector<ShapeOp> ops;
};

/// One label of a stream; borrowed from the batch.
struct StreamLabel {
  std::string_view path;
  Value value;  ///< text, bytes, number or boolean
};

/// The resource of a record: labels sorted by path, each path once.
struct Stream {
  std::vector<StreamLabel> labels;
  const StreamLabel* find(std::string_view path) const;
};

/// `{a="b",service.name="api"}`: the canonical text of a stream, values as text, quotes and backslashes escaped.
std::string to_stream_text(const Stream& stream);

}  // namespace dendro
