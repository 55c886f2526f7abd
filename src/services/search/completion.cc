#include "services/search/completion.h"

#include <algorithm>
#include <span>

#include "filter/predicate_text.h"
#include "query/language/completion_place.h"
#include "query/language/language_words.h"
#include "record/fold.h"

namespace dendro {
namespace {

constexpr std::chrono::milliseconds kCompletionTime{40};
/// Enough to know the common names and values, few enough to be read within the time.
constexpr std::uint64_t kRecordsLookedAt = 2'000;

bool begins_folded(std::string_view text, const std::string& folded_prefix) {
  return std::string_view(folded(text)).starts_with(folded_prefix);
}

class Completer {
 public:
  Completer(const CompletionRequest& request, const std::shared_ptr<QueryInput>& input, QueryRunOptions options,
            const Clock& clock)
      : request_(request),
        place_(find_completion_place(request.query, request.offset)),
        prefix_(folded(place_.prefix)),
        input_(input),
        options_(std::move(options)),
        clock_(clock) {}

  Result<Completion> run(const SavedNames& saved_names) {
    Completion found;
    found.first = place_.first;
    found.last = place_.last;
    switch (place_.kind) {
      case CompletionKind::pipe:
        add_words(found, all_pipe_words());
        break;
      case CompletionKind::stat_function:
        add_words(found, all_stat_words());
        break;
      case CompletionKind::value:
        DENDRO_TRY(add_values(found));
        break;
      case CompletionKind::field:
        DENDRO_TRY(add_fields(found, ""));
        break;
      case CompletionKind::saved:
        for (const std::string& name : saved_names(place_.prefix)) {
          found.items.push_back({"$" + name, CompletionItem::Kind::saved, std::nullopt});
        }
        break;
      case CompletionKind::filter:
        DENDRO_TRY(add_fields(found, ":"));
        if (!prefix_.empty()) add_words(found, kJoiningWords);
        break;
    }
    if (found.items.size() > Completion::kItemsMax) found.items.resize(Completion::kItemsMax);
    return found;
  }

 private:
  static constexpr std::string_view kJoiningWords[] = {"and", "or", "not"};

  void add_words(Completion& found, std::span<const std::string_view> words) const {
    const std::size_t before = found.items.size();
    for (const std::string_view word : words) {
      if (begins_folded(word, prefix_)) found.items.push_back({std::string(word), CompletionItem::Kind::operation, {}});
    }
    std::sort(found.items.begin() + static_cast<std::ptrdiff_t>(before), found.items.end(),
              [](const CompletionItem& a, const CompletionItem& b) { return a.text < b.text; });
  }

  Result<QueryTable> ask(const std::string& pipes) {
    QueryRequest query;
    query.query = "* | limit " + std::to_string(kRecordsLookedAt) + pipes;
    query.start = request_.start;
    query.end = request_.end;
    query.now = request_.now;
    query.limit = 0;
    query.timeout = kCompletionTime;
    QueryFault fault;
    DENDRO_TRY_ASSIGN(const PreparedQuery prepared, prepare_query(query, fault));
    return run_to_table(prepared, input_, options_, clock_);
  }

  /// Columns: the name, and how many records have it.
  Status add_fields(Completion& found, std::string_view behind) {
    DENDRO_TRY_ASSIGN(const QueryTable table, ask(" | field_names"));
    for (const std::vector<Cell>& row : table.rows) {
      const std::string name(row[0].value().text);
      if (!begins_folded(name, prefix_)) continue;
      CompletionItem item;
      append_query_name(item.text, name);
      item.text += behind;
      item.count = static_cast<std::uint64_t>(row[1].value().integer);
      found.items.push_back(std::move(item));
    }
    sort_by_count(found);
    return {};
  }

  Status add_values(Completion& found) {
    std::string pipes = " | field_values ";
    append_query_name(pipes, place_.field);
    DENDRO_TRY_ASSIGN(const QueryTable table, ask(pipes));
    std::string scratch;
    for (const std::vector<Cell>& row : table.rows) {
      const std::string value(value_text(row[0].value(), scratch));
      if (value.empty() || !begins_folded(value, prefix_)) continue;
      CompletionItem item;
      item.kind = CompletionItem::Kind::value;
      append_query_text(item.text, value);
      item.count = static_cast<std::uint64_t>(row[1].value().integer);
      found.items.push_back(std::move(item));
    }
    sort_by_count(found);
    return {};
  }

  static void sort_by_count(Completion& found) {
    std::sort(found.items.begin(), found.items.end(), [](const CompletionItem& a, const CompletionItem& b) {
      return a.count != b.count ? a.count > b.count : a.text < b.text;
    });
  }

  const CompletionRequest& request_;
  const CompletionPlace place_;
  const std::string prefix_;  ///< folded
  const std::shared_ptr<QueryInput> input_;
  const QueryRunOptions options_;
  const Clock& clock_;
};

}  // namespace

Result<Completion> complete_query(const CompletionRequest& request, const std::shared_ptr<QueryInput>& input,
                                  QueryRunOptions options, const Clock& clock, const SavedNames& saved_names) {
  return Completer(request, input, std::move(options), clock).run(saved_names);
}

}  // namespace dendro
