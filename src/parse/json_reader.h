#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "parse/text_arena.h"
#include "record/value.h"

namespace dendro {

/// One step through an object's members, in the order they were written: a leaf, or where a nested object opens or
/// closes.
struct JsonNode {
  enum class Kind : std::uint8_t { leaf, open, close };
  Kind kind = Kind::leaf;
  std::string_view key;  ///< unescaped; leaf and open
  Value value;           ///< leaf
};

/// What stands at the front of a text.
struct JsonRead {
  enum class Kind : std::uint8_t {
    object,      ///< its members are nodes()
    other,       ///< an array or scalar; checked and passed over
    incomplete,  ///< right as far as it goes, but the text ends inside
    malformed,
  };
  Kind kind = Kind::malformed;
  std::size_t end = 0;    ///< offset behind the value; malformed: of the fault
  const char* what = "";  ///< malformed, incomplete: "expected a value"
  bool is_empty = false;  ///< object: `{}`; other: `[]`
};

/// Reads JSON (RFC 8259) into flat nodes, without a tree. Where RFC 8259 and our own losslessness leave room
/// (engine.md 2.0): strings that are no UTF-8, or that escape half a surrogate pair, become `bytes` values instead of
/// faults (half a pair as its three bytes of generalised UTF-8); numerals keep their text; arrays, and objects deeper
/// than `depth_max`, stay JSON text without white space, with escapes in shortest form (value type `list`: rendered
/// back as JSON). There is no limit on depth, and no recursion beyond `depth_max`. Duplicate members are all here.
///
/// Hand-written rather than simdjson's On-Demand, which refuses bad UTF-8, so that the same text would need two readers
/// with one meaning; measured in bench/ingest_decode_bench.cc. Not thread-safe; what nodes() borrows lives until the
/// next read, and no longer than the text.
class JsonReader {
 public:
  explicit JsonReader(int depth_max);

  /// Reads the value at the front of text.substr(offset), white space before it allowed.
  JsonRead read(std::string_view text, std::size_t offset);
  const std::vector<JsonNode>& nodes() const { return nodes_; }

  // For readers that know where the members of an object stand:
  /// What the values of the object before borrowed is forgotten, as by read().
  void begin_values();
  /// Reads the value of a member at text[offset] and moves `offset` behind it; an object is kept as JSON text whatever
  /// its depth. False: none stands there. What it borrows lives until the next begin_values() or read().
  bool read_value(std::string_view text, std::size_t& offset, Value& value);

 private:
  bool read_members(int depth);
  bool read_leaf(Value& value, int depth);
  bool read_string(std::string_view& out, bool& is_utf8);
  bool read_escaped_string(const char* first, std::string_view& out, bool& is_utf8);
  bool read_numeral(Value& value);
  bool read_literal(std::string_view word);
  bool read_container_text(std::string_view& out);
  bool skip_container();
  bool skip_member_name();
  bool skip_string();
  void skip_slack();
  bool read_code_unit(std::uint32_t& unit);
  void skip_space();
  bool fail(const char* what) {
    what_ = what;
    return false;
  }

  const int depth_max_;
  // The read at hand.
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  const char* what_ = "";
  std::vector<JsonNode> nodes_;
  std::vector<char> brackets_;  ///< of the container being passed over
  bool has_slack_ = false;      ///< it holds white space or escapes
  TextArena arena_;
};

}  // namespace dendro
