#include <string>

#include "query/unpack/text_fields.h"

namespace dendro {

bool read_csv_cells(std::string_view text, std::vector<std::string>& cells) {
  cells.clear();
  std::size_t at = 0;
  for (;;) {
    std::string cell;
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size(); ++at) {
        if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) break;
        if (text[at] == '"') ++at;
        cell.push_back(text[at]);
      }
      if (at >= text.size()) return false;  // never closed
      ++at;
      if (at < text.size() && text[at] != ',') return false;
    } else {
      const std::size_t end = std::min(text.find(',', at), text.size());
      cell = text.substr(at, end - at);
      at = end;
    }
    cells.push_back(std::move(cell));
    if (at >= text.size()) return true;
    ++at;
  }
}

}  // namespace dendro
