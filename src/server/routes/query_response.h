#pragma once

#include <cstdint>
#include <memory>

#include "base/worker_pool.h"
#include "query/plan/query_engine.h"
#include "server/http_message.h"

namespace dendro {

/// What becomes of an answer that does not cover every record it should.
enum class CutAnswers : std::uint8_t {
  say_so,     ///< its format has a place to say so
  break_off,  ///< it has none: an error while nothing went out, a body without its last chunk afterwards
};

/// The answer of a run: whole if it is short, else a stream whose pieces are made on workers. Blocks until the first
/// piece. The request's token is cancelled when the stream ends early.
HttpResponse answer_of_run(std::shared_ptr<QueryRun> run, OutputFormat format, CutAnswers cut, WorkerPool& workers,
                           const HttpRequest& request);

}  // namespace dendro
