#include "meta/meta_probe.h"

#include <sqlite3.h>

#include "meta/sqlite_error.h"

namespace dendro {

Result<std::unique_ptr<MetaProbe>> MetaProbe::open(const std::string& path, std::string_view sql) {
  std::unique_ptr<MetaProbe> probe(new MetaProbe());
  MutexLock lock(probe->mutex_);
  int code = sqlite3_open_v2(path.c_str(), &probe->connection_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_extended_result_codes(probe->connection_, 1);
    code = sqlite3_prepare_v3(probe->connection_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                              &probe->statement_, nullptr);
  }
  if (code != SQLITE_OK) return sqlite_error(probe->connection_, code, path);
  return probe;
}

MetaProbe::~MetaProbe() {
  MutexLock lock(mutex_);
  sqlite3_finalize(statement_);
  sqlite3_close(connection_);
}

Result<std::int64_t> MetaProbe::read() {
  MutexLock lock(mutex_);
  const int code = sqlite3_step(statement_);
  const std::int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(statement_, 0) : 0;
  // Ends the read transaction, so that the next call sees what was committed since.
  const int reset_code = sqlite3_reset(statement_);
  if (code == SQLITE_ROW) return number;
  if (code == SQLITE_DONE) return Error(ErrorCode::corruption, "meta database: a number that is always there is gone");
  return sqlite_error(connection_, reset_code, "meta database");
}

}  // namespace dendro
