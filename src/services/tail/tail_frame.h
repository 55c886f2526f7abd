#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace dendro {

enum class TailGapReason : std::uint8_t { rate, slow_reader, replay_limit };
enum class TailEnd : std::uint8_t { signed_out, forbidden, bad_query, shutdown, limit, error };

/// What a tail says to its reader (ui.md 11.3). Which members count follows from `kind`.
struct TailFrame {
  enum class Kind : std::uint8_t { hello, rows, table, gap, rate, end };
  Kind kind = Kind::hello;
  std::uint64_t epoch = 1;  ///< of the `start` that it belongs to
  /// Exclusive: a tail that begins here neither repeats nor loses. Of all kinds but `end`.
  SequenceNumber cursor;
  std::string rows_json;        ///< rows, table: the rows with commas between, without brackets
  std::size_t rows = 0;         ///< how many
  double rate_per_s = 0;        ///< rows, rate: matching records a second
  std::string columns_json;     ///< table: names, without brackets
  bool complete = true;         ///< table
  std::uint64_t gap_count = 0;  ///< gap: records that match and were left out
  SequenceNumber gap_from;      ///< gap: they lie behind this,
  SequenceNumber gap_to;        ///< up to and with this
  TailGapReason gap_reason = TailGapReason::rate;
  TailEnd end = TailEnd::shutdown;
  std::string problem_json;         ///< end: an object, or empty
  std::int64_t retry_after_ms = 0;  ///< end: 0 = do not come again by yourself
};

std::string_view tail_frame_name(TailFrame::Kind kind);
std::string_view tail_end_name(TailEnd reason);
/// The frame as a JSON object.
std::string tail_frame_json(const TailFrame& frame);
/// `end` of the reason, with the times a reader should wait.
TailFrame make_tail_end(TailEnd reason, std::uint64_t epoch, std::string problem_json = {});

}  // namespace dendro
