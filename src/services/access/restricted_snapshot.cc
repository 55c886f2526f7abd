#include "services/access/restricted_snapshot.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "filter/compiled_filter.h"
#include "services/admin/deletion_request.h"
#include "services/audit/access_trail.h"

namespace dendro {
namespace {

/// A query's filter and the caller's, as one. What the query learns of its filter it learns as without the other.
class BothFilter final : public RecordFilter {
 public:
  BothFilter(std::shared_ptr<const RecordFilter> asked, std::shared_ptr<const RecordFilter> allowed)
      : asked_(std::move(asked)), allowed_(std::move(allowed)) {
    const auto of_asked = asked_->meaning();
    const auto of_allowed = allowed_->meaning();
    if (!of_asked || !of_allowed) return;
    predicate_ = all_of({*of_asked->predicate, *of_allowed->predicate});
    excludes_dead_letters_ = of_asked->excludes_dead_letters || of_allowed->excludes_dead_letters;
  }
  std::optional<FilterMeaning> meaning() const override {
    if (!predicate_) return std::nullopt;
    return FilterMeaning{&*predicate_, excludes_dead_letters_};
  }
  void note_field_seen(std::string_view field) const override { asked_->note_field_seen(field); }
  void note_kinds(const std::vector<Shape>& shapes, const std::vector<Stream>& streams) const override {
    asked_->note_kinds(shapes, streams);
  }
  bool wants_more() const override { return asked_->wants_more(); }
  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    allowed_->select(batch, rows);
    if (!rows.empty()) asked_->select(batch, rows);
  }

 private:
  const std::shared_ptr<const RecordFilter> asked_, allowed_;
  std::optional<Predicate> predicate_;
  bool excludes_dead_letters_ = false;
};

std::shared_ptr<const RecordFilter> both(std::shared_ptr<const RecordFilter> asked,
                                         std::shared_ptr<const RecordFilter> allowed) {
  if (asked == nullptr) return allowed;
  if (allowed == nullptr) return asked;
  return std::make_shared<BothFilter>(std::move(asked), std::move(allowed));
}

/// Redacts block by block, then asks the query's filter of what is left.
class RedactedSource final : public BlockSource {
 public:
  RedactedSource(std::unique_ptr<BlockSource> base, RecordRedactor redactor, std::shared_ptr<const RecordFilter> asked)
      : base_(std::move(base)), redactor_(std::move(redactor)), asked_(std::move(asked)) {}

  Result<std::optional<RecordBlock>> next() override {
    while (true) {
      DENDRO_TRY_ASSIGN(const std::optional<RecordBlock> block, base_->next());
      if (!block) return std::optional<RecordBlock>();
      RecordBlock redacted = redactor_.redact(*block);
      if (asked_ != nullptr) {
        // select() wants rows that rise in the batch; redact() put them in the scan's order, whatever that was.
        asked_->select(*redacted.batch, redacted.rows);
      }
      if (!redacted.rows.empty()) return std::optional(std::move(redacted));
    }
  }
  Timestamp bound() const override { return base_->bound(); }
  std::uint64_t scanned_records() const override { return base_->scanned_records(); }
  std::uint64_t scanned_bytes() const override { return base_->scanned_bytes(); }

 private:
  const std::unique_ptr<BlockSource> base_;
  const RecordRedactor redactor_;
  const std::shared_ptr<const RecordFilter> asked_;
};

class RestrictedSnapshot final : public Snapshot {
 public:
  RestrictedSnapshot(std::shared_ptr<const Snapshot> base, RecordRestriction restriction)
      : base_(std::move(base)), restriction_(std::move(restriction)) {}

  const TenantId& tenant() const override { return base_->tenant(); }
  SequenceNumber last_sequence() const override { return base_->last_sequence(); }

  std::unique_ptr<BlockSource> scan(ScanRequest request) const override {
    request.profile.reset();  // which row groups a word is in, and how many records, tells of what is hidden
    if (restriction_.fields.changes_nothing()) {
      request.filter = both(std::move(request.filter), restriction_.rows);
      return base_->scan(std::move(request));
    }
    // What the query asks may be about a field that is not there for this caller: it is asked of redacted records.
    auto asked = std::exchange(request.filter, restriction_.rows);
    request.reduction.reset();
    return std::make_unique<RedactedSource>(base_->scan(std::move(request)), restriction_.fields, std::move(asked));
  }

  Result<std::optional<RecordBlock>> find(RecordPosition position) const override {
    DENDRO_TRY_ASSIGN(std::optional<RecordBlock> block, base_->find(position));
    if (!block) return block;
    if (!restrict_block(restriction_, *block)) return std::optional<RecordBlock>();
    return block;
  }

 private:
  const std::shared_ptr<const Snapshot> base_;
  const RecordRestriction restriction_;
};

Result<Predicate> parse_row_filter(const std::string& filter, Timestamp now) {
  QueryFault fault;
  DENDRO_TRY_ASSIGN(const PreparedDeletion prepared, prepare_deletion({filter, "", "", now}, fault));
  const Predicate in_time{TimeTest{"_time", prepared.range}};
  return prepared.range == TimeRange() ? prepared.predicate : all_of({prepared.predicate, in_time});
}

/// Lists with their lengths, so that no two read the same.
std::string restriction_key(const Access& access) {
  std::string key = access.permissions.has(Permission::audit_trail) ? "trail" : "no trail";
  for (const auto* list : {&access.row_filters, &access.hidden_fields, &access.masked_fields}) {
    key += "|" + std::to_string(list->size());
    for (const std::string& text : *list) key += ":" + std::to_string(text.size()) + " " + text;
  }
  return key;
}

}  // namespace

Result<RecordRestriction> make_record_restriction(const Access& access, Timestamp now) {
  RecordRestriction restriction{nullptr, RecordRedactor(access.hidden_fields, access.masked_fields), {}};
  std::vector<Predicate> filters;
  for (const std::string& filter : access.row_filters) {
    auto predicate = parse_row_filter(filter, now);
    if (!predicate) return predicate.error().with_context("row filter of a role");
    filters.push_back(std::move(*predicate));
  }
  std::vector<Predicate> all;
  if (!filters.empty()) all.push_back(any_of(std::move(filters)));
  if (!access.permissions.has(Permission::audit_trail)) {
    all.push_back(negation(Predicate{LabelTest{"dendro.source", std::string(kAccessTrailSource)}}));
  }
  if (!all.empty()) restriction.rows = compile_filter(all_of(std::move(all)));
  if (!restriction.restricts_nothing()) restriction.key = restriction_key(access);
  return restriction;
}

Status check_needed_fields(const RecordRestriction& restriction, const NeededFields& needed) {
  const auto kept_from_caller = [](std::string_view field) {
    return Error(ErrorCode::permission_denied, "a role of the caller keeps the field " + std::string(field) +
                                                   " from it, without which there is no answer here");
  };
  for (const std::string_view field : needed.whole) {
    if (restriction.fields.touches(field)) return kept_from_caller(field);
  }
  for (const std::string_view field : needed.present) {
    if (restriction.fields.hides(field)) return kept_from_caller(field);
  }
  return {};
}

bool restrict_block(const RecordRestriction& restriction, RecordBlock& block) {
  if (restriction.rows != nullptr && !block.rows.empty()) restriction.rows->select(*block.batch, block.rows);
  if (block.rows.empty()) return false;
  if (!restriction.fields.changes_nothing()) block = restriction.fields.redact(block);
  return true;
}

std::shared_ptr<const Snapshot> restrict_snapshot(std::shared_ptr<const Snapshot> base, RecordRestriction restriction) {
  if (restriction.restricts_nothing()) return base;
  return std::make_shared<RestrictedSnapshot>(std::move(base), std::move(restriction));
}

}  // namespace dendro
