#include "io/errno_error.h"

#include <cerrno>

namespace dendro {
namespace {

ErrorCode code_from_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EACCES:
    case EPERM:
      return ErrorCode::permission_denied;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::storage_full;
    case ELOOP:
      return ErrorCode::invalid_argument;
    default:
      return ErrorCode::io_error;
  }
}

}  // namespace

Error error_from_errno(std::string_view action, const std::string& name, int error_number) {
  return Error(code_from_errno(error_number), std::string(action) + " " + name + ": " + errno_text(error_number));
}

}  // namespace dendro
