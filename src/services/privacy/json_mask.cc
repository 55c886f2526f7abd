#include "services/privacy/json_mask.h"

#include <vector>

#include "parse/json_reader.h"
#include "services/audit/compact_json.h"

namespace dendro {
namespace {

/// As append_json_string, but bytes that are no UTF-8 stay.
void append_json_bytes(std::string& out, std::string_view text) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

/// Goes over the tokens and copies what lies between those that change.
class JsonMasking {
 public:
  JsonMasking(const MaskPlan& plan, TextMasker& masker, std::string_view field, RuleSet inherited,
              std::string_view json, std::string& out)
      : plan_(plan), masker_(masker), inherited_(inherited), json_(json), out_(out), path_(field) {
    outer_.push_back(path_.size());
  }

  bool run() {
    out_.clear();
    JsonTokens tokens(json_);
    for (JsonToken token = tokens.next(); token.kind != JsonToken::Kind::end; token = tokens.next()) {
      switch (token.kind) {
        case JsonToken::Kind::open:
          outer_.push_back(path_.size());
          break;
        case JsonToken::Kind::close:
          if (outer_.size() > 1) outer_.pop_back();
          path_.resize(outer_.back());
          break;
        case JsonToken::Kind::key:
          enter(token);
          break;
        case JsonToken::Kind::text:
          value(token, json_token_text(token.text));
          break;
        case JsonToken::Kind::plain:
          if (token.text != "null") value(token, std::string(token.text));
          break;
        case JsonToken::Kind::end:
          break;
      }
    }
    if (!is_changed_) return false;
    out_.append(json_.substr(copied_));
    return true;
  }

 private:
  void enter(const JsonToken& token) {
    path_.resize(outer_.back());
    const std::string name = json_token_text(token.text);
    if (!path_.empty()) path_.push_back('.');
    path_.append(name);
    const auto verdict = masker_.mask(plan_.rules_for_all(), name, changed_);
    if (verdict == TextMasker::Verdict::unchanged) return;
    put(token, verdict == TextMasker::Verdict::drop ? "***" : changed_);
  }

  void value(const JsonToken& token, const std::string& text) {
    const RuleSet rules = inherited_ | plan_.rules_for(path_);
    if (rules == 0) return;
    const auto whole = plan_.whole_match(rules, path_);
    const auto verdict = whole ? masker_.mask_whole(*whole, text, changed_) : masker_.mask(rules, text, changed_);
    if (verdict == TextMasker::Verdict::changed) put(token, changed_);
    if (verdict == TextMasker::Verdict::drop) put_raw(token, "null");
  }

  void put(const JsonToken& token, std::string_view text) {
    std::string quoted;
    append_json_bytes(quoted, text);
    put_raw(token, quoted);
  }
  void put_raw(const JsonToken& token, std::string_view text) {
    const auto first = static_cast<std::size_t>(token.text.data() - json_.data());
    out_.append(json_.substr(copied_, first - copied_)).append(text);
    copied_ = first + token.text.size();
    is_changed_ = true;
  }

  const MaskPlan& plan_;
  TextMasker& masker_;
  const RuleSet inherited_;
  const std::string_view json_;
  std::string& out_;
  std::string path_, changed_;
  std::vector<std::size_t> outer_;  ///< sizes of path_ outside the containers that are open
  std::size_t copied_ = 0;
  bool is_changed_ = false;
};

}  // namespace

bool mask_json(const MaskPlan& plan, TextMasker& masker, std::string_view field, RuleSet inherited,
               std::string_view json, std::string& out) {
  return JsonMasking(plan, masker, field, inherited, json, out).run();
}

bool is_json_container(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  JsonReader reader(1);
  const JsonRead read = reader.read(text, 0);
  if (read.kind != JsonRead::Kind::object && read.kind != JsonRead::Kind::other) return false;
  return text.find_first_not_of(" \t\r\n", read.end) == std::string_view::npos;
}

}  // namespace dendro
