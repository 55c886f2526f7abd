#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/language/analysis_ast.h"
#include "record/value.h"

namespace dendro {

/// Where addresses are. Thread-safe.
class GeoDatabase {
 public:
  struct Found {
    std::size_t field = 0;  ///< of kGeoFields
    Value value;            ///< its text is borrowed from the database
  };
  virtual ~GeoDatabase() = default;
  /// What is known of an address, IPv4 or IPv6, in place of what stood in `found`; a text that is none, and an address
  /// that is not there, have nothing. Errors: corruption (the file is damaged).
  virtual Status find(std::string_view address, std::vector<Found>& found) const = 0;
};

/// A file of MaxMind's format (`.mmdb`), mapped into memory for as long as the database lives; who replaces it renames
/// a new one into its place. Errors: not_found, io_error, invalid_argument (a file of another kind).
Result<std::shared_ptr<const GeoDatabase>> open_maxmind_database(const std::string& path);

}  // namespace dendro
