#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

/// One part of a JSON text.
struct JsonToken {
  enum class Kind : std::uint8_t {
    open,   ///< `{` or `[`
    close,  ///< `}` or `]`
    key,    ///< a member's name, in its quotes
    text,   ///< a string, in its quotes
    plain,  ///< a number, true, false or null
    end,    ///< nothing is left
  };
  Kind kind = Kind::end;
  std::string_view text;  ///< as it stands there; borrowed
};

/// Cuts a JSON text that JsonReader has checked into its parts, however deep, without recursion. Not thread-safe.
class JsonTokens {
 public:
  explicit JsonTokens(std::string_view json) : text_(json) {}
  JsonToken next();
  /// The value that comes next, whole; empty where the container ends instead, whose bracket is then taken.
  std::string_view take_value();
  /// Containers that are open.
  std::size_t depth() const { return brackets_.size(); }

 private:
  JsonToken take(JsonToken::Kind kind, std::size_t bytes);

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<char> brackets_;
  bool wants_key_ = false;  // an object's member begins here
};

/// The characters of a key or string token. Half a surrogate pair becomes U+FFFD.
std::string json_token_text(std::string_view quoted);

/// Calls `visit(text) -> bool` for each string, number and truth value of a checked JSON text, wherever it stands but
/// for names of members, until it returns false.
void for_each_json_scalar(std::string_view json, const std::function<bool(std::string_view text)>& visit);
/// The same of the member of that name of a checked JSON object: its value, or the elements of a list.
void for_each_member_scalar(std::string_view json, std::string_view name,
                            const std::function<bool(std::string_view text)>& visit);

/// A checked JSON text with the values of secret members (five-systems.md 4.2, 4.10: any depth, any case) as `"***"`,
/// without white space, escapes only where JSON wants them.
std::string masked_json(std::string_view json);
/// True of password, passwd, secret, token, authorization, api_key, cookie in any ASCII case.
bool is_masked_name(std::string_view name);

}  // namespace dendro
