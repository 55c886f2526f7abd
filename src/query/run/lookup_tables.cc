#include "query/plan/lookup_tables.h"

#include <algorithm>
#include <map>

#include "filter/number.h"
#include "io/file_system.h"
#include "parse/json_paths.h"
#include "parse/json_reader.h"
#include "query/rows/subquery_rows.h"
#include "query/unpack/text_fields.h"
#include "record/limits.h"

namespace dendro {
namespace {

using LookupTable = std::shared_ptr<const SubqueryRows>;

Error bad_table(std::string_view name, std::size_t line, const std::string& what) {
  return Error(ErrorCode::invalid_argument,
               "table \"" + std::string(name) + "\", line " + std::to_string(line) + ": " + what);
}

/// Rows as they are read, all as wide as the columns at the end.
class TableBuilder {
 public:
  explicit TableBuilder(std::string_view name) : name_(name) { table_->shape.is_table = true; }

  Status add_column(std::string_view column, std::size_t line) {
    if (column.empty()) return bad_table(name_, line, "a column has no name");
    if (column.size() > kMaxFieldNameBytes) return bad_table(name_, line, "the name of a column is too long");
    if (table_->shape.is_visible(column)) return bad_table(name_, line, "two columns \"" + std::string(column) + "\"");
    if (table_->shape.columns.size() >= kMaxLookupColumns)
      return bad_table(name_, line, "more than " + std::to_string(kMaxLookupColumns) + " columns");
    places_.emplace(std::string(column), table_->shape.columns.size());
    table_->shape.columns.emplace_back(column);
    return {};
  }
  Status begin_row(std::size_t line) {
    if (table_->rows.table.size() >= kMaxLookupRows) {
      return Error(ErrorCode::too_large, "table \"" + std::string(name_) + "\", line " + std::to_string(line) +
                                             ": more than " + std::to_string(kMaxLookupRows) + " rows");
    }
    table_->rows.table.emplace_back(table_->shape.columns.size());
    return {};
  }
  Status set(std::string_view column, const Value& value, std::size_t line) {
    auto place = places_.find(column);
    if (place == places_.end()) {
      DENDRO_TRY(add_column(column, line));
      place = places_.find(column);
    }
    set_at(place->second, value);
    return {};
  }
  void set_at(std::size_t column, const Value& value) {
    TableRow& row = table_->rows.table.back();
    if (row.size() <= column) row.resize(column + 1);
    row[column] = Cell(value);
  }
  std::size_t columns() const { return table_->shape.columns.size(); }
  LookupTable finish() {
    for (TableRow& row : table_->rows.table) row.resize(table_->shape.columns.size());
    return std::move(table_);
  }

 private:
  const std::string_view name_;
  std::shared_ptr<SubqueryRows> table_ = std::make_shared<SubqueryRows>();
  std::map<std::string, std::size_t, std::less<>> places_;
};

/// The next line, or several where a quoted cell goes on. Takes it from `text`.
std::string_view take_csv_line(std::string_view& text, std::size_t& line) {
  bool is_quoted = false;
  std::size_t end = 0;
  ++line;
  for (; end < text.size() && (is_quoted || text[end] != '\n'); ++end) {
    if (text[end] == '"') is_quoted = !is_quoted;
    if (text[end] == '\n') ++line;
  }
  std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (taken.ends_with('\r')) taken.remove_suffix(1);
  return taken;
}

/// A decimal number is one; others, and what begins with 0 as postal codes do, are text.
Value csv_value(std::string_view cell) {
  const bool looks_numeric = !cell.empty() && cell.find_first_not_of("0123456789.-") == std::string_view::npos &&
                             (cell == "0" || !cell.starts_with('0') || cell.starts_with("0."));
  const auto number = looks_numeric ? parse_number(cell) : std::nullopt;
  if (!number) return value_of_string(cell);
  return value_of_numeral(cell);
}

Result<LookupTable> parse_csv_table(std::string_view name, std::string_view text) {
  TableBuilder table(name);
  std::vector<std::string> cells;
  std::size_t line = 0;
  bool has_head = false;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::string_view row = take_csv_line(text, line);
    if (row.empty()) continue;
    if (!read_csv_cells(row, cells)) return bad_table(name, line, "a quotation mark is out of place");
    if (!has_head) {
      for (const std::string& cell : cells) DENDRO_TRY(table.add_column(cell, line));
      has_head = true;
      continue;
    }
    if (cells.size() > table.columns())
      return bad_table(name, line,
                       std::to_string(cells.size()) + " cells, but " + std::to_string(table.columns()) + " columns");
    DENDRO_TRY(table.begin_row(line));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].empty()) table.set_at(i, csv_value(cells[i]));
    }
  }
  return table.finish();
}

Status add_object(TableBuilder& table, const JsonReader& json, std::size_t line) {
  DENDRO_TRY(table.begin_row(line));
  Status set;
  for_each_json_path(json, [&](const std::string& path, const Value& value) {
    set = table.set(path, value, line);
    return set.has_value();
  });
  return set;
}

Result<LookupTable> parse_ndjson_table(std::string_view name, std::string_view text) {
  TableBuilder table(name);
  JsonReader json(kMaxRecordDepth);
  std::size_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (row.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const JsonRead read = json.read(row, 0);
    const bool is_whole =
        read.kind == JsonRead::Kind::object && row.find_first_not_of(" \t\r", read.end) == std::string_view::npos;
    if (!is_whole) return bad_table(name, line, "not a JSON object");
    DENDRO_TRY(add_object(table, json, line));
  }
  return table.finish();
}

class FileLookupTables final : public LookupTables {
 public:
  FileLookupTables(FileSystem& files, std::string folder, bool takes_paths)
      : files_(files), folder_(std::move(folder)), takes_paths_(takes_paths) {}

  Result<LookupTable> find(std::string_view name) const override {
    const bool is_plain = name.find('/') == std::string_view::npos && name.find('\\') == std::string_view::npos &&
                          name.find('\0') == std::string_view::npos && !name.starts_with('.');
    if (!takes_paths_ && !is_plain) {
      return Error(ErrorCode::invalid_argument, "\"" + std::string(name) +
                                                    "\" is no name of a table: a file of the "
                                                    "server's folder, without \"/\" and not beginning with \".\"");
    }
    const std::string path = takes_paths_ ? std::string(name) : folder_ + "/" + std::string(name);
    auto text = read_whole_file(files_, path, kMaxLookupBytes);
    if (!text) {
      // A server does not tell where its folder is.
      if (!takes_paths_ && text.error().code() == ErrorCode::not_found)
        return Error(ErrorCode::not_found, "there is no table \"" + std::string(name) + "\"");
      return takes_paths_
                 ? text.error()
                 : Error(text.error().code(), "the table \"" + std::string(name) + "\" cannot be read; at most " +
                                                  std::to_string(kMaxLookupBytes >> 20) + " MiB");
    }
    return parse_lookup_table(name, *text);
  }

 private:
  FileSystem& files_;
  const std::string folder_;
  const bool takes_paths_;
};

}  // namespace

Result<LookupTable> parse_lookup_table(std::string_view name, std::string_view text) {
  return name.ends_with(".csv") ? parse_csv_table(name, text) : parse_ndjson_table(name, text);
}

std::shared_ptr<const LookupTables> make_path_lookup_tables(FileSystem& files) {
  return std::make_shared<FileLookupTables>(files, "", true);
}
std::shared_ptr<const LookupTables> make_folder_lookup_tables(FileSystem& files, std::string folder) {
  return std::make_shared<FileLookupTables>(files, std::move(folder), false);
}

}  // namespace dendro
