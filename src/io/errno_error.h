#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace dendro {

/// "open /var/log/x: Permission denied". ENOENT and ENOTDIR become not_found, EACCES and EPERM permission_denied,
/// ENOSPC and EDQUOT storage_full, ELOOP invalid_argument, all else io_error.
Error error_from_errno(std::string_view action, const std::string& name, int error_number);

}  // namespace dendro
