#include "query/language/completion_place.h"

#include <algorithm>
#include <array>
#include <vector>

#include "filter/predicate_text.h"
#include "query/language/language_words.h"

namespace dendro {
namespace {

struct Piece {
  enum class Kind : std::uint8_t { word, quoted, sign };
  Kind kind = Kind::sign;
  std::size_t first = 0, last = 0;
  std::string text;      ///< without quotes and escapes
  bool is_open = false;  ///< quoted: the closing quote is missing
  bool is_sign(char c) const { return kind == Kind::sign && text[0] == c; }
  bool is_name() const { return kind != Kind::sign; }
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Piece read_quoted(std::string_view text, std::size_t first) {
  Piece piece{Piece::Kind::quoted, first, first + 1, {}, true};
  while (piece.last < text.size()) {
    const char c = text[piece.last++];
    if (c == text[first]) {
      piece.is_open = false;
      break;
    }
    if (c == '\\' && text[first] != '`' && piece.last < text.size()) {
      piece.text.push_back(text[piece.last++]);
    } else {
      piece.text.push_back(c);
    }
  }
  return piece;
}

std::vector<Piece> read_pieces(std::string_view text) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      ++at;
    } else if (text[at] == '"' || text[at] == '\'' || text[at] == '`') {
      pieces.push_back(read_quoted(text, at));
      at = pieces.back().last;
    } else if (is_query_word_char(text[at])) {
      std::size_t end = at;
      while (end < text.size() && is_query_word_char(text[end])) ++end;
      pieces.push_back({Piece::Kind::word, at, end, std::string(text.substr(at, end - at)), false});
      at = end;
    } else {
      pieces.push_back({Piece::Kind::sign, at, at + 1, std::string(1, text[at]), false});
      ++at;
    }
  }
  return pieces;
}

/// Pipes whose arguments are statistics.
constexpr std::array<std::string_view, 5> kStatPipes = {"stats", "eventstats", "streamstats", "timechart", "count"};
constexpr std::string_view kComparisonSigns = "=!<>~*";

/// Looks at the pieces before the caret's word.
class PlaceFinder {
 public:
  explicit PlaceFinder(const std::vector<Piece>& before) : pieces_(before) {}

  CompletionKind kind(std::string& field) const {
    if (const Piece* name = field_of_value()) {
      field = name->text;
      return CompletionKind::value;
    }
    const std::size_t bar = last_bar();
    if (bar == pieces_.size()) return CompletionKind::filter;
    if (bar + 1 == pieces_.size()) return CompletionKind::pipe;
    const std::string word = fold_keyword(pieces_[bar + 1].text);
    if (word == "where" || word == "filter") return CompletionKind::filter;
    if (std::find(kStatPipes.begin(), kStatPipes.end(), word) != kStatPipes.end()) return in_stats(bar + 1);
    return CompletionKind::field;
  }

 private:
  /// Index of the last `|`; the count of pieces where there is none.
  std::size_t last_bar() const {
    for (std::size_t i = pieces_.size(); i > 0; --i) {
      if (pieces_[i - 1].is_sign('|')) return i - 1;
    }
    return pieces_.size();
  }

  /// The name in `name:`, `name:=`, `name:in(a, `; null elsewhere.
  const Piece* field_of_value() const {
    std::size_t at = pieces_.size();
    // Back over the values of a list, to what stands before its bracket.
    std::size_t list = at;
    while (list > 0 && (pieces_[list - 1].is_name() || pieces_[list - 1].is_sign(','))) --list;
    if (list > 1 && pieces_[list - 1].is_sign('(') && fold_keyword(pieces_[list - 2].text) == "in") at = list - 2;
    while (at > 0 && pieces_[at - 1].kind == Piece::Kind::sign &&
           kComparisonSigns.find(pieces_[at - 1].text[0]) != std::string_view::npos) {
      --at;
    }
    if (at < 2 || !pieces_[at - 1].is_sign(':') || !pieces_[at - 2].is_name()) return nullptr;
    return &pieces_[at - 2];
  }

  CompletionKind in_stats(std::size_t word) const {
    int depth = 0;
    for (std::size_t i = word + 1; i < pieces_.size(); ++i) {
      depth += pieces_[i].is_sign('(') ? 1 : pieces_[i].is_sign(')') ? -1 : 0;
    }
    if (depth > 0) return CompletionKind::field;
    const Piece& before = pieces_.back();
    const bool begins = pieces_.size() == word + 1 || before.is_sign(',') || before.is_sign(')');
    return begins ? CompletionKind::stat_function : CompletionKind::field;
  }

  const std::vector<Piece>& pieces_;
};

}  // namespace

CompletionPlace find_completion_place(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  std::vector<Piece> pieces = read_pieces(text.substr(0, offset));
  CompletionPlace place;
  place.first = place.last = offset;
  if (!pieces.empty() && pieces.back().is_name() && pieces.back().last == offset &&
      (pieces.back().kind == Piece::Kind::word || pieces.back().is_open)) {
    const Piece& own = pieces.back();
    place.first = own.first;
    place.prefix = own.text;
    if (own.kind == Piece::Kind::word) {
      while (place.last < text.size() && is_query_word_char(text[place.last])) ++place.last;
    } else {
      place.last = read_quoted(text, own.first).last;  // up to its own closing quote, if it has one
      if (read_quoted(text, own.first).is_open) place.last = offset;
    }
    const bool is_saved = own.kind == Piece::Kind::word && own.text.starts_with('$');
    pieces.pop_back();
    if (is_saved) {
      place.prefix.erase(0, 1);
      place.kind = CompletionKind::saved;
      return place;
    }
  }
  place.kind = PlaceFinder(pieces).kind(place.field);
  return place;
}

}  // namespace dendro
