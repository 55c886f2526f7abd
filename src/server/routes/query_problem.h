#pragma once

#include <string>

#include "query/language/query_fault.h"
#include "server/http_message.h"

namespace dendro {

/// A problem with `query{offset,size,column,line,expected,suggestion}` (query-language.md 10).
HttpResponse query_problem(const QueryFault& fault, const std::string& request_id);

}  // namespace dendro
