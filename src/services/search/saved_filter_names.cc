#include "services/search/saved_filter_names.h"

#include <algorithm>

#include "filter/predicate_text.h"

namespace dendro {
namespace {

class SavedQueryFilters final : public SavedFilters {
 public:
  SavedQueryFilters(const SavedQueries& saved, const TenantId& tenant) : saved_(saved), tenant_(tenant) {}

  std::optional<std::string> find(std::string_view name) const override {
    const auto found = saved_.find(tenant_, name);
    // A database that cannot be read knows no names; the query says so of this one.
    if (!found || !found->has_value()) return std::nullopt;
    return (*found)->query;
  }

 private:
  const SavedQueries& saved_;
  const TenantId tenant_;
};

bool is_one_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_query_word_char);
}

}  // namespace

std::shared_ptr<const SavedFilters> make_saved_filters(const SavedQueries& saved, const TenantId& tenant) {
  return std::make_shared<const SavedQueryFilters>(saved, tenant);
}

std::vector<std::string> saved_filter_names(const SavedQueries& saved, const TenantId& tenant,
                                            std::string_view prefix) {
  std::vector<std::string> names;
  const auto all = saved.list(tenant);
  if (!all) return names;
  for (const SavedQuery& query : *all) {
    if (query.name.starts_with(prefix) && is_one_word(query.name)) names.push_back(query.name);
  }
  return names;
}

}  // namespace dendro
