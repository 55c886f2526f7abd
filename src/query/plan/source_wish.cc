#include "query/plan/source_wish.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "filter/field_name.h"
#include "filter/value_test.h"
#include "query/plan/query_plan.h"

namespace dendro {
namespace {

/// More alternatives are not worth a search each.
constexpr std::size_t kRequiredTextsMax = 4;
/// Shorter ones stand in nearly every line.
constexpr std::size_t kRequiredBytesMin = 2;

/// Texts of which one at least stands in each record that matches; nothing: not known.
using Alternatives = std::optional<std::vector<std::string>>;

/// True if all values of the field are texts of the record as they stand in its line.
bool has_written_values(std::string_view field) {
  if (field.empty()) return true;  // any stored value
  const FieldName name = resolve_field_name(field);
  return std::all_of(name.candidates.begin(), name.candidates.end(), [](const FieldCandidate& candidate) {
    switch (candidate.kind) {
      case FieldKind::role_leaf:
      case FieldKind::body_parts:
      case FieldKind::body_part:
      case FieldKind::attribute:
      case FieldKind::label:
        return true;
      default:
        return false;
    }
  });
}

std::size_t shortest_of(const std::vector<std::string>& texts) {
  std::size_t bytes = texts.front().size();
  for (const std::string& text : texts) bytes = std::min(bytes, text.size());
  return bytes;
}

/// What matching takes for granted, as far as it is a matter of bytes.
struct RequiredTexts {
  Alternatives operator()(const AllOf& all) const {
    Alternatives best;
    for (const Predicate& part : all.parts) {
      Alternatives own = std::visit(*this, part.node);
      if (own && (!best || shortest_of(*own) > shortest_of(*best))) best = std::move(own);
    }
    return best;
  }
  Alternatives operator()(const AnyOf& any) const {
    std::vector<std::string> texts;
    for (const Predicate& part : any.parts) {
      Alternatives own = std::visit(*this, part.node);
      if (!own) return std::nullopt;
      texts.insert(texts.end(), own->begin(), own->end());
    }
    return texts.size() <= kRequiredTextsMax ? Alternatives(std::move(texts)) : std::nullopt;
  }
  Alternatives operator()(const FieldTest& test) const {
    if (!has_written_values(test.field)) return std::nullopt;
    if (const auto* any = std::get_if<ContainsAny>(&test.condition)) {
      std::vector<std::string> texts;
      for (const TextPattern& pattern : any->patterns) {
        Alternatives own = of_condition(pattern);
        if (!own) return std::nullopt;
        texts.push_back(std::move(own->front()));
      }
      return texts.size() <= kRequiredTextsMax ? Alternatives(std::move(texts)) : std::nullopt;
    }
    return of_condition(test.condition);
  }
  template <typename Other>
  Alternatives operator()(const Other&) const {
    return std::nullopt;
  }

 private:
  static Alternatives of_condition(Condition condition) {
    const ValueTest test(std::move(condition));
    const std::string_view text = test.required_text();
    if (text.size() < kRequiredBytesMin || test.may_match_non_text()) return std::nullopt;
    return std::vector<std::string>{std::string(text)};
  }
};

/// True if a test of the filter may have to warn of units, which it does of records that do not match, too.
bool may_warn_of_units(const Predicate& predicate) {
  const auto any_of_parts = [](const std::vector<Predicate>& parts) {
    return std::any_of(parts.begin(), parts.end(), may_warn_of_units);
  };
  if (const auto* all = std::get_if<AllOf>(&predicate.node)) return any_of_parts(all->parts);
  if (const auto* any = std::get_if<AnyOf>(&predicate.node)) return any_of_parts(any->parts);
  if (const auto* negated = std::get_if<Negation>(&predicate.node)) return may_warn_of_units(*negated->operand);
  const auto* test = std::get_if<FieldTest>(&predicate.node);
  return test != nullptr && ValueTest(test->condition).has_unit();
}

/// What this plan and those inside it look at.
class WishMaker {
 public:
  void add(const QueryPlan& plan) {
    const FieldNeed need = fields_needed_from(plan, 0);
    if (need.is_all) wish_.is_all = true;
    for (const NamePattern& name : need.names) add(name);
    add(plan.parsed.filter);
    for (const Pipe& pipe : plan.parsed.pipes) {
      const auto* where = std::get_if<WherePipe>(&pipe);
      if (where == nullptr) break;  // the others are steps, of which the need is known
      add(where->filter);
    }
    // Tests of labels name no fields; they begin with a bracket. A bracket in a text costs some labels. What stands
    // around a record is a matter of its stream.
    const bool has_context = std::any_of(plan.parsed.pipes.begin(), plan.parsed.pipes.end(),
                                         [](const Pipe& pipe) { return std::holds_alternative<ContextPipe>(pipe); });
    if (has_context || to_text(plan.parsed).find('{') != std::string::npos) wish_.all_labels = true;
    for (const SubPlan& sub : plan.subplans) add(*sub.plan);
  }
  RecordWish finish() {
    add(NamePattern{std::string(kSourceLabel), false});
    wish_.paths.assign(paths_.begin(), paths_.end());
    wish_.searched_texts.assign(searched_.begin(), searched_.end());
    return std::move(wish_);
  }

  explicit WishMaker() { wish_.is_all = false; }

 private:
  void add(const NamePattern& pattern) {
    if (pattern.is_prefix) {
      wish_.is_all = true;
      return;
    }
    for (const FieldCandidate& candidate : resolve_field_name(pattern.name).candidates) {
      switch (candidate.kind) {
        case FieldKind::time:
        case FieldKind::id:
          break;  // always there
        case FieldKind::observed:
          wish_.add(LeafRole::observed);
          break;
        case FieldKind::stream_text:
          wish_.all_labels = true;
          break;
        case FieldKind::template_id:
          wish_.add(LeafRole::body);
          break;
        case FieldKind::severity:
        case FieldKind::severity_number:
          wish_.severity = true;
          break;
        case FieldKind::severity_text:
          wish_.add(LeafRole::severity);
          wish_.add(LeafRole::severity_text);
          break;
        case FieldKind::role_leaf:
          wish_.add(candidate.role);
          break;
        case FieldKind::body_parts:
          wish_.add(LeafRole::body_part);
          break;
        case FieldKind::body_part:
        case FieldKind::attribute:
        case FieldKind::label:
          paths_.insert(candidate.path);
          break;
      }
    }
  }

  /// What deciding the filter takes.
  void add(const Predicate& filter) {
    if (const auto* all = std::get_if<AllOf>(&filter.node)) {
      for (const Predicate& part : all->parts) add(part);
    } else if (const auto* any = std::get_if<AnyOf>(&filter.node)) {
      for (const Predicate& part : any->parts) add(part);
    } else if (const auto* negated = std::get_if<Negation>(&filter.node)) {
      add(*negated->operand);
    } else if (const auto* test = std::get_if<FieldTest>(&filter.node); test != nullptr && test->field.empty()) {
      add_search(*test);
    } else {
      for_each_field(filter, [this](std::string_view field) { add(NamePattern{std::string(field), false}); });
    }
  }
  /// A test of any value: no value without its text can pass it, so the others need not be there, whatever becomes of
  /// the test.
  void add_search(const FieldTest& test) {
    const Alternatives texts = RequiredTexts()(test);
    if (!texts) {
      wish_.is_all = true;
      return;
    }
    searched_.insert(texts->begin(), texts->end());
  }

  RecordWish wish_;
  std::set<std::string> searched_;
  std::set<std::string> paths_;
};

}  // namespace

RecordWish source_wish(const QueryPlan& plan) {
  WishMaker maker;
  maker.add(plan);
  RecordWish wish = maker.finish();
  // Queries inside, and `context`, look at records that do not match.
  if (!plan.subplans.empty() || plan.context_filter != nullptr) return wish;
  const std::optional<FilterMeaning> meaning = plan.scan_filter->meaning();
  if (!meaning || may_warn_of_units(*meaning->predicate)) return wish;
  if (Alternatives texts = std::visit(RequiredTexts(), meaning->predicate->node))
    wish.required_texts = std::move(*texts);
  return wish;
}

}  // namespace dendro
