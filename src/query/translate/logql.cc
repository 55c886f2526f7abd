// LogQL: log queries and metric queries (query-language.md 12).
#include <utility>

#include "query/language/query_parser.h"
#include "query/translate/logql_metric.h"
#include "query/translate/logql_stages.h"
#include "query/translate/logql_text.h"
#include "query/translate/translation.h"

namespace dendro {
namespace {

Result<std::string> translate_log_query(LogqlText& text, std::vector<std::string>& warnings) {
  DENDRO_TRY_ASSIGN(LogqlPipeline pipeline, LogqlStages(text, warnings, LogqlStages::Use::records).run());
  return std::move(pipeline.query);
}

}  // namespace

Result<Translation> translate_logql(std::string_view logql, std::int64_t step_ns) {
  LogqlText text(logql);
  if (text.at_end())
    return text.fail("a selector such as {app=\"x\"} or a metric such as rate({app=\"x\"}[5m]) must stand here");
  Translation translation;
  DENDRO_TRY_ASSIGN(const std::string query, text.peek() == '{'
                                                 ? translate_log_query(text, translation.warnings)
                                                 : translate_logql_metric(text, step_ns, translation.warnings));
  QueryFault fault;
  const auto parsed = parse_query(query, {}, fault);
  if (!parsed) return Error(ErrorCode::invalid_argument, "the translation is no query: " + fault.detail());
  translation.query = to_text(*parsed);
  return translation;
}

}  // namespace dendro
