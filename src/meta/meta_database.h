#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

struct sqlite3;

namespace dendro {

/// A cell: nothing, a whole number, a text.
using MetaValue = std::variant<std::monostate, std::int64_t, std::string>;

/// One row of an answer. Columns by place, from 0; one that is null or of the other kind reads as 0 and "".
class MetaRow {
 public:
  explicit MetaRow(std::vector<MetaValue> values) : values_(std::move(values)) {}
  std::size_t size() const { return values_.size(); }
  bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(values_[column]); }
  std::int64_t integer(std::size_t column) const;
  const std::string& text(std::size_t column) const;

 private:
  std::vector<MetaValue> values_;
};

/// Statements of one transaction. `sql` holds `?` where the values go, in order; values never become part of its text.
/// Errors of all: already_exists (a unique key is there), storage_full, io_error, corruption, internal (bad SQL).
class MetaTransaction {
 public:
  MetaTransaction(const MetaTransaction&) = delete;
  MetaTransaction& operator=(const MetaTransaction&) = delete;
  Result<std::vector<MetaRow>> rows(std::string_view sql, std::initializer_list<MetaValue> values = {});
  /// The first row of the answer, if there is one.
  Result<std::optional<MetaRow>> row(std::string_view sql, std::initializer_list<MetaValue> values = {});
  /// Rows that were changed.
  Result<std::uint64_t> change(std::string_view sql, std::initializer_list<MetaValue> values = {});

 private:
  friend class MetaDatabase;
  explicit MetaTransaction(sqlite3* connection) : connection_(connection) {}
  sqlite3* connection_;
};

/// A step of the schema: carried out once, in order, whatever version a file has.
struct MetaMigration {
  std::string_view name;  ///< for errors
  std::string_view sql;   ///< statements, each ended by a semicolon
};

/// The small transactional state of a server in one SQLite file: what is not a log record. A transaction that was
/// committed is on disk. Thread-safe: one transaction at a time, the others wait; every call may wait for the disk, so
/// call it on a worker, never on a loop.
class MetaDatabase {
 public:
  /// Makes the file (readable by its owner only) if it is missing, and brings its schema up to date.
  /// Errors: unimplemented (a later version wrote it), corruption, io_error, permission_denied, storage_full.
  static Result<std::unique_ptr<MetaDatabase>> open(const std::string& path, std::span<const MetaMigration> migrations);
  ~MetaDatabase();
  MetaDatabase(const MetaDatabase&) = delete;
  MetaDatabase& operator=(const MetaDatabase&) = delete;

  /// As `open` was told it.
  const std::string& path() const { return path_; }

  /// Runs `work(MetaTransaction&) -> Result<T>` (or Status) and commits; an error of `work` rolls back and is given
  /// back. `work` must not call this again.
  template <typename Work>
  auto transact(Work&& work) -> std::invoke_result_t<Work, MetaTransaction&> {
    MutexLock lock(mutex_);
    DENDRO_TRY(begin_locked());
    MetaTransaction transaction(connection_);
    auto result = work(transaction);
    if (!result.has_value()) {
      roll_back_locked();
      return result;
    }
    DENDRO_TRY(commit_locked());
    return result;
  }

  /// Takes what was deleted out of the files: rows that go are overwritten, and this empties the journal that still
  /// holds them. Errors: io_error, storage_full; unavailable (a reader of another process is in the way).
  Status scrub();

  /// Writes a consistent copy to `path`, which must not exist. Errors: those of open; already_exists.
  Status back_up(const std::string& path);

 private:
  MetaDatabase(std::string path, sqlite3* connection) : path_(std::move(path)), connection_(connection) {}
  Status prepare_locked(std::span<const MetaMigration> migrations) DENDRO_REQUIRES(mutex_);
  Status migrate_locked(std::span<const MetaMigration> migrations) DENDRO_REQUIRES(mutex_);
  Status execute_locked(std::string_view sql) DENDRO_REQUIRES(mutex_);
  Status begin_locked() DENDRO_REQUIRES(mutex_);
  Status commit_locked() DENDRO_REQUIRES(mutex_);
  void roll_back_locked() DENDRO_REQUIRES(mutex_);

  const std::string path_;
  Mutex mutex_;
  sqlite3* const connection_;
};

}  // namespace dendro
