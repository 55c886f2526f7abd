#include "services/tail/tail_frame.h"

#include <utility>

#include "base/json_writer.h"
#include "services/tail/sequence_input.h"

namespace dendro {
namespace {

constexpr std::string_view kFrameNames[] = {"hello", "rows", "table", "gap", "rate", "end"};
constexpr std::string_view kGapReasonNames[] = {"rate", "slow_reader", "replay_limit"};
constexpr std::string_view kEndNames[] = {"signed_out", "forbidden", "bad_query", "shutdown", "limit", "error"};

constexpr std::int64_t kShutdownRetryMs = 1'000;
constexpr std::int64_t kErrorRetryMs = 5'000;

void write_rows(JsonWriter& json, const TailFrame& frame) {
  json.key("rows");
  json.raw("[" + frame.rows_json + "]");
}

void write_gap(JsonWriter& json, const TailFrame& frame) {
  json.member("count", frame.gap_count);
  json.member("from_cursor", to_tail_cursor(frame.gap_from));
  json.member("to_cursor", to_tail_cursor(frame.gap_to));
  json.member("reason", kGapReasonNames[static_cast<std::size_t>(frame.gap_reason)]);
}

void write_end(JsonWriter& json, const TailFrame& frame) {
  json.member("reason", tail_end_name(frame.end));
  if (!frame.problem_json.empty()) {
    json.key("problem");
    json.raw(frame.problem_json);
  }
  if (frame.retry_after_ms > 0) json.member("retry_after_ms", frame.retry_after_ms);
}

}  // namespace

std::string_view tail_frame_name(TailFrame::Kind kind) {
  return kFrameNames[static_cast<std::size_t>(kind)];
}
std::string_view tail_end_name(TailEnd reason) {
  return kEndNames[static_cast<std::size_t>(reason)];
}

TailFrame make_tail_end(TailEnd reason, std::uint64_t epoch, std::string problem_json) {
  TailFrame frame;
  frame.kind = TailFrame::Kind::end;
  frame.epoch = epoch;
  frame.end = reason;
  frame.problem_json = std::move(problem_json);
  if (reason == TailEnd::shutdown) frame.retry_after_ms = kShutdownRetryMs;
  if (reason == TailEnd::error) frame.retry_after_ms = kErrorRetryMs;
  return frame;
}

std::string tail_frame_json(const TailFrame& frame) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("type", tail_frame_name(frame.kind));
  json.member("epoch", frame.epoch);
  if (frame.kind != TailFrame::Kind::end && frame.kind != TailFrame::Kind::gap) {
    json.member("cursor", to_tail_cursor(frame.cursor));
  }
  switch (frame.kind) {
    case TailFrame::Kind::hello:
      break;
    case TailFrame::Kind::rows:
      write_rows(json, frame);
      json.member("rate_per_s", frame.rate_per_s);
      break;
    case TailFrame::Kind::table:
      json.key("columns");
      json.raw("[" + frame.columns_json + "]");
      write_rows(json, frame);
      json.member("complete", frame.complete);
      break;
    case TailFrame::Kind::gap:
      write_gap(json, frame);
      break;
    case TailFrame::Kind::rate:
      json.member("rate_per_s", frame.rate_per_s);
      break;
    case TailFrame::Kind::end:
      write_end(json, frame);
      break;
  }
  json.end_object();
  return text;
}

}  // namespace dendro
