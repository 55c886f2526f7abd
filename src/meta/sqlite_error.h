#pragma once

#include <string_view>

#include "base/error.h"

struct sqlite3;

namespace dendro {

/// What a call of SQLite that gave `code` failed for; `connection` may be null.
Error sqlite_error(sqlite3* connection, int code, std::string_view what);

}  // namespace dendro
