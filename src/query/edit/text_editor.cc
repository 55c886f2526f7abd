// decolorize mask hash collapse_nums split: a new text for a field.
#include <array>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "base/json_writer.h"
#include "filter/text_pattern.h"
#include "query/edit/row_editors.h"
#include "query/language/regex_replacement.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// Without escape sequences of terminals (ECMA-48: ESC [ parameters, one final byte).
std::string decolorized(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\x1B' || at + 1 >= text.size() || text[at + 1] != '[') {
      plain.push_back(text[at]);
      continue;
    }
    at += 2;
    while (at < text.size() && (text[at] < '@' || text[at] > '~')) ++at;
  }
  return plain;
}

/// Numbers that stand by themselves, decimal or 0x.., become <N>.
std::string with_collapsed_numbers(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool touches_word = is_digit(text[at]) && at > 0 && is_word_char(text[at - 1]) && !is_digit(text[at - 1]);
    if (!is_digit(text[at]) || touches_word) {
      out.push_back(text[at++]);
      while (touches_word && at < text.size() && is_digit(text[at])) out.push_back(text[at++]);
      continue;
    }
    const bool is_hex = text.substr(at, 2) == "0x";
    if (is_hex) at += 2;
    while (at < text.size() && (is_digit(text[at]) || (is_hex && is_word_char(text[at])))) ++at;
    out += "<N>";
  }
  return out;
}

std::string hash_text(std::string_view text) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(xxh3(text, HashSeed(0))));
  return digits.data();
}

std::string json_list_of_parts(std::string_view text, std::string_view separator) {
  std::string json = "[";
  for (std::size_t at = 0;;) {
    const std::size_t hit = find_literal(text, separator, at);
    if (json.size() > 1) json.push_back(',');
    append_json_string(json, text.substr(at, hit - at));
    if (hit == std::string_view::npos) break;
    at = hit + separator.size();
  }
  json.push_back(']');
  return json;
}

/// What people do not want to show: the secret behind a telling name, addresses of mail, numbers of payment cards.
std::vector<RegexReplacement> make_masks() {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMasks = {{
      {R"((?i)\b(password|passwd|pwd|secret|token|api_?key|authorization)(["']?\s*[=:]\s*["']?)(?:(?:bearer|basic) )?[^\s"',;&]+)",
       "$1$2***"},
      {R"((?i)\b(bearer|basic) [a-z0-9+/=._~-]{8,})", "$1 ***"},
      {R"([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", "***"},
      {R"(\b(?:[0-9]{4}[ -]?){3}[0-9]{1,7}\b)", "***"},
  }};
  std::vector<RegexReplacement> masks;
  for (const auto& [pattern, replacement] : kMasks) {
    const auto regex = Regex::compile(pattern);
    if (!regex) continue;
    if (auto made = RegexReplacement::make(*regex, replacement)) masks.push_back(std::move(*made));
  }
  return masks;
}

class TextEditor final : public RowEditor {
 public:
  TextEditor(const TextPipe& pipe, const RowShape& shape) : pipe_(pipe), at_(pipe.at, shape) {
    if (pipe.kind == TextPipe::Kind::mask) masks_ = make_masks();
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = at_.read(rows, index);
    if (value.is_missing()) return;
    const std::string_view text = value_text(value, scratch_);
    if (pipe_.kind == TextPipe::Kind::split) {
      edits.set(pipe_.at, Value::of_list(edits.keep(json_list_of_parts(text, pipe_.separator))));
      return;
    }
    const std::string changed = changed_text(text);
    if (changed != text) edits.set(pipe_.at, edits.keep_text(changed));
  }

 private:
  std::string changed_text(std::string_view text) const {
    switch (pipe_.kind) {
      case TextPipe::Kind::decolorize:
        return decolorized(text);
      case TextPipe::Kind::collapse_nums:
        return with_collapsed_numbers(text);
      case TextPipe::Kind::hash:
        return hash_text(text);
      default:
        break;
    }
    std::string masked(text);
    for (const RegexReplacement& mask : masks_) {
      std::string next;
      mask.append(next, masked);
      masked = std::move(next);
    }
    return masked;
  }

  const TextPipe& pipe_;
  RowField at_;
  std::vector<RegexReplacement> masks_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_text_editor(const TextPipe& pipe, const RowShape& shape) {
  return std::make_unique<TextEditor>(pipe, shape);
}

}  // namespace dendro
