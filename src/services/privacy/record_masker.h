#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parse/batch_filler.h"
#include "record/record_batch.h"
#include "services/privacy/field_mask.h"

namespace dendro {

/// Masks records by a plan: body, attributes at any depth, labels of the stream, names. What a record is known by
/// stays: its time, severity, ids of trace and span, our own labels (`dendro.source`, ..), and of audit logs `id`,
/// `action` and `severity`. Not thread-safe.
class RecordMasker {
 public:
  /// `plan` outlives it.
  explicit RecordMasker(const MaskPlan& plan) : plan_(plan), masker_(plan) {}

  /// The batches with what the plan finds masked, in order, the same records in each place; a batch without a find is
  /// the one that was given. Batches may be more than before, where tokens made one too large.
  std::vector<std::shared_ptr<const RecordBatch>> mask(std::vector<std::shared_ptr<const RecordBatch>> batches);

  TextMasker& texts() { return masker_; }
  /// Since it was made.
  std::uint64_t records_changed() const { return records_changed_; }

 private:
  /// What names alone decide of a leaf.
  struct LeafPlan {
    enum class Way : std::uint8_t { keep, text, loose };
    Way way = Way::keep;
    RuleSet rules = 0;
    std::optional<MaskMatch> whole;
    std::string field;  ///< name in the query language
  };
  struct ShapePlan {
    std::vector<LeafPlan> leaves;
    std::vector<std::string> paths, keys;  ///< of leaves, where a name changes; else empty
    std::vector<std::string> opened;       ///< by op, where a name changes; else empty
    bool names_change = false;
    bool has_metadata_text = false;
  };
  /// A stream's labels after masking.
  struct StreamPlan {
    bool is_known = false, is_changed = false;
    std::vector<std::optional<std::string>> texts;  ///< by label: what it is now; nothing: as it was
    std::vector<char> is_dropped;
    bool is_audit = false, is_trail = false;
  };
  /// What became of one record's leaves.
  struct LeafChange {
    bool is_changed = false, is_dropped = false;
    std::string text;
    bool is_json = false;  ///< the text is a list's
  };

  void begin_batch(const RecordBatch& batch);
  const ShapePlan& shape_plan(const RecordBatch& batch, std::uint32_t shape);
  const StreamPlan& stream_plan(const RecordBatch& batch, std::uint32_t stream);
  LeafPlan plan_leaf(std::string field, bool is_ours) const;
  bool mask_record(const RecordView& record);
  TextMasker::Verdict mask_value(const LeafPlan& plan, const Value& value, LeafChange& change);
  TextMasker::Verdict mask_loose_text(std::string_view text, std::string& out);
  void rebuild_metadata_text(const RecordView& record, const ShapePlan& plan);
  static void copy(BatchFiller& filler, const RecordView& record);
  void append(BatchFiller& filler, const RecordView& record);
  void append_ops(RecordBatchBuilder& builder, const RecordView& record, const ShapePlan& plan,
                  const StreamPlan& stream);
  bool mask_name(std::string_view name, std::string& out);
  /// A name on the way to a leaf, as it was sent and as it is stored.
  struct NamePart {
    std::string sent, masked;
  };
  void plan_names(const Shape& shape, ShapePlan& plan);
  std::string masked_path(const std::vector<NamePart>& parts, std::string_view path);

  const MaskPlan& plan_;
  TextMasker masker_;
  std::vector<std::unique_ptr<ShapePlan>> shapes_;  ///< of the batch at hand
  std::vector<StreamPlan> streams_;
  std::vector<LeafChange> changes_;  ///< of the record at hand
  std::vector<Value> values_;
  std::string scratch_, out_;
  std::uint64_t records_changed_ = 0;
};

}  // namespace dendro
