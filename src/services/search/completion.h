#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/run/query_table.h"

namespace dendro {

/// `POST /api/v1/complete` (ui.md 11.4).
struct CompletionRequest {
  std::string query;
  std::size_t offset = 0;  ///< bytes; where the caret stands
  std::string start, end;  ///< as of a query
  Timestamp now;
};

struct CompletionItem {
  enum class Kind : std::uint8_t { field, value, operation, saved };
  std::string text;  ///< what to put in place of [first, last), quoted where it must be
  Kind kind = Kind::field;
  std::optional<std::uint64_t> count;  ///< records among those looked at that have it
};

struct Completion {
  std::size_t first = 0, last = 0;    ///< bytes of the query, half-open
  std::vector<CompletionItem> items;  ///< at most kItemsMax, the most frequent first, then by text
  static constexpr std::size_t kItemsMax = 50;
};

/// Names of saved filters that begin with a text.
using SavedNames = std::function<std::vector<std::string>(std::string_view prefix)>;

/// What could stand at the caret. Fields and values are those of the newest records of the range, looked at for at most
/// 40 ms. Errors: invalid_argument (a bad start or end), those of opening the input.
Result<Completion> complete_query(const CompletionRequest& request, const std::shared_ptr<QueryInput>& input,
                                  QueryRunOptions options, const Clock& clock, const SavedNames& saved_names);

}  // namespace dendro
