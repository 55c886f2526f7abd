#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

class FileSystem;
struct SubqueryRows;

inline constexpr std::uint64_t kMaxLookupBytes = std::uint64_t{32} << 20;
inline constexpr std::size_t kMaxLookupRows = 200'000;
inline constexpr std::size_t kMaxLookupColumns = 256;

/// Tables that `lookup` reads. Thread-safe.
class LookupTables {
 public:
  virtual ~LookupTables() = default;
  /// The whole table, with the names of its columns. Errors: invalid_argument (a name that is none, a text that is no
  /// table), not_found, too_large, io_error.
  virtual Result<std::shared_ptr<const SubqueryRows>> find(std::string_view name) const = 0;
};

/// Files named by any path, as the user of a command line may read them. `files` outlives the tables.
std::shared_ptr<const LookupTables> make_path_lookup_tables(FileSystem& files);
/// Files of one folder, by names without "/" that do not begin with ".": what a server may show its users.
std::shared_ptr<const LookupTables> make_folder_lookup_tables(FileSystem& files, std::string folder);

/// `*.csv` (RFC 4180, the first line names the columns; numbers are numbers) or NDJSON (an object a line, nested keys
/// dotted; columns are the keys of all lines). Errors: invalid_argument with the line, too_large.
Result<std::shared_ptr<const SubqueryRows>> parse_lookup_table(std::string_view name, std::string_view text);

}  // namespace dendro
