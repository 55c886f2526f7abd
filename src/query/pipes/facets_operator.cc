#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include "query/pipes/operator.h"
#include "query/rows/record_fields.h"
#include "query/rows/value_order.h"

namespace dendro {
namespace {

/// A field with more distinct values than this names records rather than groups them: it is left out, with a warning.
constexpr std::size_t kFacetValuesMax = 10'000;

/// `facets`: of each field its most frequent values; fields by name, values by hits, then by value. Times and ids are
/// no facets.
class FacetsOperator final : public Operator {
 public:
  FacetsOperator(OperatorPtr input, std::uint64_t count, const RowShape& shape, QueryContext& context)
      : input_(std::move(input)), count_(count), shape_(shape), fields_(shape), context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && take(*rows)) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    RowBatch out;
    for (const auto& [name, facet] : facets_) append_facet(out, name, facet);
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  struct Entry {
    Cell value;
    std::uint64_t hits = 0;
  };
  struct Facet {
    std::unordered_map<std::string, Entry> entries;  ///< by text; equal texts are one value
    std::uint64_t bytes = 0;
    bool is_left_out = false;
  };

  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (shape_.is_table) {
        for (std::size_t column = 0; column < shape_.columns.size(); ++column)
          add(shape_.columns[column], rows.table[i][column].value(), 1);
      } else {
        const std::uint64_t weight = rows.records[i].weight;
        fields_.visit(rows, i, [&](std::string_view name, const Value& value) { add(name, value, weight); });
      }
      if (context_.is_stopped()) return false;
    }
    return true;
  }

  void add(std::string_view name, const Value& value, std::uint64_t weight) {
    if (value.is_missing() || name == "_id" || name == "_time" || name == "_observed") return;
    auto known = facets_.find(name);
    if (known == facets_.end()) {
      known = facets_.emplace(name, Facet()).first;
      context_.charge(name.size() + sizeof(Facet) + 64);
    }
    Facet& facet = known->second;
    if (facet.is_left_out) return;
    Entry& entry = facet.entries[std::string(value_text(value, scratch_))];
    if (entry.hits == 0) {
      entry.value = Cell(value);
      const std::uint64_t bytes = 2 * entry.value.bytes() + 96;
      facet.bytes += bytes;
      context_.charge(bytes);
    }
    entry.hits += weight;
    if (facet.entries.size() > kFacetValuesMax) leave_out(name, facet);
  }

  void leave_out(std::string_view name, Facet& facet) {
    facet.is_left_out = true;
    facet.entries.clear();
    context_.release(facet.bytes);
    context_.warn_once({"facets_limit",
                        "\"" + std::string(name) + "\" has more than " + std::to_string(kFacetValuesMax) +
                            " distinct values and is left out; use top by (..)",
                        0, 0});
  }

  void append_facet(RowBatch& out, const std::string& name, const Facet& facet) const {
    struct Row {
      SortValue key;
      const Entry* entry;
    };
    std::vector<Row> rows;
    for (const auto& [text, entry] : facet.entries)
      rows.push_back({SortValue(entry.value.value(), order_rule_of(name)), &entry});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      if (a.entry->hits != b.entry->hits) return a.entry->hits > b.entry->hits;
      return (a.key <=> b.key) < 0;
    });
    for (std::size_t i = 0; i < rows.size() && i < count_; ++i) {
      out.table.push_back(
          {Cell(value_of_string(name)), rows[i].entry->value, Cell(Number::of_uint64(rows[i].entry->hits).to_value())});
    }
  }

  OperatorPtr input_;
  const std::uint64_t count_;
  const RowShape shape_;
  RecordFields fields_;
  QueryContext& context_;
  std::map<std::string, Facet, std::less<>> facets_;
  std::string scratch_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_facets_operator(OperatorPtr input, std::uint64_t count, const RowShape& shape, QueryContext& context) {
  return std::make_unique<FacetsOperator>(std::move(input), count, shape, context);
}

}  // namespace dendro
