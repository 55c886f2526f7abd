#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "record/value.h"

namespace dendro {

/// Calls `visit(value)` for each scalar element of the compact JSON array `json`, until it returns false. null
/// elements, lists and objects inside are passed over. Values live until `visit` returns. Stops at malformed text (a
/// checked list has none).
void for_each_list_scalar(std::string_view json, const std::function<bool(const Value&)>& visit);
/// The same of every element: null as null, lists and objects inside as JSON text of type `list`.
void for_each_list_element(std::string_view json, const std::function<bool(const Value&)>& visit);
/// True if the list holds an element that is not null and not "" (query-language.md 2.3, `f:*`).
bool list_has_content(std::string_view json);

}  // namespace dendro
