#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "filter/regex.h"
#include "filter/sensitive/sensitive_finder.h"
#include "services/privacy/mask_rule.h"
#include "services/privacy/value_sealer.h"

namespace dendro {

/// The rules that hold for a field, a bit each.
using RuleSet = std::uint64_t;

/// How often rules found something, for previews.
struct MaskMatch {
  std::size_t rule = 0;  ///< index among the rules
  std::string kind;      ///< of a pattern, or the rule's name
};

/// Rules of a tenant made ready. Immutable; thread-safe.
class MaskPlan {
 public:
  /// `sealer` may be null where needs_privacy_key() is false. Errors: those of Regex::compile.
  static Result<std::shared_ptr<const MaskPlan>> compile(MaskRules rules, std::shared_ptr<const ValueSealer> sealer);

  const MaskRules& rules() const { return rules_; }
  /// Rules that hold for the field of this name; those without fields are among them.
  RuleSet rules_for(std::string_view field) const;
  /// Rules that hold for every field, and so for names of fields, too.
  RuleSet rules_for_all() const { return for_all_; }
  bool has_field_rules() const { return has_field_rules_; }
  /// True if some rule may find something in a text such as `4111111111111111`: else numbers need no look.
  bool looks_at_numbers(RuleSet rules) const { return (rules & number_rules_) != 0; }
  /// The first of `rules` that means the whole of the field: by a rule of the pattern whole, or because the name says
  /// that it holds a secret of a kind that a rule looks for.
  std::optional<MaskMatch> whole_match(RuleSet rules, std::string_view field) const;

 private:
  friend class TextMasker;
  struct Ready {
    SensitiveKinds kinds;
    std::shared_ptr<const Regex> regex;
  };
  explicit MaskPlan(MaskRules rules) : rules_(std::move(rules)) {}

  MaskRules rules_;
  std::vector<Ready> ready_;  ///< by rule
  std::shared_ptr<const ValueSealer> sealer_;
  RuleSet for_all_ = 0, number_rules_ = 0, whole_rules_ = 0;
  bool has_field_rules_ = false;
};

/// Masks texts by a plan. Not thread-safe: holds what texts before it needed.
class TextMasker {
 public:
  /// `plan` outlives it.
  explicit TextMasker(const MaskPlan& plan) : plan_(plan) {}

  enum class Verdict : std::uint8_t {
    unchanged,
    changed,  ///< `out` is what to store
    drop,     ///< the field is not to be stored
  };
  /// What stands in a text of a field that these rules hold for.
  Verdict mask(RuleSet rules, std::string_view text, std::string& out);
  /// The whole of a text, by one rule.
  Verdict mask_whole(const MaskMatch& match, std::string_view text, std::string& out);
  /// As `mask`, of a text that may be anything: broken JSON, a line. Field rules are asked of each name that a value
  /// seems to stand behind.
  Verdict mask_loose(std::string_view text, std::string& out);

  /// Who found something, for previews; empty: nobody is told.
  std::function<void(const MaskMatch&)> on_match;

 private:
  struct Span {
    std::size_t first = 0, end = 0;
    MaskMatch match;
  };
  struct Prepared {
    SensitiveFinder finder;
    std::vector<std::size_t> rule_of_kind;
    std::vector<std::size_t> regex_rules;
  };
  const Prepared& prepared(RuleSet rules);
  void find(const Prepared& ready, std::string_view text);
  void add_regex_spans(std::size_t rule, std::string_view text);
  /// spans_ in order, those that overlap made one.
  void settle();
  Verdict replace(std::string_view text, std::string& out);
  void append_replacement(std::string& out, const MaskMatch& match, std::string_view value);
  bool is_dropped(const MaskMatch& match) const { return plan_.rules_[match.rule].action == MaskAction::drop; }

  const MaskPlan& plan_;
  std::unordered_map<RuleSet, Prepared> prepared_;
  std::vector<SensitiveSpan> found_;
  std::vector<Span> spans_;
  std::vector<std::string_view> groups_;
};

}  // namespace dendro
