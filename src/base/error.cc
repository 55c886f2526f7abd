#include "base/error.h"

#include <cstring>
#include <system_error>

namespace dendro {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int http_status;
  int exit_code;
};

constexpr CodeRow kCodeRows[] = {
    {ErrorCode::invalid_argument, "invalid_argument", 400, 2},
    {ErrorCode::unauthenticated, "unauthenticated", 401, 1},
    {ErrorCode::quota_exhausted, "quota_exhausted", 402, 1},
    {ErrorCode::permission_denied, "permission_denied", 403, 1},
    {ErrorCode::not_found, "not_found", 404, 1},
    {ErrorCode::already_exists, "already_exists", 409, 1},
    {ErrorCode::too_large, "too_large", 413, 1},
    {ErrorCode::resource_exhausted, "resource_exhausted", 429, 1},
    {ErrorCode::cancelled, "cancelled", 499, 1},
    {ErrorCode::corruption, "corruption", 500, 1},
    {ErrorCode::io_error, "io_error", 500, 1},
    {ErrorCode::internal, "internal", 500, 1},
    {ErrorCode::unimplemented, "unimplemented", 501, 1},
    {ErrorCode::unavailable, "unavailable", 503, 1},
    {ErrorCode::deadline_exceeded, "deadline_exceeded", 504, 1},
    {ErrorCode::storage_full, "storage_full", 507, 1},
};

constexpr const CodeRow& row_of(ErrorCode code) {
  return kCodeRows[static_cast<std::size_t>(code)];
}

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < std::size(kCodeRows); ++i) {
    if (static_cast<std::size_t>(kCodeRows[i].code) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::string_view error_code_name(ErrorCode code) {
  return row_of(code).name;
}
int http_status_of(ErrorCode code) {
  return row_of(code).http_status;
}
int exit_code_of(ErrorCode code) {
  return row_of(code).exit_code;
}

std::string errno_text(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace dendro
