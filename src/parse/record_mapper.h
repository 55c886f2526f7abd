#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parse/batch_filler.h"
#include "parse/json_reader.h"
#include "parse/mapping_options.h"
#include "parse/name_table.h"
#include "parse/record_plan.h"
#include "parse/record_wish.h"
#include "parse/rejected_record.h"

namespace dendro {

/// The one way from foreign names to the record (clients.md 2.6 to 2.8), for every dialect that has JSON-like objects
/// or lines. Not thread-safe.
///
/// What stays of a document: every member at its place, so that append_record_json gives the document back but for
/// white space, escapes and doubles. Leaves that became a part keep their own name as `key` and stand under the part's
/// name as `path`:
/// `_time`, `body`, `severity`, `severity_text`, `trace_id`, `span_id`; those of a body that is an object under their
/// path in it.
/// - Severity: the first name by rank whose value is a severity; else the first text under such a name becomes
/// `severity_text`
///   alone, and the body's text is looked at (flagged). With `severity_number` the first text beside it is
///   `severity_text`.
/// - Ids: the first name by rank whose value is hex of the right size and not zero.
/// - Time: the first name by rank that is not null. If it cannot be read the record gets its receive time, and the leaf
/// stays at
///   its place under its own name as key with `dendro.time_text` as path: found there, drawn as it was sent.
/// - More leaves than the limit: ordinary attributes beyond it go, nested as they were, into one JSON text
/// `dendro.more` at the end.
class RecordMapper {
 public:
  /// All outlive the mapper. `wish`: null for everything.
  RecordMapper(const MappingOptions& options, BatchFiller& filler, const RecordWish* wish = nullptr);
  RecordMapper(const RecordMapper&) = delete;
  RecordMapper& operator=(const RecordMapper&) = delete;

  /// Adds the record of one object, `raw_bytes` long as sent; or says why not, and adds nothing.
  std::optional<RejectCause> add_object(const std::vector<JsonNode>& nodes, std::size_t raw_bytes);
  /// The same of what was found in a text of `raw_bytes`: all names and values have `field_bytes`.
  std::optional<RejectCause> add_fields(const std::vector<JsonNode>& nodes, std::size_t raw_bytes,
                                        std::size_t field_bytes);
  /// Adds a record whose body is a line of text, valid UTF-8 or not; its time is the receive time unless one is given.
  std::optional<RejectCause> add_line(std::string_view line, std::optional<Timestamp> time = std::nullopt);
  // For documents whose names are known beforehand:
  /// The plan, for the two below, of the document that was added last; keeps nothing of `nodes`.
  RecordPlan plan_of(const std::vector<JsonNode>& nodes) const;
  /// True once a batch and plan: the record at hand should be added by add_object, so that the batch knows its names.
  bool wants_whole(const RecordPlan& plan);
  /// Its records may be added by the two below.
  bool is_plain(const RecordPlan& plan) const {
    return !plan.has_long_name && plan.leaf_count <= options_.limits.fields;
  }
  /// As add_object. Of `nodes` only the values of leaves that the plan looks at need be there, and of those of
  /// `searched`: steps of the plan, ascending, whose leaves are wished for their text.
  std::optional<RejectCause> add_planned(const RecordPlan& plan, const std::vector<JsonNode>& nodes,
                                         std::size_t raw_bytes, std::span<const std::uint32_t> searched = {});
  /// The same for a record that nobody looks at: its place and time.
  std::optional<RejectCause> add_blank(const RecordPlan& plan, const std::vector<JsonNode>& nodes,
                                       std::size_t raw_bytes);
  /// Of the record that was added last, if its time was one of its own.
  std::optional<Timestamp> last_time() const { return last_time_; }

 private:
  struct Body {
    std::uint32_t first_step = 0, last_step = 0;
    std::size_t prefix_bytes = 0;  ///< of the paths below an object, its own path and the dot
    bool is_object = false;
  };

  const Value& value_of(const RecordPlan& plan, const PlanCandidate& candidate,
                        const std::vector<JsonNode>& nodes) const;
  std::optional<RejectCause> choose_time(const RecordPlan& plan, const std::vector<JsonNode>& nodes);
  void choose_severity(const RecordPlan& plan, const std::vector<JsonNode>& nodes);
  void choose_id(const RecordPlan& plan, const std::vector<JsonNode>& nodes, RecordPart part, LeafRole role,
                 std::size_t digits);
  void choose_body(const RecordPlan& plan, const std::vector<JsonNode>& nodes);
  bool is_free(std::uint32_t step) const;
  std::optional<RejectCause> check_time() const;
  void find_severity_in(const Value& body);
  std::optional<RejectCause> check_size(std::size_t raw_bytes) const;
  /// Works out what the leaves become.
  std::optional<RejectCause> choose_parts(const RecordPlan& plan, const std::vector<JsonNode>& nodes);
  void emit(RecordBatchBuilder& builder, const RecordPlan& plan, const std::vector<JsonNode>& nodes);
  void emit_wished(RecordBatchBuilder& builder, const RecordPlan& plan, const std::vector<JsonNode>& nodes,
                   std::span<const std::uint32_t> searched);
  /// Texts are searched for whatever their place: what is not known leaf by leaf comes whole.
  bool searches() const { return wish_ != nullptr && !wish_->searched_texts.empty(); }
  bool leaves_out() const { return wish_ != nullptr && !wish_->is_all; }
  void emit_leaf(RecordBatchBuilder& builder, const PlanStep& step, std::size_t index, const JsonNode& node);
  /// Which steps stay and which go into `more`; false: `more` would be larger than a record may be.
  bool split_overfull(const RecordPlan& plan, const std::vector<JsonNode>& nodes, std::string& more);
  void finish(RecordBatchBuilder& builder);

  const MappingOptions& options_;
  BatchFiller& filler_;
  const RecordWish* const wish_;
  const NameTable names_;
  RecordPlanner planner_;
  std::size_t label_bytes_ = 0;
  std::optional<Timestamp> last_time_;
  // The record at hand.
  std::vector<LeafRole> roles_;
  std::vector<char> kept_;  ///< by step; empty: all
  Timestamp timestamp_;
  std::optional<std::uint32_t> time_text_step_;
  SeverityNumber severity_ = kSeverityUnset;
  bool severity_from_body_ = false;
  Body body_;
  Value body_value_;
};

}  // namespace dendro
