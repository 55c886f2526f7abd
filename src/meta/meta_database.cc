#include "meta/meta_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

#include "meta/sqlite_error.h"

namespace dendro {
namespace {

/// Another process that holds the file is given so long (a backup tool, say).
constexpr int kBusyMilliseconds = 5'000;

/// One prepared statement. Not thread-safe.
class Statement {
 public:
  explicit Statement(sqlite3* connection) : connection_(connection) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Status prepare(std::string_view sql, std::initializer_list<MetaValue> values) {
    const int code = sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
    if (code != SQLITE_OK) return sqlite_error(connection_, code, "SQL");
    if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_)) != values.size()) {
      return Error(ErrorCode::internal,
                   "SQL: " + std::to_string(values.size()) + " values for another count of places");
    }
    int place = 1;
    for (const MetaValue& value : values) DENDRO_TRY(bind(place++, value));
    return {};
  }
  /// True: there is a row.
  Result<bool> step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(connection_, sqlite3_extended_errcode(connection_), "meta database");
  }
  MetaRow row() const {
    std::vector<MetaValue> values;
    for (int column = 0; column < sqlite3_column_count(statement_); ++column) {
      switch (sqlite3_column_type(statement_, column)) {
        case SQLITE_NULL:
          values.emplace_back();
          break;
        case SQLITE_INTEGER:
          values.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(statement_, column)));
          break;
        default: {
          const void* const text = sqlite3_column_blob(statement_, column);
          const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
          values.emplace_back(size == 0 ? std::string() : std::string(static_cast<const char*>(text), size));
        }
      }
    }
    return MetaRow(std::move(values));
  }

 private:
  Status bind(int place, const MetaValue& value) {
    int code = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement_, place, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      // The values live as long as the statement; a null destructor says so.
      code = sqlite3_bind_text64(statement_, place, text->data(), text->size(), nullptr, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) return sqlite_error(connection_, code, "SQL value");
    return {};
  }

  sqlite3* const connection_;
  sqlite3_stmt* statement_ = nullptr;
};

/// SQLite would make the file readable by everybody.
Status make_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    const int number = errno;
    return Error(number == EACCES ? ErrorCode::permission_denied : ErrorCode::io_error,
                 path + ": " + errno_text(number));
  }
  ::close(file);
  return {};
}

}  // namespace

std::int64_t MetaRow::integer(std::size_t column) const {
  const auto* const number = std::get_if<std::int64_t>(&values_[column]);
  return number != nullptr ? *number : 0;
}

const std::string& MetaRow::text(std::size_t column) const {
  static const std::string kNothing;
  const auto* const text = std::get_if<std::string>(&values_[column]);
  return text != nullptr ? *text : kNothing;
}

Result<std::vector<MetaRow>> MetaTransaction::rows(std::string_view sql, std::initializer_list<MetaValue> values) {
  Statement statement(connection_);
  DENDRO_TRY(statement.prepare(sql, values));
  std::vector<MetaRow> found;
  for (;;) {
    DENDRO_TRY_ASSIGN(const bool has_row, statement.step());
    if (!has_row) return found;
    found.push_back(statement.row());
  }
}

Result<std::optional<MetaRow>> MetaTransaction::row(std::string_view sql, std::initializer_list<MetaValue> values) {
  Statement statement(connection_);
  DENDRO_TRY(statement.prepare(sql, values));
  DENDRO_TRY_ASSIGN(const bool has_row, statement.step());
  if (!has_row) return std::optional<MetaRow>();
  return std::optional<MetaRow>(statement.row());
}

Result<std::uint64_t> MetaTransaction::change(std::string_view sql, std::initializer_list<MetaValue> values) {
  Statement statement(connection_);
  DENDRO_TRY(statement.prepare(sql, values));
  DENDRO_TRY(statement.step());
  return static_cast<std::uint64_t>(sqlite3_changes64(connection_));
}

Result<std::unique_ptr<MetaDatabase>> MetaDatabase::open(const std::string& path,
                                                         std::span<const MetaMigration> migrations) {
  DENDRO_TRY(make_private_file(path));
  sqlite3* connection = nullptr;
  // Our own lock keeps threads apart.
  const int code = sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<MetaDatabase> database(new MetaDatabase(path, connection));
  if (code != SQLITE_OK) return sqlite_error(connection, code, path);
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
  sqlite3_extended_result_codes(connection, 1);
  MutexLock lock(database->mutex_);
  const Status prepared = database->prepare_locked(migrations);
  if (!prepared) return prepared.error().with_context(path);
  return database;
}

MetaDatabase::~MetaDatabase() {
  sqlite3_close(connection_);
}

Status MetaDatabase::prepare_locked(std::span<const MetaMigration> migrations) {
  DENDRO_TRY(execute_locked("PRAGMA journal_mode = WAL"));
  DENDRO_TRY(execute_locked("PRAGMA synchronous = FULL"));
  DENDRO_TRY(execute_locked("PRAGMA foreign_keys = ON"));
  DENDRO_TRY(execute_locked("PRAGMA secure_delete = ON"));
  DENDRO_TRY(begin_locked());
  const Status migrated = migrate_locked(migrations);
  if (!migrated) {
    roll_back_locked();
    return migrated;
  }
  return commit_locked();
}

Status MetaDatabase::migrate_locked(std::span<const MetaMigration> migrations) {
  MetaTransaction transaction(connection_);
  DENDRO_TRY_ASSIGN(const auto version, transaction.row("PRAGMA user_version"));
  const std::int64_t found = version->integer(0);
  if (found > static_cast<std::int64_t>(migrations.size())) {
    return Error(ErrorCode::unimplemented, "has schema version " + std::to_string(found) + ", this version knows " +
                                               std::to_string(migrations.size()) + "; start the version that wrote it");
  }
  for (auto i = static_cast<std::size_t>(found); i < migrations.size(); ++i) {
    const Status done = execute_locked(migrations[i].sql);
    if (!done) return done.error().with_context("migration " + std::string(migrations[i].name));
  }
  return execute_locked("PRAGMA user_version = " + std::to_string(migrations.size()));
}

Status MetaDatabase::execute_locked(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(connection_, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(connection_, code, "meta database");
  return {};
}

Status MetaDatabase::begin_locked() {
  return execute_locked("BEGIN IMMEDIATE");
}

Status MetaDatabase::commit_locked() {
  const Status committed = execute_locked("COMMIT");
  if (!committed) roll_back_locked();
  return committed;
}

void MetaDatabase::roll_back_locked() {
  (void)execute_locked("ROLLBACK");  // fails only where SQLite has rolled back by itself
}

Status MetaDatabase::scrub() {
  MutexLock lock(mutex_);
  MetaTransaction outside(connection_);  // a checkpoint cannot be part of one
  DENDRO_TRY_ASSIGN(const auto row, outside.row("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (row && row->integer(0) == 0) return {};
  return Error(ErrorCode::unavailable, path_ + ": its journal could not be emptied, another process reads it");
}

Status MetaDatabase::back_up(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return Error(ErrorCode::already_exists, path + ": is there already");
  DENDRO_TRY(make_private_file(path));
  MutexLock lock(mutex_);
  sqlite3* copy = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &copy, SQLITE_OPEN_READWRITE, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_backup* const backup = sqlite3_backup_init(copy, "main", connection_, "main");
    if (backup != nullptr) {
      (void)sqlite3_backup_step(backup, -1);
      (void)sqlite3_backup_finish(backup);
    }
    code = sqlite3_errcode(copy);
  }
  Status status;
  if (code != SQLITE_OK) status = sqlite_error(copy, code, path);
  sqlite3_close(copy);
  return status;
}

}  // namespace dendro
