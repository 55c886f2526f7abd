#include "services/privacy/mask_rule.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "filter/regex.h"
#include "record/fold.h"
#include "services/privacy/limits.h"

namespace dendro {
namespace {

constexpr std::array<std::string_view, 4> kMaskActions = {"mask", "hash", "drop", "tokenize"};
constexpr std::string_view kWholePattern = "whole";

bool is_rule_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaskRuleNameBytesMax && text[0] >= 'a' && text[0] <= 'z' &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// Reads one rule; its faults go to the list of all.
class MaskRuleReader {
 public:
  MaskRuleReader(std::string prefix, FieldFaults& faults) : prefix_(std::move(prefix)), faults_(faults) {}

  MaskRule read(const JsonValue& value) {
    if (!value.is_object()) {
      fault("", "must be an object");
      return {};
    }
    for (const auto& [name, member] : value.members()) read_member(name, member);
    check();
    return std::move(rule_);
  }

 private:
  void read_member(const std::string& name, const JsonValue& value) {
    if (name == "name") return read_name(value);
    if (name == "fields") return read_fields(value);
    if (name == "pattern") return read_pattern(value);
    if (name == "regex") return read_regex(value);
    if (name == "action") return read_action(value);
    if (name == "keep_last") return read_keep_last(value);
    fault(name, "there is no such member; known are name, fields, pattern, regex, action, keep_last");
  }

  void read_name(const JsonValue& value) {
    const auto text = value.as_string();
    if (text && is_rule_name(*text)) {
      rule_.name = *text;
    } else {
      fault("name", "must be a lower-case letter, then up to 31 of a-z, 0-9 and _");
    }
    has_name_ = true;
  }

  void read_fields(const JsonValue& value) {
    const auto is_glob = [this](const JsonValue& element) {
      const auto text = element.as_string();
      if (!text || text->empty() || text->size() > kMaskRuleFieldBytesMax) return false;
      rule_.fields.emplace_back(*text);
      return true;
    };
    const bool is_list = value.is_array() && !value.elements().empty() &&
                         value.elements().size() <= kMaskRuleFieldsMax &&
                         std::ranges::all_of(value.elements(), is_glob);
    if (!is_list) fault("fields", "must be a list of 1 to 64 names such as \"user.email\" or \"*password*\"");
    if (std::ranges::find(rule_.fields, "*") != rule_.fields.end()) rule_.fields.clear();
    has_all_fields_ = is_list && rule_.fields.empty();
  }

  void read_pattern(const JsonValue& value) {
    ++ways_;
    if (value.as_string() == kWholePattern) {
      rule_.is_whole = true;
      return;
    }
    const auto is_kind = [this](const JsonValue& element) {
      const auto text = element.as_string();
      if (!text || !parse_sensitive_kinds(*text)) return false;
      if (std::ranges::find(rule_.patterns, *text) == rule_.patterns.end()) rule_.patterns.emplace_back(*text);
      return true;
    };
    const bool is_list =
        value.is_array() && !value.elements().empty() && std::ranges::all_of(value.elements(), is_kind);
    if (is_list || is_kind(value)) return;
    fault("pattern", "must be \"whole\", or one or a list of: " + sensitive_kind_names());
  }

  void read_regex(const JsonValue& value) {
    ++ways_;
    const auto text = value.as_string();
    if (!text || text->empty() || text->size() > kMaskRuleRegexBytesMax) {
      return fault("regex", "must be an RE2 expression of 1 to 1024 bytes");
    }
    const auto compiled = Regex::compile(*text);
    if (!compiled) return fault("regex", compiled.error().message());
    if ((*compiled)->matches("")) return fault("regex", "must not match the empty text");
    rule_.regex = *text;
  }

  void read_action(const JsonValue& value) {
    const auto found = std::ranges::find(kMaskActions, value.as_string().value_or(""));
    if (found == kMaskActions.end()) return fault("action", "must be one of mask, hash, drop, tokenize");
    rule_.action = static_cast<MaskAction>(found - kMaskActions.begin());
  }

  void read_keep_last(const JsonValue& value) {
    const auto number = value.as_int();
    if (!number || *number < 0 || *number > kMaskKeepLastMax) return fault("keep_last", "must be from 0 to 8");
    rule_.keep_last = static_cast<unsigned>(*number);
  }

  void check() {
    if (!has_name_) fault("name", "is missing");
    if (ways_ != 1) fault("pattern", "a rule has either pattern or regex");
    if (rule_.is_whole && rule_.fields.empty()) {
      fault("fields", has_all_fields_ ? "whole of every field would leave nothing: name them"
                                      : "is missing: whole needs the names of fields");
    }
    if (rule_.keep_last > 0 && rule_.action != MaskAction::mask) fault("keep_last", "is for the action mask only");
  }

  void fault(std::string_view member, std::string message) {
    std::string field = prefix_;
    if (!member.empty()) field.append(".").append(member);
    faults_.push_back({"body", {}, std::move(field), std::move(message), "value_error"});
  }

  const std::string prefix_;
  FieldFaults& faults_;
  MaskRule rule_;
  bool has_name_ = false, has_all_fields_ = false;
  int ways_ = 0;  ///< of pattern and regex, those that are there
};

/// Whole texts; `*` is any run.
bool glob_is(std::string_view glob, std::string_view text) {
  std::size_t at = 0, star = std::string_view::npos, star_at = 0, i = 0;
  while (i < text.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      star_at = i;
    } else if (at < glob.size() && fold_ascii(glob[at]) == fold_ascii(text[i])) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++star_at;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

}  // namespace

MaskRules read_mask_rules(const JsonValue& list, std::string_view prefix, FieldFaults& faults) {
  const auto refuse = [&](std::string message) {
    faults.push_back({"body", {}, std::string(prefix), std::move(message), "value_error"});
  };
  if (!list.is_array()) {
    refuse("must be a list of rules");
    return {};
  }
  if (list.elements().size() > kMaskRulesMax) {
    refuse("has " + std::to_string(list.elements().size()) + " rules, at most 64 are taken");
    return {};
  }
  MaskRules rules;
  std::set<std::string> names;
  for (std::size_t i = 0; i < list.elements().size(); ++i) {
    const std::string place = std::string(prefix) + "." + std::to_string(i);
    MaskRule rule = MaskRuleReader(place, faults).read(list.elements()[i]);
    if (!rule.name.empty() && !names.insert(rule.name).second) {
      faults.push_back({"body", {}, place + ".name", "is the name of another rule", "value_error"});
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

void write_mask_rules(JsonWriter& json, const MaskRules& rules) {
  json.begin_array();
  for (const MaskRule& rule : rules) {
    json.begin_object();
    json.member("name", rule.name);
    if (!rule.fields.empty()) json.member("fields", rule.fields);
    if (rule.is_whole) {
      json.member("pattern", kWholePattern);
    } else if (rule.patterns.size() == 1) {
      json.member("pattern", rule.patterns[0]);
    } else if (!rule.patterns.empty()) {
      json.member("pattern", rule.patterns);
    }
    if (!rule.regex.empty()) json.member("regex", rule.regex);
    json.member("action", kMaskActions[static_cast<std::size_t>(rule.action)]);
    if (rule.keep_last > 0) json.member("keep_last", rule.keep_last);
    json.end_object();
  }
  json.end_array();
}

std::string mask_rules_json(const MaskRules& rules) {
  std::string text;
  JsonWriter json(text);
  write_mask_rules(json, rules);
  return text;
}

bool needs_privacy_key(const MaskRules& rules) {
  return std::ranges::any_of(rules, [](const MaskRule& rule) {
    return rule.action == MaskAction::hash || rule.action == MaskAction::tokenize;
  });
}

bool glob_covers(std::string_view glob, std::string_view name) {
  if (glob_is(glob, name)) return true;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (glob_is(glob, name.substr(0, dot))) return true;
  }
  return false;
}

}  // namespace dendro
