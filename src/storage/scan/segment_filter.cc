#include "storage/scan/segment_filter.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "filter/field_name.h"
#include "storage/scan/scan_node.h"

namespace dendro {
namespace {

class EverythingScan final : public ScanNode {
 public:
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    return RowVerdict::all_of(rows_in(reader), true);
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    return flag_streams(reader, true);
  }
  int cost() const override { return 0; }
};

/// What only RecordFilter::select can tell.
class UnknownScan final : public ScanNode {
 public:
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe&) override {
    return RowVerdict::unknown(rows_in(reader));
  }
  int cost() const override { return 0; }
};

class ConjunctionScan final : public ScanNode {
 public:
  explicit ConjunctionScan(std::vector<ScanNodePtr> parts) : parts_(std::move(parts)) {
    std::sort(parts_.begin(), parts_.end(),
              [](const ScanNodePtr& a, const ScanNodePtr& b) { return a->cost() < b->cost(); });
  }
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), true);
    for (const ScanNodePtr& part : parts_) {
      DENDRO_TRY_ASSIGN(const RowVerdict own, part->select(reader, probe));
      verdict &= own;
      if (verdict.possible.none()) break;
    }
    return verdict;
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    StreamFlags all = flag_streams(reader, true);
    for (const ScanNodePtr& part : parts_) {
      const std::optional<StreamFlags> own = part->select_streams(reader);
      if (!own) return std::nullopt;
      std::transform(all.begin(), all.end(), own->begin(), all.begin(), std::bit_and<std::uint8_t>());
    }
    return all;
  }
  Result<bool> may_match(RowGroupReader& reader, FilterProbe& probe) override {
    for (const ScanNodePtr& part : parts_) {
      DENDRO_TRY_ASSIGN(const bool may_match, part->may_match(reader, probe));
      if (!may_match) return false;
    }
    return true;
  }
  std::optional<StreamFlags> label_flags(const RowGroupReader& reader) override {
    std::optional<StreamFlags> all;
    for (const ScanNodePtr& part : parts_) {
      const std::optional<StreamFlags> own = part->label_flags(reader);
      if (!own) continue;
      if (!all) all = flag_streams(reader, true);
      std::transform(all->begin(), all->end(), own->begin(), all->begin(), std::bit_and<std::uint8_t>());
    }
    return all;
  }
  int cost() const override { return parts_.back()->cost(); }

 private:
  std::vector<ScanNodePtr> parts_;
};

class DisjunctionScan final : public ScanNode {
 public:
  explicit DisjunctionScan(std::vector<ScanNodePtr> parts) : parts_(std::move(parts)) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    RowVerdict verdict = RowVerdict::all_of(rows_in(reader), false);
    for (const ScanNodePtr& part : parts_) {
      DENDRO_TRY_ASSIGN(const RowVerdict own, part->select(reader, probe));
      verdict |= own;
    }
    return verdict;
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    StreamFlags any = flag_streams(reader, false);
    for (const ScanNodePtr& part : parts_) {
      const std::optional<StreamFlags> own = part->select_streams(reader);
      if (!own) return std::nullopt;
      std::transform(any.begin(), any.end(), own->begin(), any.begin(), std::bit_or<std::uint8_t>());
    }
    return any;
  }
  Result<bool> may_match(RowGroupReader& reader, FilterProbe& probe) override {
    for (const ScanNodePtr& part : parts_) {
      DENDRO_TRY_ASSIGN(const bool may_match, part->may_match(reader, probe));
      if (may_match) return true;
    }
    return false;
  }
  std::optional<StreamFlags> label_flags(const RowGroupReader& reader) override {
    StreamFlags any = flag_streams(reader, false);
    for (const ScanNodePtr& part : parts_) {
      const std::optional<StreamFlags> own = part->label_flags(reader);
      if (!own) return std::nullopt;  // what the part asks of other things may hold
      std::transform(any.begin(), any.end(), own->begin(), any.begin(), std::bit_or<std::uint8_t>());
    }
    return any;
  }
  int cost() const override { return 60; }

 private:
  std::vector<ScanNodePtr> parts_;
};

class NegationScan final : public ScanNode {
 public:
  explicit NegationScan(ScanNodePtr operand) : operand_(std::move(operand)) {}
  Result<RowVerdict> select(RowGroupReader& reader, FilterProbe& probe) override {
    DENDRO_TRY_ASSIGN(RowVerdict verdict, operand_->select(reader, probe));
    verdict.invert();
    return verdict;
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    std::optional<StreamFlags> flags = operand_->select_streams(reader);
    if (!flags) return std::nullopt;
    for (std::uint8_t& flag : *flags) flag ^= 1;
    return flags;
  }
  std::optional<StreamFlags> label_flags(const RowGroupReader& reader) override {
    return operand_->label_flags(reader).has_value() ? select_streams(reader) : std::nullopt;
  }
  int cost() const override { return operand_->cost(); }

 private:
  ScanNodePtr operand_;
};

ScanNodePtr make_scan_node(const Predicate& predicate, const RecordFilter& filter);

struct ScanNodeMaker {
  const RecordFilter& filter;

  std::vector<ScanNodePtr> parts(const std::vector<Predicate>& predicates) const {
    std::vector<ScanNodePtr> nodes;
    for (const Predicate& part : predicates) nodes.push_back(make_scan_node(part, filter));
    return nodes;
  }
  ScanNodePtr operator()(const Everything&) const { return std::make_unique<EverythingScan>(); }
  ScanNodePtr operator()(const AllOf& all) const { return std::make_unique<ConjunctionScan>(parts(all.parts)); }
  ScanNodePtr operator()(const AnyOf& any) const { return std::make_unique<DisjunctionScan>(parts(any.parts)); }
  ScanNodePtr operator()(const Negation& negated) const {
    return std::make_unique<NegationScan>(make_scan_node(*negated.operand, filter));
  }
  ScanNodePtr operator()(const FieldTest& test) const {
    if (test.field.empty()) return make_any_value_scan(test);
    return test.field == kTemplateField ? make_template_id_scan(test, filter) : make_field_scan(test, filter);
  }
  ScanNodePtr operator()(const SeverityTest& test) const { return make_severity_scan(test); }
  ScanNodePtr operator()(const TimeTest& test) const {
    if (resolve_field_name(test.field).candidates.front().kind != FieldKind::time)
      return std::make_unique<UnknownScan>();
    return make_time_scan(test.range);
  }
  ScanNodePtr operator()(const LabelTest& test) const {
    return make_stream_scan(std::make_shared<LabelCondition>(test));
  }
  ScanNodePtr operator()(const LabelMatch& test) const {
    return make_stream_scan(std::make_shared<LabelCondition>(test));
  }
  ScanNodePtr operator()(const FieldComparison&) const { return std::make_unique<UnknownScan>(); }
  ScanNodePtr operator()(const ClockTest&) const { return std::make_unique<UnknownScan>(); }
};

ScanNodePtr make_scan_node(const Predicate& predicate, const RecordFilter& filter) {
  return std::visit(ScanNodeMaker{filter}, predicate.node);
}

class TreeSegmentFilter final : public SegmentFilter {
 public:
  TreeSegmentFilter(ScanNodePtr root, const RecordFilter& filter) : root_(std::move(root)), filter_(filter) {}
  Result<RowVerdict> select(RowGroupReader& reader) override {
    note_kinds(reader);
    FilterProbe probe(reader);
    return root_->select(reader, probe);
  }
  Result<bool> may_match(RowGroupReader& reader) override {
    FilterProbe probe(reader);
    return root_->may_match(reader, probe);
  }
  std::optional<StreamFlags> select_streams(const RowGroupReader& reader) override {
    note_kinds(reader);
    return root_->select_streams(reader);
  }
  bool is_excluded_by_labels(const RowGroupReader& reader) override {
    const std::optional<StreamFlags> flags = root_->label_flags(reader);
    return flags && std::find(flags->begin(), flags->end(), 1) == flags->end();
  }

 private:
  void note_kinds(const RowGroupReader& reader) {
    if (!told_.insert(reader.segment().info().id).second) return;
    filter_.note_kinds(reader.dictionary().shapes(), reader.dictionary().streams());
  }

  ScanNodePtr root_;
  const RecordFilter& filter_;
  std::set<SegmentId> told_;
};

}  // namespace

std::unique_ptr<SegmentFilter> make_segment_filter(const RecordFilter& filter) {
  const std::optional<FilterMeaning> meaning = filter.meaning();
  if (!meaning) return nullptr;
  ScanNodePtr root = make_scan_node(*meaning->predicate, filter);
  if (meaning->excludes_dead_letters) {
    std::vector<ScanNodePtr> parts;
    parts.push_back(make_stream_scan(std::make_shared<LivingCondition>()));
    parts.push_back(std::move(root));
    root = std::make_unique<ConjunctionScan>(std::move(parts));
  }
  return std::make_unique<TreeSegmentFilter>(std::move(root), filter);
}

ScanFate fate_of_ruled_out(RowGroupReader& reader, SegmentFilter* filter) {
  const ReadTally& read = reader.tally();
  if (read.has_read_values()) return ScanFate::read;
  if (read.of(ColumnKind::token_filter).pieces != 0) return ScanFate::by_token_filter;
  const bool is_by_labels = filter != nullptr && filter->is_excluded_by_labels(reader);
  return is_by_labels ? ScanFate::by_labels : ScanFate::by_statistics;
}

}  // namespace dendro
