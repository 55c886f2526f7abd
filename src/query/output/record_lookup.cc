#include "query/output/record_lookup.h"

#include "base/json_writer.h"
#include "query/output/record_writer.h"
#include "record/record_json.h"

namespace dendro {

Result<std::optional<std::string>> find_record_json(const Snapshot& snapshot, std::string_view id) {
  const auto position = parse_record_id(id);
  if (!position) return std::optional<std::string>();
  DENDRO_TRY_ASSIGN(const std::optional<RecordBlock> block, snapshot.find(*position));
  if (!block || block->rows.empty()) return std::optional<std::string>();
  const std::uint32_t row = block->rows.front();
  RowBatch rows;
  rows.hold(block->batch);
  rows.records.push_back({block->batch.get(), row, block->sequence(row), block->receive_time(row)});
  std::string json = "{\"record\":";
  RecordWriter(RowShape(), {}).append(json, rows, 0);
  std::string raw;
  append_record_json(raw, block->record(row));
  json += ",\"raw\":";
  append_json_string(json, raw);
  json += ",\"stream\":{";
  bool needs_comma = false;
  for (const StreamLabel& label : block->record(row).stream().labels) {
    if (needs_comma) json.push_back(',');
    needs_comma = true;
    append_json_string(json, label.path);
    json.push_back(':');
    append_answer_value(json, label.value, true);
  }
  json += "}}";
  return std::optional<std::string>(std::move(json));
}

}  // namespace dendro
