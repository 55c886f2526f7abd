#pragma once

#include <cstdint>

#include "base/result.h"
#include "ingest/decode_ingest.h"
#include "server/http_message.h"

namespace dendro {

/// When a write is answered.
enum class IngestAck : std::uint8_t {
  disk,    ///< durable and visible
  memory,  ///< queued
};

/// What the query and the headers of POST /api/v1/ingest say (clients.md 3.2).
struct IngestParams {
  IngestOptions options;
  IngestAck ack = IngestAck::disk;
};

/// Reads them. Unknown parameters are ignored. Errors: invalid_argument, naming the parameter.
Result<IngestParams> parse_ingest_params(const HttpRequest& request);

}  // namespace dendro
