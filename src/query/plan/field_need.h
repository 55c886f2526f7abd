#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "query/language/pipe_ast.h"

namespace dendro {

struct QueryPlan;

/// Which fields of records somebody will look at.
struct FieldNeed {
  bool is_all = true;
  std::vector<NamePattern> names;  ///< unless is_all

  void add(std::string_view name);
  void add(const NamePattern& name);
  void add(const Predicate& filter);
  void add(const Expression& expression);
  /// It gets its value anew whatever it was.
  void remove(std::string_view name);
};

/// What the steps of a plan from the one at `first_step` on, and the answer behind them, need of the rows that come to
/// that step. Labels of the resource are always there. Of tables: all.
FieldNeed fields_needed_from(const QueryPlan& plan, std::size_t first_step);

/// Gives each step the need behind it.
void assign_needs(QueryPlan& plan);

/// Names that a pipe reads in its expression, filter, pattern.
void add_names_read(const Expression& expression, std::vector<std::string>& names);

}  // namespace dendro
