#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "parse/mapping_options.h"
#include "parse/parse_format.h"
#include "parse/rejected_record.h"
#include "record/record_batch.h"
#include "record/record_sink.h"

namespace dendro {

/// One body of the native intake (clients.md 3). Borrows its texts.
struct IngestRequest {
  std::string_view body;
  std::string_view content_type;  ///< as sent; empty if none
  std::string_view request_id;    ///< goes into dead letters
  Timestamp receive_time;
};

struct IngestOptions {
  ParseFormat format = ParseFormat::auto_detect;  ///< `?format=`
  bool format_is_given = false;    ///< `?format=` was there: text goes through format detection only with auto
  std::string dialect = "ingest";  ///< dendro.source of accepted records, dendro.dialect of dead letters
  MappingOptions mapping;
};

struct IngestError {
  std::uint64_t index = 0;  ///< of the record in the body, from 0
  RejectReason reason = RejectReason::parse_error;
  std::string detail;
};

/// A body as records, dead letters among them.
struct DecodedRequest {
  std::vector<std::shared_ptr<const RecordBatch>> batches;  ///< empty for a body without records
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::vector<IngestError> errors;  ///< the first kMaxListedErrors
};

/// Decodes a body: every record that can be taken carries the label dendro.source = dialect, every other one is a dead
/// letter. A media type of JSON or plain text is believed, anything else is told by the first byte, with `?format=auto`
/// by the first lines (parse/lines/format_detector.h). Takes about 1 ms a
/// 500 KB: not on a loop thread. Errors: unimplemented (a format not built yet).
Result<DecodedRequest> decode_ingest(const IngestRequest& request, const IngestOptions& options);

/// The commit that stores a decoded request. Must not be called without batches.
CommitRequest to_commit_request(DecodedRequest&& decoded, const TenantId& tenant, Timestamp receive_time);

}  // namespace dendro
