#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/object_inputs.h"
#include "base/timestamp.h"
#include "parse/parse_format.h"
#include "parse/record_wish.h"
#include "record/record_source.h"

namespace dendro {

struct QueryFileOptions {
  ParseFormat format = ParseFormat::auto_detect;
  std::string time_field, body_field, severity_field;  ///< empty: the names everybody uses
  Timestamp receive_time;
  ObjectInputs* objects = nullptr;  ///< of paths that are names of objects; outlives the source
  std::shared_ptr<const RecordWish> wish;  ///< what of the records will be looked at; null: everything
};

/// What went otherwise than a reader may think.
struct QueryFileCounts {
  std::uint64_t refused = 0;
  std::string first_refusal;
  std::uint64_t kept_as_text = 0;  ///< lines that are not of their file's format
  std::uint64_t files_with_text = 0;
  std::string first_text;  ///< "app.log is log4j"
};

/// Records of several files one after the other, each unpacked by its content.
class QueryFileSource : public RecordSource {
 public:
  virtual const QueryFileCounts& counts() const = 0;
};
std::unique_ptr<QueryFileSource> make_query_file_source(std::vector<std::string> paths, QueryFileOptions options);

/// Opens each file once, so that a missing one is told before any row. Errors: those of open_file_source, naming the
/// path.
Status check_readable(const std::vector<std::string>& paths);

}  // namespace dendro
