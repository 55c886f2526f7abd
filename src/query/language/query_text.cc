// The canonical form of pipes; that of filters is filter/predicate_text.h.
#include <array>

#include "filter/predicate_text.h"
#include "query/language/language_words.h"
#include "query/language/query_ast.h"

namespace dendro {
namespace {

template <typename List, typename Append>
std::string joined(const List& list, Append&& append) {
  std::string text;
  for (const auto& item : list) {
    if (!text.empty()) text += ", ";
    append(text, item);
  }
  return text;
}

std::string names_text(const std::vector<std::string>& names) {
  return joined(names, [](std::string& out, const std::string& name) { append_query_text(out, name); });
}

std::string aggregate_text(const Aggregate& aggregate) {
  std::string text = aggregate.function + "(";
  for (const double number : aggregate.numbers) {
    append_value_text(text, Value::of_float64(number));
    text += ", ";
  }
  text += names_text(aggregate.fields) + ")";
  if (aggregate.condition) text += " if (" + to_text(*aggregate.condition) + ")";
  text += " as ";
  append_query_text(text, aggregate.column);
  return text;
}

std::string aggregates_text(const std::vector<Aggregate>& aggregates) {
  return joined(aggregates, [](std::string& out, const Aggregate& a) { out += aggregate_text(a); });
}

void append_group(std::string& out, const GroupKey& key) {
  append_query_text(out, key.name);
  if (key.bucket.kind != BucketKind::none) out += ":" + key.bucket.text;
  if (!key.window.empty()) out += " window " + key.window;
  if (key.column == key.name) return;
  out += " as ";
  append_query_text(out, key.column);
}

std::string groups_text(const std::vector<GroupKey>& groups) {
  return joined(groups, append_group);
}

std::string by_text(const std::vector<std::string>& names) {
  return names.empty() ? "" : " by (" + names_text(names) + ")";
}

std::string condition_text(const std::optional<Predicate>& condition) {
  return condition ? "if (" + to_text(*condition) + ") " : "";
}

std::string quoted_text(std::string_view text) {
  std::string quoted;
  append_query_string(quoted, text);
  return quoted;
}

/// ` word name` where it is not the default.
std::string name_clause(std::string_view word, std::string_view name, std::string_view otherwise = "body") {
  if (name == otherwise) return "";
  std::string text = " " + std::string(word) + " ";
  append_query_text(text, name);
  return text;
}

std::string patterns_text(const std::vector<NamePattern>& names) {
  return joined(names, [](std::string& out, const NamePattern& name) {
    if (!name.name.empty()) append_query_text(out, name.name);
    if (name.is_prefix) out.push_back('*');
  });
}

struct PipeWriter {
  std::string operator()(const WherePipe& pipe) const { return "where " + to_text(pipe.filter); }
  std::string operator()(const FieldsPipe& pipe) const {
    return (pipe.drops ? "drop " : "fields ") + patterns_text(pipe.names);
  }
  std::string operator()(const LimitPipe& pipe) const { return "limit " + std::to_string(pipe.count); }
  std::string operator()(const OffsetPipe& pipe) const { return "offset " + std::to_string(pipe.count); }
  std::string operator()(const SortPipe& pipe) const {
    std::string text = "sort by (" +
                       joined(pipe.keys,
                              [](std::string& out, const SortKey& key) {
                                append_query_text(out, key.name);
                                if (key.descending) out += " desc";
                              }) +
                       ")";
    return pipe.limit ? text + " limit " + std::to_string(*pipe.limit) : text;
  }
  std::string operator()(const UniqPipe& pipe) const {
    return "uniq by (" + names_text(pipe.names) + (pipe.with_hits ? ") with hits" : ")");
  }
  std::string operator()(const TopPipe& pipe) const {
    return (pipe.rarest ? "rare " : "top ") + std::to_string(pipe.count) + " by (" + names_text(pipe.names) + ")";
  }
  std::string operator()(const StatsPipe& pipe) const {
    const std::string by = pipe.groups.empty() ? "" : "by (" + groups_text(pipe.groups) + ") ";
    return "stats " + by + aggregates_text(pipe.aggregates);
  }
  std::string operator()(const RenamePipe& pipe) const {
    return (pipe.copies ? "copy " : "rename ") + joined(pipe.items, [](std::string& out, const RenamePipe::Item& item) {
             append_query_text(out, item.from);
             out += " as ";
             append_query_text(out, item.to);
           });
  }
  std::string operator()(const EvalPipe& pipe) const {
    return "eval " + joined(pipe.items, [](std::string& out, const EvalPipe::Item& item) {
             out += to_text(item.expression) + " as ";
             append_query_text(out, item.name);
           });
  }
  std::string operator()(const ExtractPipe& pipe) const {
    return "extract " + condition_text(pipe.condition) + quoted_text(pipe.pattern.text) +
           name_clause("from", pipe.from);
  }
  std::string operator()(const ExtractRegexPipe& pipe) const {
    return "extract_regexp " + condition_text(pipe.condition) + quoted_text(pipe.regex->pattern()) +
           name_clause("from", pipe.from);
  }
  std::string operator()(const UnpackPipe& pipe) const {
    std::string text = "unpack " + std::string(unpack_format_name(pipe.format));
    if (pipe.condition) text += " if (" + to_text(*pipe.condition) + ")";
    text += name_clause("from", pipe.from);
    if (!pipe.fields.empty()) text += " fields (" + patterns_text(pipe.fields) + ")";
    return pipe.prefix.empty() ? text : text + " prefix " + quoted_text(pipe.prefix);
  }
  std::string operator()(const FormatPipe& pipe) const {
    return "format " + condition_text(pipe.condition) + quoted_text(pipe.pattern.text) + name_clause("as", pipe.to);
  }
  std::string operator()(const ReplacePipe& pipe) const {
    const std::string from = quoted_text(pipe.regex != nullptr ? pipe.regex->pattern() : pipe.from);
    return (pipe.regex != nullptr ? "replace_regexp " : "replace ") + condition_text(pipe.condition) + "(" + from +
           ", " + quoted_text(pipe.to) + ")" + name_clause("at", pipe.at);
  }
  std::string operator()(const UnrollPipe& pipe) const { return "unroll by (" + names_text(pipe.names) + ")"; }
  std::string operator()(const JoinPipe& pipe) const {
    std::string text = "join by (" + names_text(pipe.keys) + ") (" + pipe.query + ")";
    if (pipe.is_inner) text += " inner";
    return pipe.prefix.empty() ? text : text + " prefix " + quoted_text(pipe.prefix);
  }
  std::string operator()(const UnionPipe& pipe) const {
    return (pipe.appends ? "append (" : "union (") + pipe.query + ")";
  }
  std::string operator()(const DedupPipe& pipe) const {
    return "dedup " + std::to_string(pipe.count) + " by (" + names_text(pipe.names) + ")";
  }
  std::string operator()(const SamplePipe& pipe) const { return "sample " + std::to_string(pipe.one_in); }
  std::string operator()(const TailPipe& pipe) const { return "tail " + std::to_string(pipe.count); }
  std::string operator()(const TextPipe& pipe) const {
    static constexpr std::array<std::string_view, 5> kWords = {"decolorize", "mask", "hash", "collapse_nums", "split"};
    std::string text(kWords[static_cast<std::size_t>(pipe.kind)]);
    if (pipe.condition) text += " if (" + to_text(*pipe.condition) + ")";
    if (pipe.kind == TextPipe::Kind::split) text += " " + quoted_text(pipe.separator);
    return text + name_clause("at", pipe.at);
  }
  std::string operator()(const PackPipe& pipe) const {
    return (pipe.names.empty() ? "pack" : "pack (" + patterns_text(pipe.names) + ")") + name_clause("as", pipe.to);
  }
  std::string operator()(const FieldNamesPipe&) const { return "field_names"; }
  std::string operator()(const FieldValuesPipe& pipe) const { return "field_values " + names_text({pipe.name}); }
  std::string operator()(const PatternPipe& pipe) const {
    return "pattern " + std::to_string(pipe.count) + (pipe.by.empty() ? "" : by_text({pipe.by}));
  }
  std::string operator()(const FacetsPipe& pipe) const { return "facets " + std::to_string(pipe.count); }
  std::string operator()(const ContextPipe& pipe) const { return "context " + std::to_string(pipe.count); }
  std::string operator()(const FlattenPipe& pipe) const { return "flatten (" + names_text(pipe.names) + ")"; }
  std::string operator()(const LookupPipe& pipe) const {
    std::string text = "lookup " + quoted_text(pipe.table) + " by (" +
                       joined(pipe.keys,
                              [](std::string& out, const LookupPipe::Key& key) {
                                append_query_text(out, key.field);
                                if (key.column != key.field) out += name_clause("as", key.column);
                              }) +
                       ")";
    if (!pipe.fields.empty()) text += " fields (" + patterns_text(pipe.fields) + ")";
    return pipe.prefix.empty() ? text : text + " prefix " + quoted_text(pipe.prefix);
  }
  std::string operator()(const GeoipPipe& pipe) const {
    std::string text = "geoip " + condition_text(pipe.condition) + names_text({pipe.at});
    if (!pipe.fields.empty()) text += " fields (" + patterns_text(pipe.fields) + ")";
    return text + " prefix " + quoted_text(pipe.prefix);
  }
  std::string operator()(const BlockStatsPipe&) const { return "block_stats"; }
  std::string operator()(const TransactionPipe& pipe) const {
    std::string text = "transaction" + by_text(pipe.names);
    if (!pipe.span.empty()) text += " maxspan " + pipe.span;
    if (!pipe.pause.empty()) text += " maxpause " + pipe.pause;
    if (pipe.starts) text += " startswith (" + to_text(*pipe.starts) + ")";
    if (pipe.ends) text += " endswith (" + to_text(*pipe.ends) + ")";
    return text;
  }
  std::string operator()(const WithStatsPipe& pipe) const {
    std::string text = pipe.is_running ? "streamstats " : "eventstats ";
    if (pipe.window != 0) text += "window " + std::to_string(pipe.window) + " ";
    text += aggregates_text(pipe.stats.aggregates);
    return pipe.stats.groups.empty() ? text : text + " by (" + groups_text(pipe.stats.groups) + ")";
  }
  std::string operator()(const DeltaPipe& pipe) const {
    std::string text = "delta ";
    append_query_text(text, pipe.field);
    return text + name_clause("as", pipe.to, "") + by_text(pipe.names);
  }
  std::string operator()(const TimechartPipe& pipe) const {
    const std::vector<GroupKey>& groups = pipe.stats.groups;
    std::string text = "timechart ";
    if (groups[0].bucket.kind != BucketKind::none) text += "span " + groups[0].bucket.text + " ";
    text += aggregates_text(pipe.stats.aggregates);
    return groups.size() == 1 ? text : text + " by (" + groups_text({groups.begin() + 1, groups.end()}) + ")";
  }
  std::string operator()(const FillGapsPipe& pipe) const {
    std::string text = "fill_gaps ";
    append_group(text, pipe.time);
    text += by_text(pipe.names);
    return pipe.filler ? text + " with " + *pipe.filler : text;
  }
  std::string operator()(const ComparePipe& pipe) const {
    std::string text = "compare";
    if (!pipe.name.empty()) text += by_text({pipe.name});
    return pipe.offset.empty() ? text : text + " offset " + pipe.offset;
  }
  std::string operator()(const HistogramPipe& pipe) const {
    return "histogram " + std::to_string(pipe.count) + by_text({pipe.name});
  }
  std::string operator()(const StreamsPipe&) const { return "streams"; }
  std::string operator()(const SeriesPipe& pipe) const {
    static constexpr std::array<std::string_view, 3> kWords = {"anomaly", "changepoint", "forecast"};
    std::string text(kWords[static_cast<std::size_t>(pipe.kind)]);
    if (pipe.kind == SeriesPipe::Kind::forecast) text += " " + std::to_string(pipe.count);
    text += " ";
    append_query_text(text, pipe.name);
    return text;
  }
  std::string operator()(const CorrelatePipe& pipe) const {
    std::string text = "correlate ";
    append_query_text(text, pipe.name);
    return pipe.others.empty() ? text : text + " with (" + names_text(pipe.others) + ")";
  }
};

}  // namespace

std::string to_text(const Pipe& pipe) {
  return std::visit(PipeWriter{}, pipe);
}

std::string to_text(const ParsedQuery& query) {
  std::string text = to_text(query.filter);
  for (const Pipe& pipe : query.pipes) text += " | " + to_text(pipe);
  return text;
}

}  // namespace dendro
