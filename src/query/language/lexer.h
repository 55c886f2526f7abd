#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

enum class TokenKind : std::uint8_t {
  end,
  word,
  string,
  minus,  ///< "-" at the start of what could have been a word
  open_round,
  close_round,
  open_square,
  close_square,
  open_curly,
  close_curly,
  comma,
  bar,
  colon,
  star,
  equal,
  not_equal,
  match,      ///< ~
  not_match,  ///< !~
  greater,
  greater_equal,
  less,
  less_equal,
  exclamation,
  plus,  ///< only in expressions, as the next two
  slash,
  percent,
  saved,  ///< `$name`
  bad,    ///< `problem` says what
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t offset = 0;  ///< bytes
  std::size_t size = 0;
  std::string text;  ///< of a word as written, of a string without quotes and escapes
  std::string problem;
  std::string repair;  ///< bad: text to put in its place, or empty

  std::size_t end() const { return offset + size; }
  /// A string between backticks: in an expression the name of a field.
  bool is_raw = false;
  bool is_text() const { return kind == TokenKind::word || kind == TokenKind::string; }
};

/// Where a token stands: behind a field's `:` or an operator a word may hold `:` and begin with `-` or `+` (3.2). In an
/// expression a word is a number or an identifier, and `+ - / %` are operators.
enum class LexMode : std::uint8_t { plain, value, expression };

/// Cuts a query into tokens on demand (query-language.md 3). Borrows the query. Stateless; thread-safe.
class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}
  /// The token at or after `offset`, white space and comments passed over.
  Token lex(std::size_t offset, LexMode mode) const;
  std::string_view query() const { return query_; }

 private:
  std::size_t skip_space(std::size_t offset) const;
  Token lex_quoted(std::size_t offset) const;
  Token lex_raw(std::size_t offset) const;
  Token lex_expression(std::size_t offset) const;
  bool append_escape(std::size_t& at, Token& token) const;
  std::string_view query_;
};

}  // namespace dendro
