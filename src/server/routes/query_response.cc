#include "server/routes/query_response.h"

#include <string>
#include <utility>

#include "server/route.h"

namespace dendro {
namespace {

/// Why an answer in a format without a status line must not look whole: it ended before every record was considered.
std::optional<Error> why_cut(const QueryRun& run, CutAnswers cut) {
  const QueryOutcome& outcome = run.outcome();
  if (cut == CutAnswers::say_so) return std::nullopt;
  if (outcome.complete || outcome.reason == "limit") return std::nullopt;
  if (outcome.error) return outcome.error;
  return Error(outcome.reason == "timeout" ? ErrorCode::deadline_exceeded : ErrorCode::resource_exhausted,
               "the answer is incomplete (" + outcome.reason +
                   "); ask for a smaller range, or for format=ndjson, which says how far it came");
}

/// Pieces of a run, each made on a worker. The run outlives this object while a worker is in it.
class QueryResponseStream final : public ResponseStream {
 public:
  QueryResponseStream(std::shared_ptr<QueryRun> run, CutAnswers cut, std::string first_piece, WorkerPool& workers,
                      CancelToken cancel)
      : run_(std::move(run)), cut_(cut), first_piece_(std::move(first_piece)), workers_(workers), cancel_(cancel) {}
  ~QueryResponseStream() override { cancel_.cancel(); }

  void next(std::function<void(Piece)> done) override {
    if (!first_piece_.empty()) return done(Piece(std::optional<std::string>(std::exchange(first_piece_, {}))));
    if (is_over_) return done(Piece(std::optional<std::string>()));
    auto work = [run = run_, cut = cut_, done] {
      Piece piece = run->next_piece();
      if (piece && !piece->has_value()) {
        if (auto error = why_cut(*run, cut)) piece = *std::move(error);
      }
      done(std::move(piece));
    };
    // A full pool cuts the answer: the reader sees that the status line is missing.
    if (Status queued = workers_.submit(std::move(work)); !queued) {
      is_over_ = true;
      done(Piece(queued.error()));
    }
  }

 private:
  std::shared_ptr<QueryRun> run_;
  const CutAnswers cut_;
  std::string first_piece_;
  WorkerPool& workers_;
  CancelToken cancel_;
  bool is_over_ = false;
};

}  // namespace

HttpResponse answer_of_run(std::shared_ptr<QueryRun> run, OutputFormat format, CutAnswers cut, WorkerPool& workers,
                           const HttpRequest& request) {
  auto first_piece = run->next_piece();
  if (!first_piece) return error_response(ErrorShape::problem, first_piece.error(), request.request_id);
  HttpResponse response;
  response.content_type = content_type_of(format);
  response.headers.add("Cache-Control", "no-store");
  std::string bytes = std::move(*first_piece).value_or("");
  if (run->is_finished()) {
    if (const auto error = why_cut(*run, cut)) return error_response(ErrorShape::problem, *error, request.request_id);
    response.body = std::move(bytes);
  } else {
    response.stream =
        std::make_unique<QueryResponseStream>(std::move(run), cut, std::move(bytes), workers, request.cancel);
  }
  return response;
}

}  // namespace dendro
