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
  if (aggregate.function == "quantile") {
    append_value_text(text, Value::of_float64(aggregate.phi));
    text += ", ";
  }
  text += names_text(aggregate.fields) + ")";
  if (aggregate.condition) text += " if (" + to_text(*aggregate.condition) + ")";
  text += " as ";
  append_query_text(text, aggregate.column);
  return text;
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
    std::string text = "stats ";
    if (!pipe.groups.empty()) {
      text += "by (" +
              joined(pipe.groups,
                     [](std::string& out, const GroupKey& key) {
                       append_query_text(out, key.name);
                       if (key.bucket.kind != BucketKind::none) out += ":" + key.bucket.text;
                       if (key.column == key.name) return;
                       out += " as ";
                       append_query_text(out, key.column);
                     }) +
              ") ";
    }
    return text + joined(pipe.aggregates, [](std::string& out, const Aggregate& a) { out += aggregate_text(a); });
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
  std::string operator()(const PatternPipe& pipe) const { return "pattern " + std::to_string(pipe.count); }
  std::string operator()(const FacetsPipe& pipe) const { return "facets " + std::to_string(pipe.count); }
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
