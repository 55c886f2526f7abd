// The canonical form of pipes; that of filters is filter/predicate_text.h.
#include <array>

#include "filter/predicate_text.h"
#include "query/query_ast.h"

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

struct PipeWriter {
  std::string operator()(const WherePipe& pipe) const { return "where " + to_text(pipe.filter); }
  std::string operator()(const FieldsPipe& pipe) const {
    return (pipe.drops ? "drop " : "fields ") + joined(pipe.names, [](std::string& out, const NamePattern& name) {
             if (!name.name.empty()) append_query_text(out, name.name);
             if (name.is_prefix) out.push_back('*');
           });
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
