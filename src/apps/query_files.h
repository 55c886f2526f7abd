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
  ObjectInputs* objects = nullptr;         ///< of paths that are names of objects; outlives the source
  std::shared_ptr<const RecordWish> wish;  ///< what of the records will be looked at; null: everything
  bool any_order = false;                  ///< nobody looks at the numbers of records
  std::size_t threads = 0;                 ///< that decode; 0: as many as there are cores
};

/// What went otherwise than a reader may think.
struct QueryFileCounts {
  std::uint64_t refused = 0;
  std::string first_refusal;
  std::uint64_t kept_as_text = 0;  ///< lines that are not of their file's format
  std::uint64_t files_with_text = 0;
  std::string first_text;  ///< "app.log is log4j"
};

/// How far the reading is, in bytes of the files as they lie there.
struct QueryFileProgress {
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;  ///< 0: not known, since one is a pipe
};

/// Records of several files one after the other, each unpacked by its content. Files are read and decoded on threads of
/// their own, unless one of them is a pipe, which may pause for ever.
class QueryFileSource : public RecordSource {
 public:
  virtual const QueryFileCounts& counts() const = 0;
  virtual QueryFileProgress progress() const = 0;
};
std::unique_ptr<QueryFileSource> make_query_file_source(std::vector<std::string> paths, QueryFileOptions options);

/// Opens each file once, so that a missing one is told before any row. Errors: those of open_file_source, naming the
/// path.
Status check_readable(const std::vector<std::string>& paths);

}  // namespace dendro
