#include "services/privacy/token_text.h"

#include <algorithm>
#include <map>

#include "base/json_writer.h"
#include "services/audit/compact_json.h"
#include "services/privacy/value_sealer.h"

namespace dendro {
namespace {

using ValueMap = std::map<std::string, std::string, std::less<>>;

/// Calls `visit(first, token)` for each token.
template <typename Visit>
void for_each_token(std::string_view text, Visit&& visit) {
  for (std::size_t at = text.find(kTokenPrefix); at != std::string_view::npos; at = text.find(kTokenPrefix, at)) {
    const auto token = token_in_text(text, at);
    visit(at, *token);
    at += token->size();
  }
}

std::string replaced_text(std::string_view text, const ValueMap& values) {
  std::string out;
  std::size_t copied = 0;
  for_each_token(text, [&](std::size_t first, std::string_view token) {
    const auto value = values.find(token);
    if (value == values.end()) return;
    out.append(text.substr(copied, first - copied)).append(value->second);
    copied = first + token.size();
  });
  return out.append(text.substr(copied));
}

std::string replaced_json(std::string_view json, const ValueMap& values, bool holds_raw) {
  std::string out;
  std::size_t copied = 0;
  JsonTokens tokens(json);
  std::string key;
  for (JsonToken token = tokens.next(); token.kind != JsonToken::Kind::end; token = tokens.next()) {
    const bool is_key = token.kind == JsonToken::Kind::key;
    if (!is_key && token.kind != JsonToken::Kind::text) continue;
    const std::string text = json_token_text(token.text);
    const bool is_raw = holds_raw && !is_key && tokens.depth() == 1 && key == "raw";
    if (is_key) key = text;
    if (text.find(kTokenPrefix) == std::string::npos) continue;
    const auto first = static_cast<std::size_t>(token.text.data() - json.data());
    out.append(json.substr(copied, first - copied));
    append_json_string(out, is_raw ? replaced_json(text, values, false) : replaced_text(text, values));
    copied = first + token.text.size();
  }
  return out.append(json.substr(copied));
}

}  // namespace

std::vector<std::string> tokens_in(std::string_view text) {
  std::vector<std::string> tokens;
  for_each_token(text, [&tokens](std::size_t, std::string_view token) {
    if (std::ranges::find(tokens, token) == tokens.end()) tokens.emplace_back(token);
  });
  return tokens;
}

std::string with_values(std::string_view json, const OpenTokens& open) {
  const std::vector<std::string> tokens = tokens_in(json);
  const auto opened = open(tokens);
  ValueMap values;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (opened[i]) values.emplace(tokens[i], *opened[i]);
  }
  return replaced_json(json, values, true);
}

}  // namespace dendro
