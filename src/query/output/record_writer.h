#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/rows/record_fields.h"
#include "query/rows/row_batch.h"

namespace dendro {

struct RecordWriterOptions {
  std::uint64_t clip_bytes = 0;  ///< 0: never
  bool exact = true;
};

/// Appends one value as JSON: with `exact`, numbers a double cannot hold become strings.
void append_answer_value(std::string& out, const Value& value, bool exact);

/// Writes rows as flat JSON objects (query-language.md 9.4): built-in fields, attributes, resource; after `fields`
/// exactly the named keys. Not thread-safe.
class RecordWriter {
 public:
  RecordWriter(const RowShape& shape, RecordWriterOptions options);
  void append(std::string& out, const RowBatch& rows, std::size_t index);

 private:
  void append_table_row(std::string& out, const TableRow& row) const;
  void append_member(std::string& out, std::string_view key, const Value& value);
  void open(std::string& out);
  void close(std::string& out);

  const RowShape shape_;
  const RecordWriterOptions options_;
  RecordFields fields_;
  // The record at hand.
  std::vector<std::pair<std::string, std::uint64_t>> clipped_;
  bool needs_comma_ = false;
};

}  // namespace dendro
