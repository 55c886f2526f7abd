#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace dendro {

/// One parsed small JSON document (requests, settings, key sets, replies of other services), as a tree of owned values.
/// Records are not read through this: `src/ingest` and `src/parse` read them without building a tree.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  JsonValue() = default;
  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_string() const { return kind_ == Kind::string; }
  bool is_object() const { return kind_ == Kind::object; }
  bool is_array() const { return kind_ == Kind::array; }

  /// Nothing where the kind is another.
  std::optional<bool> as_bool() const;
  std::optional<std::int64_t> as_int() const;  ///< numbers without fraction in range only
  std::optional<double> as_double() const;
  std::optional<std::string_view> as_string() const;  ///< borrowed from this value

  /// Elements of an array; empty otherwise.
  const std::vector<JsonValue>& elements() const { return elements_; }
  /// Members of an object in the order they were written; empty otherwise. Duplicate keys are all here.
  const std::vector<std::pair<std::string, JsonValue>>& members() const { return members_; }
  /// The last member named `key`; null pointer if there is none. Borrowed.
  const JsonValue* find(std::string_view key) const;
  /// Kind in words for error texts: "a string", "null".
  std::string_view kind_text() const;

 private:
  friend class JsonTreeBuilder;
  Kind kind_ = Kind::null;
  bool boolean_ = false;
  bool is_integer_ = false;
  std::int64_t integer_ = 0;
  double number_ = 0;
  std::string string_;
  std::vector<JsonValue> elements_;
  std::vector<std::pair<std::string, JsonValue>> members_;
};

inline constexpr std::size_t kMaxJsonDocumentBytes = std::size_t{16} << 20;
inline constexpr int kMaxJsonDocumentDepth = 256;

/// Reads exactly one JSON document (RFC 8259). Copies `text`; thread-safe.
/// Errors: invalid_argument (not JSON, the text says what), too_large.
Result<JsonValue> parse_json_document(std::string_view text);
/// The value as compact JSON, members in their order, duplicate keys included.
void append_json(std::string& out, const JsonValue& value);

}  // namespace dendro
