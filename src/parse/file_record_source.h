#pragma once

#include <memory>

#include "base/timestamp.h"
#include "io/byte_source.h"
#include "parse/record_decoder.h"
#include "record/record_source.h"

namespace dendro {

struct FileSourceOptions {
  ParseFormat format = ParseFormat::auto_detect;  ///< auto_detect: by the first byte
  MappingOptions mapping;
  Timestamp receive_time;   ///< time of records that have none, and what too_new is measured from
  RejectHandler on_reject;  ///< called from next(), on its thread; may be empty
};

/// Records of a file, pipe or object, in memory that does not grow with it: one window of input (about 8 MiB) and one
/// batch. A pipe that pauses does not hold back whole batches only: each read is decoded before the next one is waited
/// for. `next()` gives the errors of the byte source (final); unimplemented for a format not built yet.
std::unique_ptr<RecordSource> make_record_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options);
/// The same with the format json.
std::unique_ptr<RecordSource> make_ndjson_source(std::unique_ptr<ByteSource> bytes, FileSourceOptions options);

}  // namespace dendro
