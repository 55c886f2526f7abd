#include "query/language/lexer.h"

#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "filter/predicate_text.h"
#include "filter/text_pattern.h"

namespace dendro {
namespace {

bool is_space_or_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7F;
}

std::optional<TokenKind> punctuation_kind(char c) {
  switch (c) {
    case '(':
      return TokenKind::open_round;
    case ')':
      return TokenKind::close_round;
    case '[':
      return TokenKind::open_square;
    case ']':
      return TokenKind::close_square;
    case '{':
      return TokenKind::open_curly;
    case '}':
      return TokenKind::close_curly;
    case ',':
      return TokenKind::comma;
    case '|':
      return TokenKind::bar;
    case ':':
      return TokenKind::colon;
    case '*':
      return TokenKind::star;
    case '=':
      return TokenKind::equal;
    case '~':
      return TokenKind::match;
    case '>':
      return TokenKind::greater;
    case '<':
      return TokenKind::less;
    case '!':
      return TokenKind::exclamation;
    default:
      return std::nullopt;
  }
}

/// `>=` and its like, from their first character.
std::optional<TokenKind> two_character_kind(TokenKind first, char second) {
  if (second == '~') return first == TokenKind::exclamation ? std::optional(TokenKind::not_match) : std::nullopt;
  if (second != '=') return std::nullopt;
  switch (first) {
    case TokenKind::greater:
      return TokenKind::greater_equal;
    case TokenKind::less:
      return TokenKind::less_equal;
    case TokenKind::exclamation:
      return TokenKind::not_equal;
    default:
      return std::nullopt;
  }
}

std::optional<std::uint32_t> parse_hex_digits(std::string_view digits) {
  std::uint32_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number, 16);
  return result.ec == std::errc() && result.ptr == end ? std::optional(number) : std::nullopt;
}

}  // namespace

std::size_t Lexer::skip_space(std::size_t offset) const {
  while (offset < query_.size()) {
    if (is_space_or_control(query_[offset])) {
      ++offset;
    } else if (query_[offset] == '#') {
      offset = query_.find('\n', offset);
      if (offset == std::string_view::npos) return query_.size();
    } else {
      break;
    }
  }
  return offset;
}

Token Lexer::lex(std::size_t offset, LexMode mode) const {
  Token token;
  token.offset = skip_space(offset);
  if (token.offset >= query_.size()) {
    token.offset = query_.size();
    return token;
  }
  const char c = query_[token.offset];
  if (c == '"' || c == '\'') return lex_quoted(token.offset);
  if (c == '`') return lex_raw(token.offset);
  if (mode == LexMode::expression && !punctuation_kind(c)) return lex_expression(token.offset);
  if (const auto kind = punctuation_kind(c)) {
    token.kind = *kind;
    token.size = 1;
    const char next = token.offset + 1 < query_.size() ? query_[token.offset + 1] : '\0';
    if (const auto longer = two_character_kind(*kind, next)) {
      token.kind = *longer;
      token.size = 2;
    }
    return token;
  }
  const auto is_part = [&](std::size_t at) {
    return at < query_.size() && (is_query_word_char(query_[at]) || (mode == LexMode::value && query_[at] == ':'));
  };
  if (mode == LexMode::plain && c == '-') {
    token.kind = TokenKind::minus;
    token.size = 1;
    return token;
  }
  std::size_t end = token.offset;
  while (is_part(end)) ++end;
  token.kind = mode == LexMode::plain && c == '$' ? TokenKind::saved : TokenKind::word;
  token.size = end - token.offset;
  token.text = query_.substr(token.offset, token.size);
  return token;
}

Token Lexer::lex_quoted(std::size_t offset) const {
  Token token;
  token.kind = TokenKind::string;
  token.offset = offset;
  const char quote = query_[offset];
  std::size_t at = offset + 1;
  while (at < query_.size() && query_[at] != quote) {
    if (query_[at] != '\\') {
      token.text.push_back(query_[at++]);
    } else if (at + 1 >= query_.size()) {
      break;
    } else if (!append_escape(at, token)) {
      return token;
    }
  }
  if (at >= query_.size() || query_[at] != quote) {
    token.kind = TokenKind::bad;
    token.size = query_.size() - offset;
    token.problem = "this string is never closed";
    std::string_view rest = query_.substr(offset);
    while (rest.size() > 1 && (is_space_or_control(rest.back()) || rest.back() == '\\')) rest.remove_suffix(1);
    token.repair = std::string(rest) + quote;
    return token;
  }
  token.size = at + 1 - offset;
  return token;
}

Token Lexer::lex_raw(std::size_t offset) const {
  Token token;
  token.offset = offset;
  const std::size_t last = query_.find('`', offset + 1);
  if (last == std::string_view::npos) {
    token.kind = TokenKind::bad;
    token.size = query_.size() - offset;
    token.problem = "this string is never closed";
    token.repair = std::string(query_.substr(offset)) + "`";
    return token;
  }
  token.kind = TokenKind::string;
  token.is_raw = true;
  token.size = last + 1 - offset;
  token.text = query_.substr(offset + 1, last - offset - 1);
  return token;
}

/// An operator, a number with what touches it, or an identifier. Bytes beyond ASCII are letters.
Token Lexer::lex_expression(std::size_t offset) const {
  Token token;
  token.offset = offset;
  token.size = 1;
  const char c = query_[offset];
  const std::size_t sign = std::string_view("-+/%").find(c);
  if (sign != std::string_view::npos) {
    static constexpr TokenKind kKinds[] = {TokenKind::minus, TokenKind::plus, TokenKind::slash, TokenKind::percent};
    token.kind = kKinds[sign];
    return token;
  }
  const bool is_number = c >= '0' && c <= '9';
  const bool is_hex = query_.substr(offset, 2) == "0x" || query_.substr(offset, 2) == "0X";
  const auto is_part = [&](std::size_t at) {
    const char part = query_[at];
    if (is_word_char(part) || part == '.' || static_cast<unsigned char>(part) >= 0x80) return true;
    if (!is_number) return part == '@';
    const bool is_exponent = query_[at - 1] == 'e' || query_[at - 1] == 'E';
    return (part == '-' || part == '+') && is_exponent && !is_hex;
  };
  std::size_t end = offset + 1;
  while (end < query_.size() && is_part(end)) ++end;
  token.size = end - offset;
  token.text = query_.substr(offset, token.size);
  token.kind = TokenKind::word;
  if (!is_number && !is_word_char(c) && c != '@' && static_cast<unsigned char>(c) < 0x80) {
    token.kind = TokenKind::bad;
    token.problem =
        "\"" + token.text + "\" has no meaning in an expression; a field with such a name stands in backticks";
  }
  return token;
}

/// Reads the escape at `at`, which stands before the end. On failure `token` is bad and names it.
bool Lexer::append_escape(std::size_t& at, Token& token) const {
  const char c = query_[at + 1];
  static constexpr std::string_view kNames = "\\\"'/ntr";
  static constexpr std::string_view kChars = "\\\"'/\n\t\r";
  if (const std::size_t index = kNames.find(c); index != std::string_view::npos) {
    token.text.push_back(kChars[index]);
    at += 2;
    return true;
  }
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 0;
  const auto number =
      digits > 0 && at + 2 + digits <= query_.size() ? parse_hex_digits(query_.substr(at + 2, digits)) : std::nullopt;
  const bool is_surrogate = number && *number >= 0xD800 && *number < 0xE000;
  if (number && !is_surrogate) {
    if (digits == 2) {
      token.text.push_back(static_cast<char>(*number));
    } else {
      append_utf8(token.text, *number);
    }
    at += 2 + digits;
    return true;
  }
  token.kind = TokenKind::bad;
  token.offset = at;
  token.size = std::min(query_.size() - at, std::size_t{2});
  while (at + token.size < query_.size() && (static_cast<unsigned char>(query_[at + token.size]) & 0xC0) == 0x80)
    ++token.size;
  token.problem = "unknown escape \"" + std::string(query_.substr(at, token.size)) +
                  R"("; known are \\ \" \' \/ \n \t \r \xHH \uHHHH)";
  return false;
}

}  // namespace dendro
