#include "services/privacy/field_mask.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "services/privacy/limits.h"

namespace dendro {
namespace {

constexpr std::string_view kMaskText = "***";
constexpr std::size_t kNoRule = ~std::size_t{0};

constexpr RuleSet rule_bit(std::size_t rule) {
  return RuleSet{1} << rule;
}

bool continues_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

/// The last `count` characters; nothing if there are less than twice as many.
std::string_view last_characters(std::string_view value, unsigned count) {
  if (count == 0) return {};
  std::size_t first = value.size(), characters = 0;
  std::size_t kept = value.size();
  while (first > 0) {
    --first;
    if (continues_character(value, first)) continue;
    if (++characters == count) kept = first;
    if (characters == 2 * std::size_t{count}) return value.substr(kept);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const MaskPlan>> MaskPlan::compile(MaskRules rules, std::shared_ptr<const ValueSealer> sealer) {
  DENDRO_CHECK(rules.size() <= kMaskRulesMax);
  DENDRO_CHECK(sealer != nullptr || !needs_privacy_key(rules));
  std::shared_ptr<MaskPlan> plan(new MaskPlan(std::move(rules)));
  plan->sealer_ = std::move(sealer);
  for (std::size_t i = 0; i < plan->rules_.size(); ++i) {
    const MaskRule& rule = plan->rules_[i];
    Ready ready;
    for (const std::string& name : rule.patterns)
      ready.kinds.add(parse_sensitive_kinds(name).value_or(SensitiveKinds()));
    if (!rule.regex.empty()) {
      DENDRO_TRY_ASSIGN(ready.regex, Regex::compile(rule.regex));
    }
    if (rule.fields.empty()) plan->for_all_ |= rule_bit(i);
    plan->has_field_rules_ |= !rule.fields.empty();
    if (rule.is_whole) plan->whole_rules_ |= rule_bit(i);
    if (ready.regex != nullptr || ready.kinds.has(SensitiveKind::card)) plan->number_rules_ |= rule_bit(i);
    plan->ready_.push_back(std::move(ready));
  }
  return std::shared_ptr<const MaskPlan>(std::move(plan));
}

RuleSet MaskPlan::rules_for(std::string_view field) const {
  RuleSet rules = for_all_;
  if (!has_field_rules_) return rules;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto covers = [field](const std::string& glob) { return glob_covers(glob, field); };
    if (std::ranges::any_of(rules_[i].fields, covers)) rules |= rule_bit(i);
  }
  return rules;
}

std::optional<MaskMatch> MaskPlan::whole_match(RuleSet rules, std::string_view field) const {
  const std::size_t dot = field.rfind('.');
  const auto kind = secret_kind_of_name(dot == std::string_view::npos ? field : field.substr(dot + 1));
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if ((rules & rule_bit(i)) == 0) continue;
    if (rules_[i].is_whole) return MaskMatch{i, rules_[i].name};
    if (kind && ready_[i].kinds.has(*kind)) return MaskMatch{i, std::string(sensitive_kind_name(*kind))};
  }
  return std::nullopt;
}

const TextMasker::Prepared& TextMasker::prepared(RuleSet rules) {
  const auto known = prepared_.find(rules);
  if (known != prepared_.end()) return known->second;
  SensitiveKinds kinds;
  std::vector<std::size_t> rule_of_kind(kSensitiveKindCount, kNoRule), regex_rules;
  for (std::size_t i = 0; i < plan_.rules_.size(); ++i) {
    if ((rules & rule_bit(i)) == 0) continue;
    const MaskPlan::Ready& ready = plan_.ready_[i];
    kinds.add(ready.kinds);
    for (std::size_t kind = 0; kind < kSensitiveKindCount; ++kind) {
      if (rule_of_kind[kind] == kNoRule && ready.kinds.has(static_cast<SensitiveKind>(kind))) rule_of_kind[kind] = i;
    }
    if (ready.regex != nullptr) regex_rules.push_back(i);
  }
  Prepared made{SensitiveFinder(kinds), std::move(rule_of_kind), std::move(regex_rules)};
  return prepared_.emplace(rules, std::move(made)).first->second;
}

void TextMasker::add_regex_spans(std::size_t rule, std::string_view text) {
  const Regex& regex = *plan_.ready_[rule].regex;
  for (std::size_t at = 0; at <= text.size() && regex.capture(text, at, groups_);) {
    const std::string_view whole = groups_[0];
    const bool has_group = groups_.size() > 1 && groups_[1].data() != nullptr;
    const std::string_view meant = has_group ? groups_[1] : whole;
    Span span;
    span.first = static_cast<std::size_t>(meant.data() - text.data());
    span.end = span.first + meant.size();
    // `\C` takes single bytes; a character is not cut.
    while (span.first > 0 && continues_character(text, span.first)) --span.first;
    while (span.end > span.first && continues_character(text, span.end)) ++span.end;
    span.match = {rule, plan_.rules_[rule].name};
    if (span.end > span.first) spans_.push_back(std::move(span));
    const std::size_t end = static_cast<std::size_t>(whole.data() - text.data()) + whole.size();
    at = std::max(end, at + 1);
  }
}

void TextMasker::find(const Prepared& ready, std::string_view text) {
  found_.clear();
  ready.finder.find(text, found_);
  for (const SensitiveSpan& span : found_) {
    // Long values are cut at a number of bytes.
    std::size_t end = span.end();
    while (continues_character(text, end)) ++end;
    spans_.push_back(
        {span.first,
         end,
         {ready.rule_of_kind[static_cast<std::size_t>(span.kind)], std::string(sensitive_kind_name(span.kind))}});
  }
  for (const std::size_t rule : ready.regex_rules) add_regex_spans(rule, text);
}

void TextMasker::settle() {
  std::ranges::sort(spans_, {}, [](const Span& span) { return std::pair(span.first, span.match.rule); });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < spans_.size(); ++i) {
    Span& last = spans_[kept];
    if (spans_[i].first >= last.end) {
      if (++kept != i) spans_[kept] = std::move(spans_[i]);
      continue;
    }
    // Of the two the rule that stands first; all of both is covered.
    const std::size_t end = std::max(last.end, spans_[i].end);
    if (spans_[i].match.rule < last.match.rule) last.match = std::move(spans_[i].match);
    last.end = end;
  }
  if (!spans_.empty()) spans_.resize(kept + 1);
}

void TextMasker::append_replacement(std::string& out, const MaskMatch& match, std::string_view value) {
  const MaskRule& rule = plan_.rules_[match.rule];
  if (rule.action == MaskAction::hash) {
    out += plan_.sealer_->hash(match.kind, value);
  } else if (rule.action == MaskAction::tokenize && value.size() <= kTokenizedBytesMax) {
    out += plan_.sealer_->tokenize(match.kind, value);
  } else {
    out.append(kMaskText).append(last_characters(value, rule.keep_last));
  }
}

TextMasker::Verdict TextMasker::replace(std::string_view text, std::string& out) {
  settle();
  bool is_changed = false;
  std::size_t at = 0;
  out.clear();
  for (const Span& span : spans_) {
    const std::string_view value = text.substr(span.first, span.end - span.first);
    if (value == kMaskText) continue;  // masked before it came here
    if (on_match) on_match(span.match);
    if (is_dropped(span.match)) return Verdict::drop;
    out.append(text.substr(at, span.first - at));
    append_replacement(out, span.match, value);
    at = span.end;
    is_changed = true;
  }
  if (!is_changed) return Verdict::unchanged;
  out.append(text.substr(at));
  return Verdict::changed;
}

TextMasker::Verdict TextMasker::mask(RuleSet rules, std::string_view text, std::string& out) {
  if (rules == 0 || text.empty()) return Verdict::unchanged;
  spans_.clear();
  find(prepared(rules), text);
  return spans_.empty() ? Verdict::unchanged : replace(text, out);
}

TextMasker::Verdict TextMasker::mask_whole(const MaskMatch& match, std::string_view text, std::string& out) {
  if (text == kMaskText || text.empty()) return Verdict::unchanged;
  if (!plan_.rules_[match.rule].is_whole && is_no_secret(text)) return Verdict::unchanged;
  if (on_match) on_match(match);
  if (is_dropped(match)) return Verdict::drop;
  out.clear();
  append_replacement(out, match, text);
  return Verdict::changed;
}

TextMasker::Verdict TextMasker::mask_loose(std::string_view text, std::string& out) {
  spans_.clear();
  find(prepared(plan_.rules_for_all()), text);
  if (plan_.has_field_rules()) {
    // Where a name stands in a broken text is not known: the last part of a glob decides, and what is below it.
    for (std::size_t i = 0; i < plan_.rules_.size(); ++i) {
      const MaskRule& rule = plan_.rules_[i];
      if (rule.fields.empty()) continue;
      const auto is_wanted = [&rule](std::string_view name) {
        return std::ranges::any_of(rule.fields, [name](const std::string& glob) {
          const std::size_t dot = glob.rfind('.');
          const std::string_view last = std::string_view(glob).substr(dot == std::string::npos ? 0 : dot + 1);
          const std::size_t name_dot = name.rfind('.');
          return glob_covers(glob, name) || glob_covers(last, name) ||
                 (name_dot != std::string_view::npos && glob_covers(last, name.substr(name_dot + 1)));
        });
      };
      for (const ValueSpan& value : find_named_values(text, is_wanted)) {
        spans_.push_back({value.first, value.first + value.size, {i, rule.name}});
      }
    }
  }
  return spans_.empty() ? Verdict::unchanged : replace(text, out);
}

}  // namespace dendro
