#include "filter/stream_condition.h"

#include "filter/field_name.h"
#include "filter/value_test.h"

namespace dendro {
namespace {

/// True if the label is meant by `name`: exactly, or with every other character as `_` (query-language.md 5, Scope).
bool is_label_named(std::string_view path, std::string_view name) {
  if (path.size() != name.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != name[i] && !(name[i] == '_' && !is_word_char(path[i]))) return false;
  }
  return true;
}

}  // namespace

LabelCondition::LabelCondition(const LabelTest& test)
    : name_(test.name), accepts_text_([text = test.text](std::string_view found) { return found == text; }) {}

LabelCondition::LabelCondition(const LabelMatch& test)
    : name_(test.name),
      accepts_text_([regex = test.regex](std::string_view found) { return regex->matches_whole(found); }) {}

bool LabelCondition::accepts(const Stream& stream) const {
  const StreamLabel* found = stream.find(name_);
  for (const StreamLabel& label : stream.labels) {
    if (found == nullptr && is_label_named(label.path, name_)) found = &label;
  }
  std::string scratch;
  return accepts_text_(found == nullptr ? std::string_view() : value_text(found->value, scratch));
}

bool LivingCondition::accepts(const Stream& stream) const {
  const StreamLabel* source = stream.find(kSourceLabel);
  return source == nullptr || source->value.text != kDeadLetterSource;
}

}  // namespace dendro
