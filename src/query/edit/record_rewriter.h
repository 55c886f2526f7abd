#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/edit/row_edits.h"
#include "query/plan/field_need.h"
#include "record/record_batch_builder.h"

namespace dendro {

/// Builds records anew with some fields set or taken away, so that whatever comes behind works on records as before.
/// A derived record keeps its time, sequence, receive time, weight and stream (but for labels taken away); of its other
/// parts only what is visible and needed further on is copied. How a record of a shape with such edits is put together
/// is worked out once a batch. Not thread-safe.
class RecordRewriter {
 public:
  RecordRewriter(const RowShape& input, FieldNeed need);

  void add(const RecordRow& row, const RowEdits& edits);
  /// Moves what was added since the last call, in order, with its batches, behind the records of `out`.
  void take(RowBatch& out);
  std::size_t pending_rows() const { return rows_.size() + waiting_.size(); }
  /// Encoded bytes of what take() would give, about.
  std::size_t pending_bytes() const;

 private:
  /// How a derived record of one shape comes about.
  struct Recipe {
    struct Part {
      std::uint32_t index = 0;  ///< of the leaf, or of the edit
      bool is_edit = false;
      LeafRole role = LeafRole::attribute;
    };
    std::vector<Part> parts;
    std::uint32_t shape = 0;                ///< of the batch being built
    std::vector<std::string> lost_labels;   ///< sorted
    std::optional<std::uint32_t> severity;  ///< edit that sets it
    bool loses_severity = false;
  };
  void start_batch(const RecordBatch& batch);
  const Recipe& recipe_for(const RecordRow& row, const RowEdits& edits);
  Recipe make_recipe(const RecordRow& row, const RowEdits& edits);
  void add_edit(Recipe& recipe, const RecordRow& row, const RowEdits::Edit& edit, std::uint32_t index,
                std::vector<bool>& kept, std::vector<std::optional<std::uint32_t>>& replaced);
  bool is_needed(const RowEdits::Edit& edit) const;
  std::vector<bool> leaves_to_copy(const Shape& shape) const;
  std::uint32_t intern_shape(const RecordBatch& batch, std::uint32_t shape_index, const Recipe& recipe,
                             const RowEdits& edits);
  std::uint32_t stream_for(const RecordRow& row, const Recipe& recipe);
  void close();

  const RowShape input_;
  const FieldNeed need_;
  std::vector<FieldName> needed_fields_;
  std::vector<FieldName> kept_fields_;  ///< of `fields`: found under whatever name
  RecordBatchBuilder builder_;
  // The batch that rows come from.
  std::uint64_t batch_serial_ = 0;
  std::unordered_map<std::string, Recipe> recipes_;
  std::unordered_map<std::string, std::uint32_t> streams_;
  std::string key_;
  std::vector<Value> values_;
  // What was built.
  std::vector<RecordRow> waiting_;  ///< without a batch yet
  std::vector<RecordRow> rows_;
  std::vector<std::shared_ptr<const RecordBatch>> batches_;
  std::size_t closed_bytes_ = 0;
};

}  // namespace dendro
