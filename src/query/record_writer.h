#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "query/row_batch.h"
#include "query/row_field.h"

namespace dendro {

struct RecordWriterOptions {
  std::uint64_t clip_bytes = 0;  ///< 0: never
  bool exact = true;
};

/// Appends one value as JSON: with `exact`, numbers a double cannot hold become strings.
void append_answer_value(std::string& out, const Value& value, bool exact);

/// Writes rows as flat JSON objects (query-language.md 9.4): built-in fields, attributes, resource; after `fields`
/// exactly the named keys. Keys of a shape are worked out once a batch. Not thread-safe.
class RecordWriter {
 public:
  RecordWriter(const RowShape& shape, RecordWriterOptions options);
  void append(std::string& out, const RowBatch& rows, std::size_t index);

 private:
  /// One key of records of a shape, in the order of output.
  struct Item {
    std::string key;
    std::uint32_t leaf = 0;
    enum class Source : std::uint8_t {
      id,
      time,
      stream,
      severity,
      severity_number,
      severity_text,
      leaf
    } source = Source::leaf;
  };
  struct ShapeItems {
    std::vector<Item> items;
    bool is_known = false;
  };
  void start_batch(const RecordBatch& batch);
  const ShapeItems& items_of(std::uint32_t shape_index);
  void add_items(ShapeItems& items, const Shape& shape) const;
  const std::vector<std::pair<std::string, std::uint32_t>>& labels_of(std::uint32_t shape_index,
                                                                      std::uint32_t stream_index);
  void append_table_row(std::string& out, const TableRow& row) const;
  void append_whole(std::string& out, const RecordRow& row);
  void append_kept(std::string& out, const RowBatch& rows, std::size_t index);
  void append_member(std::string& out, std::string_view key, const Value& value);
  void append_item(std::string& out, const Item& item, const RecordRow& row);
  void open(std::string& out);
  void close(std::string& out);

  const RowShape shape_;
  const RecordWriterOptions options_;
  std::vector<std::unique_ptr<RowField>> kept_fields_;  ///< of the last `fields`; null for `prefix*`
  const RecordBatch* batch_ = nullptr;
  std::uint64_t batch_serial_ = 0;  ///< of batch_: a later one may lie at its address
  std::vector<ShapeItems> shape_items_;
  std::unordered_map<std::uint64_t, std::vector<std::pair<std::string, std::uint32_t>>> stream_labels_;
  std::vector<std::string> stream_texts_;
  // The record at hand.
  std::vector<Value> values_;
  std::vector<std::pair<std::string, std::uint64_t>> clipped_;
  bool needs_comma_ = false;
};

}  // namespace dendro
