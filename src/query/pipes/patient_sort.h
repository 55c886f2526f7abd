#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "query/plan/query_context.h"

namespace dendro {

/// As std::sort, with a look at the caller about every millisecond. When the caller has left the rows are in any order,
/// or some are empty.
template <typename Row, typename Less>
void sort_patiently(std::vector<Row>& rows, const Less& less, QueryContext& context) {
  constexpr std::size_t kPieceRows = 8'192;
  const auto place = [&rows](std::size_t index) {
    return rows.begin() + static_cast<std::ptrdiff_t>(std::min(index, rows.size()));
  };
  for (std::size_t from = 0; from < rows.size() && !context.is_cancelled(); from += kPieceRows)
    std::sort(place(from), place(from + kPieceRows), less);
  std::vector<Row> merged;
  for (std::size_t width = kPieceRows; width < rows.size() && !context.is_cancelled(); width *= 2) {
    merged.clear();
    merged.reserve(rows.size());
    for (std::size_t from = 0; from < rows.size() && !context.is_cancelled(); from += 2 * width) {
      std::merge(std::move_iterator(place(from)), std::move_iterator(place(from + width)),
                 std::move_iterator(place(from + width)), std::move_iterator(place(from + 2 * width)),
                 std::back_inserter(merged), less);
    }
    if (merged.size() == rows.size()) rows.swap(merged);
  }
}

}  // namespace dendro
