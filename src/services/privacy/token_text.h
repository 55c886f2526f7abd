#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

/// Values of the tokens of a list, in its order; nothing for one that cannot be read.
using OpenTokens = std::function<std::vector<std::optional<std::string>>(const std::vector<std::string>& tokens)>;

/// The tokens that stand in a text, each once, as they come.
std::vector<std::string> tokens_in(std::string_view text);
/// A checked JSON text with tokens inside its strings replaced by their values; the member `raw` of the outermost
/// object is JSON in a string, and stays that. Tokens that cannot be read stay.
std::string with_values(std::string_view json, const OpenTokens& open);

}  // namespace dendro
