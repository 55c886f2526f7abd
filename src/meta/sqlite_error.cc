#include "meta/sqlite_error.h"

#include <sqlite3.h>

#include <string>

namespace dendro {

Error sqlite_error(sqlite3* connection, int code, std::string_view what) {
  const std::string text =
      std::string(what) + ": " + (connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
  switch (code & 0xFF) {
    case SQLITE_CONSTRAINT: {
      const bool is_double = code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY;
      return Error(is_double ? ErrorCode::already_exists : ErrorCode::invalid_argument, text);
    }
    case SQLITE_FULL:
      return Error(ErrorCode::storage_full, text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(ErrorCode::corruption, text);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Error(ErrorCode::permission_denied, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(ErrorCode::unavailable, text);
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return Error(ErrorCode::internal, text);
    default:
      return Error(ErrorCode::io_error, text);
  }
}

}  // namespace dendro
