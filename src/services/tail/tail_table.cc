#include "services/tail/tail_table.h"

#include <utility>

#include "base/json_writer.h"
#include "services/tail/limits.h"
#include "services/tail/sequence_input.h"

namespace dendro {
namespace {

/// Lines of NDJSON become elements of an array, as many whole ones as the frame takes. False if some were left out.
bool add_table_rows(TailFrame& frame, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    if (frame.rows_json.size() + line.size() > kTailFrameBytes) return false;
    if (frame.rows > 0) frame.rows_json.push_back(',');
    frame.rows_json.append(line);
    ++frame.rows;
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return true;
}

}  // namespace

Result<TailFrame> make_tail_table(std::shared_ptr<const Snapshot> snapshot, const TailQuery& query, SequenceRange range,
                                  const QueryLimits& limits, const CancelToken& cancel, const Clock& clock) {
  TailFrame frame;
  frame.kind = TailFrame::Kind::table;
  for (const std::string& column : query.plan()->output.columns) {
    if (!frame.columns_json.empty()) frame.columns_json.push_back(',');
    append_json_string(frame.columns_json, column);
  }
  QueryRunOptions options;
  options.envelope = false;
  options.limits = limits;
  options.cancel = cancel;
  const auto run = start_query(PreparedQuery(query.plan()), make_sequence_input(std::move(snapshot), range),
                               std::move(options), clock);
  while (!run->is_finished()) {
    DENDRO_TRY_ASSIGN(const std::optional<std::string> piece, run->next_piece());
    if (piece && !add_table_rows(frame, *piece)) {
      frame.complete = false;
      return frame;
    }
  }
  frame.complete = run->outcome().complete;
  return frame;
}

}  // namespace dendro
