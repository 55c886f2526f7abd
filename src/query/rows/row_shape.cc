#include <algorithm>

#include "filter/field_name.h"
#include "query/rows/row_batch.h"

namespace dendro {
namespace {

bool matches_any(const std::vector<NamePattern>& names, std::string_view field) {
  return std::any_of(names.begin(), names.end(), [field](const NamePattern& name) { return name.matches(field); });
}

/// The first of the projections that still say something about a field.
std::size_t first_projection(const std::vector<RowShape::Made>& made, std::string_view field) {
  for (auto entry = made.rbegin(); entry != made.rend(); ++entry) {
    if (!entry->name.matches(field)) continue;
    // What is set by a prefix comes out of texts: never one of our own fields.
    if (!entry->name.is_prefix || !is_builtin_name(field)) return entry->projections_before;
  }
  return 0;
}

bool passes(const std::vector<FieldsPipe>& projections, std::size_t first, std::string_view field) {
  return std::all_of(
      projections.begin() + static_cast<std::ptrdiff_t>(first), projections.end(),
      [field](const FieldsPipe& projection) { return matches_any(projection.names, field) != projection.drops; });
}

}  // namespace

bool RowShape::is_visible(std::string_view field) const {
  if (is_table) return column_of(field) < columns.size();
  return passes(projections, first_projection(made, field), field);
}

bool RowShape::is_label_visible(std::string_view label) const {
  const bool is_made = std::any_of(made.begin(), made.end(), [label](const Made& entry) {
    return !entry.name.is_prefix && entry.name.name == label;
  });
  return passes(projections, is_made ? first_projection(made, label) : 0, label);
}

const FieldsPipe* RowShape::kept() const {
  for (auto projection = projections.rbegin(); projection != projections.rend(); ++projection) {
    if (!projection->drops) return &*projection;
  }
  return nullptr;
}

std::vector<NamePattern> RowShape::kept_names() const {
  const FieldsPipe* last = kept();
  if (last == nullptr) return {};
  std::vector<NamePattern> names;
  const auto add = [&](const NamePattern& name) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    if (name.is_prefix || is_visible(name.name)) names.push_back(name);
  };
  for (const NamePattern& name : last->names) add(name);
  const auto index = static_cast<std::size_t>(last - projections.data());
  for (const Made& entry : made) {
    if (entry.projections_before > index) add(entry.name);
  }
  return names;
}

std::size_t RowShape::column_of(std::string_view name) const {
  return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}

void RowShape::make(const NamePattern& name) {
  if (!is_table) {
    made.push_back({name, projections.size()});
  } else if (!name.is_prefix && !is_visible(name.name)) {
    columns.push_back(name.name);
  }
}

void RowShape::remove(const std::string& name) {
  if (is_table) {
    std::erase(columns, name);
  } else {
    projections.push_back(FieldsPipe{{{name, false}}, true});
  }
}

void RowShape::rename(const std::string& from, const std::string& to) {
  if (from == to) return;
  if (is_table) {
    if (!is_visible(from)) {
      make({to, false});
      return;
    }
    std::erase(columns, to);
    columns[column_of(from)] = to;
    return;
  }
  remove(from);
  for (auto projection = projections.rbegin(); projection != projections.rend(); ++projection) {
    if (projection->drops) continue;
    std::replace(projection->names.begin(), projection->names.end(), NamePattern{from, false}, NamePattern{to, false});
    break;
  }
  make({to, false});
}

}  // namespace dendro
