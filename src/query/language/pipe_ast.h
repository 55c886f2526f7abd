#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "filter/predicate.h"

namespace dendro {

// The pipes that change rows, as values (query-language.md 8.1). Part of query/query_ast.h.

/// `name`, or `name*`: every field that begins with it.
struct NamePattern {
  std::string name;
  bool is_prefix = false;
  bool matches(std::string_view field) const { return is_prefix ? field.starts_with(name) : field == name; }
  friend bool operator==(const NamePattern&, const NamePattern&) = default;
};

/// A text with places for fields: `refused: <host>:<port>`. Each name is followed by a literal, the last one perhaps
/// by "".
struct PlaceholderText {
  struct Place {
    std::string name;     ///< "_" and "": a place without a field
    std::string literal;  ///< the text behind it
    bool is_named() const { return !name.empty() && name != "_"; }
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::string text;     ///< as it was written
  std::string literal;  ///< in front of the first place
  std::vector<Place> places;
  friend bool operator==(const PlaceholderText& a, const PlaceholderText& b) { return a.text == b.text; }
};
/// Cuts `text` at its `<name>`s; a `<` that no `>` follows is text.
PlaceholderText parse_placeholders(std::string_view text);

enum class ScalarFunction : std::uint8_t {
  none,
  len,
  lower,
  upper,
  trim,
  substr,
  concat,
  replace,
  coalesce,
  round,
  floor,
  ceil,
  abs,
  min,
  max,
  duration_ms,
  bytes,
  time_part,
  split,
  levenshtein,
  parse_url,
  json_path,
  base64_decode,
  url_decode,
  ln,
  exp,
  pow,
  sha256,
  parse_user_agent,
};

/// An expression of `eval`.
struct Expression {
  enum class Kind : std::uint8_t {
    number,
    text,
    field,
    negate,
    add,
    subtract,
    multiply,
    divide,
    modulo,
    call,
    conditional,  ///< operands: then, else
  };
  Kind kind = Kind::number;
  std::string text;  ///< number, text, name of a field or of a function
  ScalarFunction function = ScalarFunction::none;
  std::vector<Expression> operands;
  std::optional<Predicate> condition;
  friend bool operator==(const Expression& a, const Expression& b) {
    return a.kind == b.kind && a.text == b.text && a.operands == b.operands && a.condition == b.condition;
  }
};
std::string to_text(const Expression& expression);
/// Levels of nesting that a parser meets in that text.
int printed_depth(const Expression& expression);

/// `rename a as b`, or `copy a as b`.
struct RenamePipe {
  struct Item {
    std::string from, to;
    friend bool operator==(const Item&, const Item&) = default;
  };
  std::vector<Item> items;
  bool copies = false;
  friend bool operator==(const RenamePipe&, const RenamePipe&) = default;
};
/// `eval a / 2 as b`.
struct EvalPipe {
  struct Item {
    Expression expression;
    std::string name;
    friend bool operator==(const Item&, const Item&) = default;
  };
  std::vector<Item> items;
  friend bool operator==(const EvalPipe&, const EvalPipe&) = default;
};
struct ExtractPipe {
  PlaceholderText pattern;
  std::string from = "body";
  std::optional<Predicate> condition;
  friend bool operator==(const ExtractPipe&, const ExtractPipe&) = default;
};
/// `extract_regexp`, `rex`.
struct ExtractRegexPipe {
  std::shared_ptr<const Regex> regex;  ///< never null, some group has a name
  std::string from = "body";
  std::optional<Predicate> condition;
  friend bool operator==(const ExtractRegexPipe& a, const ExtractRegexPipe& b) {
    return a.regex->pattern() == b.regex->pattern() && a.from == b.from && a.condition == b.condition;
  }
};
enum class UnpackFormat : std::uint8_t { json, logfmt, kv, csv, syslog, cef, xml };
struct UnpackPipe {
  UnpackFormat format = UnpackFormat::json;
  std::string from = "body";
  std::vector<NamePattern> fields;  ///< empty: all
  std::string prefix;
  std::optional<Predicate> condition;
  friend bool operator==(const UnpackPipe&, const UnpackPipe&) = default;
};
struct FormatPipe {
  PlaceholderText pattern;
  std::string to = "body";
  std::optional<Predicate> condition;
  friend bool operator==(const FormatPipe&, const FormatPipe&) = default;
};
/// `replace`, or `replace_regexp` where `regex` is not null.
struct ReplacePipe {
  std::string from;                    ///< text that is looked for, never empty without `regex`
  std::shared_ptr<const Regex> regex;  ///< of replace_regexp
  std::string to;                      ///< with `$1`, `${name}` of the expression's groups, `$$` a dollar
  std::string at = "body";
  std::optional<Predicate> condition;
  friend bool operator==(const ReplacePipe& a, const ReplacePipe& b) {
    const auto pattern = [](const ReplacePipe& pipe) { return pipe.regex ? pipe.regex->pattern() : pipe.from; };
    return pattern(a) == pattern(b) && (a.regex != nullptr) == (b.regex != nullptr) && a.to == b.to && a.at == b.at &&
           a.condition == b.condition;
  }
};
struct UnrollPipe {
  std::vector<std::string> names;
  friend bool operator==(const UnrollPipe&, const UnrollPipe&) = default;
};

// The extended ones (8.3).

/// `join by (k) (query)`: each row with the rows of the query that have equal keys.
struct JoinPipe {
  std::vector<std::string> keys;
  std::size_t number = 0;  ///< of the sub-query
  std::string query;       ///< its canonical form
  bool is_inner = false;   ///< rows without a partner go
  std::string prefix;
  friend bool operator==(const JoinPipe& a, const JoinPipe& b) {
    return a.keys == b.keys && a.query == b.query && a.is_inner == b.is_inner && a.prefix == b.prefix;
  }
};
/// `union (query)`: its rows among these in their order; `append (query)`: behind them.
struct UnionPipe {
  std::size_t number = 0;
  std::string query;
  bool appends = false;
  friend bool operator==(const UnionPipe& a, const UnionPipe& b) {
    return a.query == b.query && a.appends == b.appends;
  }
};
/// `dedup n by (a, b)`: of rows with equal values the first n.
struct DedupPipe {
  std::uint64_t count = 1;
  std::vector<std::string> names;
  friend bool operator==(const DedupPipe&, const DedupPipe&) = default;
};
/// `sample n`: about one row in n, the same ones each time.
struct SamplePipe {
  std::uint64_t one_in = 1;
  friend bool operator==(const SamplePipe&, const SamplePipe&) = default;
};
/// `tail n`: the last n rows.
struct TailPipe {
  std::uint64_t count = 10;
  friend bool operator==(const TailPipe&, const TailPipe&) = default;
};
/// The pipes that make a new text of one field's.
struct TextPipe {
  enum class Kind : std::uint8_t { decolorize, mask, hash, collapse_nums, split };
  Kind kind = Kind::decolorize;
  std::string at = "body";
  std::string separator;  ///< split
  std::optional<Predicate> condition;
  friend bool operator==(const TextPipe&, const TextPipe&) = default;
};
/// `pack (a, b*) as c`: fields as one JSON text.
struct PackPipe {
  std::vector<NamePattern> names;  ///< empty: all
  std::string to = "body";
  friend bool operator==(const PackPipe&, const PackPipe&) = default;
};
// Tables made of the names and values of rows (8.2).
struct FieldNamesPipe {
  friend bool operator==(const FieldNamesPipe&, const FieldNamesPipe&) = default;
};
struct FieldValuesPipe {
  std::string name;
  friend bool operator==(const FieldValuesPipe&, const FieldValuesPipe&) = default;
};
/// `pattern n by f`: the most frequent templates of bodies, with `f` each with each of its values.
struct PatternPipe {
  std::uint64_t count = 10;
  std::string by;  ///< empty: none
  friend bool operator==(const PatternPipe&, const PatternPipe&) = default;
};
struct FacetsPipe {
  std::uint64_t count = 10;
  friend bool operator==(const FacetsPipe&, const FacetsPipe&) = default;
};

}  // namespace dendro
