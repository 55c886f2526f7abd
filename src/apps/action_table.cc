#include "apps/action_table.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/text_table.h"
#include "base/json_document.h"

namespace dendro {
namespace {

bool has_word(std::string_view words, std::string_view word) {
  return (" " + std::string(words) + " ").find(" " + std::string(word) + " ") != std::string::npos;
}

/// A value in a cell: lists joined by commas, objects in them as "tenant=role+role".
std::string cell_text(const JsonValue& value, std::string_view separator) {
  if (const auto text = value.as_string()) return text->empty() ? "-" : std::string(*text);
  std::string joined;
  for (const JsonValue& element : value.elements()) {
    joined += (joined.empty() ? "" : std::string(separator)) + cell_text(element, "+");
  }
  for (const auto& [name, member] : value.members()) joined += (joined.empty() ? "" : "=") + cell_text(member, "+");
  if (const auto truth = value.as_bool()) return *truth ? "yes" : "no";
  if (const auto number = value.as_int()) return std::to_string(*number);
  return joined.empty() ? "-" : joined;
}

}  // namespace

void add_action_options(CLI::App& app, ActionWords& words, std::span<const ActionRow> actions) {
  std::string text = "what to do:";
  for (const ActionRow& row : actions) {
    text += "\n" + std::string(row.name) + (row.takes.empty() ? "" : " " + std::string(row.takes)) + ": " +
            std::string(row.summary);
  }
  app.add_option("ACTION", words.action, text);
  app.add_option("NAME", words.name, "what it is done to");
}

std::string action_fault(const CLI::App& app, const ActionWords& words, std::span<const ActionRow> actions,
                         std::string_view shared_options) {
  const auto found = std::ranges::find(actions, words.action, &ActionRow::name);
  if (words.action.empty()) return "say what to do; --help lists it";
  if (found == actions.end()) return "unknown action '" + words.action + "'; --help lists them";
  const std::string action(found->name);
  if (found->takes.empty() && !words.name.empty()) return action + " takes no word behind it";
  if (!found->takes.empty() && words.name.empty()) return action + ": name the " + std::string(found->takes);
  for (const CLI::Option* const option : app.get_options()) {
    if (option->get_lnames().empty() || option->count() == 0) continue;
    const std::string& name = option->get_lnames().front();
    if (!has_word(found->options, name) && !has_word(shared_options, name)) return action + " takes no --" + name;
  }
  return {};
}

void print_items(CommandIo& io, const std::string& format, const std::string& json_array,
                 std::span<const std::string_view> columns, std::string_view nothing) {
  if (format == "json") {
    std::fprintf(io.out, "%s\n", json_array.c_str());
    return;
  }
  const Result<JsonValue> items = parse_json_document(json_array);
  if (items->elements().empty()) {
    std::fprintf(io.out, "%s\n", std::string(nothing).c_str());
    return;
  }
  TextTable table(std::vector<std::string>(columns.begin(), columns.end()), TextTable::Align::words);
  for (const JsonValue& item : items->elements()) {
    std::vector<std::string> row;
    for (const std::string_view column : columns) {
      const JsonValue* const value = item.find(column);
      row.push_back(value == nullptr ? "-" : cell_text(*value, ","));
    }
    table.add(std::move(row));
  }
  std::fprintf(io.out, "%s", table.text(0).c_str());
}

}  // namespace dendro
