#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "filter/predicate.h"
#include "query/language/analysis_ast.h"
#include "query/language/pipe_ast.h"
#include "query/language/stats_ast.h"

namespace dendro {

// A parsed query as values (query-language.md 4). The pipes that change rows stand in pipe_ast.h, statistics in
// stats_ast.h, what works over several rows in analysis_ast.h.

struct WherePipe {
  Predicate filter;
  friend bool operator==(const WherePipe&, const WherePipe&) = default;
};
/// `fields`, or `drop`.
struct FieldsPipe {
  std::vector<NamePattern> names;
  bool drops = false;
  friend bool operator==(const FieldsPipe&, const FieldsPipe&) = default;
};
struct LimitPipe {
  std::uint64_t count = 10;
  friend bool operator==(const LimitPipe&, const LimitPipe&) = default;
};
struct OffsetPipe {
  std::uint64_t count = 0;
  friend bool operator==(const OffsetPipe&, const OffsetPipe&) = default;
};
struct SortKey {
  std::string name;
  bool descending = false;
  friend bool operator==(const SortKey&, const SortKey&) = default;
};
struct SortPipe {
  std::vector<SortKey> keys;
  std::optional<std::uint64_t> limit;
  friend bool operator==(const SortPipe&, const SortPipe&) = default;
};
struct UniqPipe {
  std::vector<std::string> names;
  bool with_hits = false;
  friend bool operator==(const UniqPipe&, const UniqPipe&) = default;
};
/// `top`, or `rare`.
struct TopPipe {
  std::uint64_t count = 10;
  std::vector<std::string> names;
  bool rarest = false;
  friend bool operator==(const TopPipe&, const TopPipe&) = default;
};

using Pipe = std::variant<WherePipe, FieldsPipe, LimitPipe, OffsetPipe, SortPipe, UniqPipe, TopPipe, StatsPipe,
                          RenamePipe, EvalPipe, ExtractPipe, ExtractRegexPipe, UnpackPipe, FormatPipe, ReplacePipe,
                          UnrollPipe, FieldNamesPipe, FieldValuesPipe, FacetsPipe, PatternPipe, JoinPipe, UnionPipe,
                          DedupPipe, SamplePipe, TailPipe, TextPipe, PackPipe, ContextPipe, FlattenPipe, LookupPipe,
                          TransactionPipe, WithStatsPipe, DeltaPipe, TimechartPipe, FillGapsPipe, ComparePipe,
                          HistogramPipe, StreamsPipe, SeriesPipe, CorrelatePipe, GeoipPipe, BlockStatsPipe>;

/// A field that the query names, and where. `pipe`: 0 = the filter, 1 = the first pipe, ...
struct FieldUse {
  std::string name;
  std::size_t offset = 0, size = 0;
  std::size_t pipe = 0;
};

/// A part of the query's text.
struct QueryPart {
  std::size_t offset = 0, size = 0;
};

/// One of the conditions that the first filter joins by `and`.
struct FilterPart {
  Predicate predicate;
  QueryPart place;
};

struct ParsedQuery;
/// A query inside a query.
struct Subquery {
  enum class Use : std::uint8_t { values, rows };
  std::shared_ptr<const ParsedQuery> query;
  Use use = Use::values;
  std::string text;  ///< canonical
};

struct ParsedQuery {
  Predicate filter{Everything{}};
  std::vector<Subquery> subqueries;  ///< by number; the tree has them as text
  std::vector<Pipe> pipes;
  std::vector<FieldUse> uses;         ///< in the order of the text; not part of the tree
  std::vector<QueryPart> pipe_words;  ///< the first word of each pipe; not part of the tree
  std::vector<QueryPart>
      unindexed_regexes;                 ///< of the first filter, without a literal to look for; not part of the tree
  QueryPart filter_place;                ///< of the first filter; size 0: there is none; not part of the tree
  std::vector<FilterPart> filter_parts;  ///< of the first filter; none where it is an `or`; not part of the tree
  friend bool operator==(const ParsedQuery& a, const ParsedQuery& b) {
    return a.filter == b.filter && a.pipes == b.pipes;
  }
};

/// The canonical form of a whole query.
std::string to_text(const ParsedQuery& query);
std::string to_text(const Pipe& pipe);

}  // namespace dendro
