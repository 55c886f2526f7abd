#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "services/audit/audit_store.h"
#include "services/audit/limits.h"

namespace dendro {

/// How far fill_page went.
struct PageEnd {
  std::uint64_t seen = 0;  ///< rows that `rows` gave
  bool at_end = false;     ///< it has no more
};

inline std::size_t page_row_bytes(const AuditLog& log) {
  return audit_log_bytes(log);
}

/// Fills a page from `rows`, whose `next()` gives Result<std::optional<Row>>, nothing at the end, and whose `cursor()`
/// resumes behind the row given last; `next_cursor` is set if there is a row behind the page.
/// @param goes_on  pulls to the end, to count what is behind the page.
/// Errors: those of `next()`; too_large (over kAuditPageBytesMax).
template <typename Row, typename Rows>
Result<PageEnd> fill_page(AuditPage<Row>& page, const AuditPageRequest& request, Rows& rows, bool goes_on) {
  PageEnd end;
  std::string cursor;
  std::size_t bytes = 0;
  for (;;) {
    DENDRO_TRY_ASSIGN(std::optional<Row> row, rows.next());
    end.at_end = !row.has_value();
    if (end.at_end) return end;
    if (++end.seen <= request.skip) continue;
    if (page.rows.size() < request.limit) {
      bytes += page_row_bytes(*row);
      if (bytes > kAuditPageBytesMax) {
        return Error(ErrorCode::too_large, "a page of over " + std::to_string(kAuditPageBytesMax) +
                                               " bytes: ask for fewer logs, or export them");
      }
      page.rows.push_back(std::move(*row));
      if (page.rows.size() == request.limit) cursor = rows.cursor();
      continue;
    }
    page.next_cursor = cursor;
    if (!goes_on) return end;
  }
}

}  // namespace dendro
