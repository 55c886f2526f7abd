#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "query/rows/row_batch.h"
#include "query/rows/row_field.h"

namespace dendro {

/// The fields of records as answers show them (query-language.md 9.4): built-in ones, attributes, resource; after
/// `fields` exactly the named ones. Keys of a shape are worked out once a batch. Not thread-safe.
class RecordFields {
 public:
  using Visitor = std::function<void(std::string_view key, const Value& value)>;
  explicit RecordFields(const RowShape& shape);

  /// Each field that the record has, in the order of output. Borrowed until `visit` returns.
  void visit(const RowBatch& rows, std::size_t index, const Visitor& visit);

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
  using Labels = std::vector<std::pair<std::string, std::uint32_t>>;
  void start_batch(const RecordBatch& batch);
  const ShapeItems& items_of(std::uint32_t shape_index);
  void add_items(ShapeItems& items, const Shape& shape) const;
  const Labels& labels_of(std::uint32_t shape_index, std::uint32_t stream_index);
  void visit_whole(const RecordRow& row, const Visitor& visit);
  void visit_kept(const RowBatch& rows, std::size_t index, const Visitor& visit);
  void visit_item(const Item& item, const RecordRow& row, const Visitor& visit);

  const RowShape shape_;
  const bool is_kept_;
  const std::vector<NamePattern> kept_names_;
  std::vector<std::unique_ptr<RowField>> kept_fields_;  ///< of kept_names_; null for `prefix*`
  const RecordBatch* batch_ = nullptr;
  std::uint64_t batch_serial_ = 0;  ///< of batch_: a later one may lie at its address
  std::vector<ShapeItems> shape_items_;
  std::unordered_map<std::uint64_t, Labels> stream_labels_;
  std::vector<std::string> stream_texts_;
  std::vector<Value> values_;  ///< of the record at hand, one a leaf
};

}  // namespace dendro
