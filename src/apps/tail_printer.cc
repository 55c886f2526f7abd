#include "apps/tail_printer.h"

#include <utility>

#include "apps/text_table.h"
#include "base/json_document.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

std::string event_text(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  if (member == nullptr) return {};
  if (const auto text = member->as_string()) return std::string(*text);
  if (const auto number = member->as_int()) return std::to_string(*number);
  return {};
}

/// A value of a table as one line without control characters.
std::string cell_text(const JsonValue* value) {
  if (value == nullptr || value->is_null()) return "-";
  std::string text;
  if (const auto own = value->as_string()) {
    text = *own;
  } else {
    append_json(text, *value);
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

/// The array behind `"rows":` of a frame, which our server writes last but for numbers.
std::string_view rows_of(std::string_view data) {
  constexpr std::string_view kRowsKey = "\"rows\":[";
  const std::size_t key = data.find(kRowsKey);
  return key == std::string_view::npos ? std::string_view() : data.substr(key + kRowsKey.size() - 1);
}

}  // namespace

std::vector<ServerEvent> EventReader::feed(std::string_view bytes) {
  pending_.append(bytes);
  std::vector<ServerEvent> events;
  std::size_t first = 0;
  for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', first)) {
    std::string_view line = std::string_view(pending_).substr(first, end - first);
    if (line.ends_with('\r')) line.remove_suffix(1);
    take_line(line, events);
    first = end + 1;
  }
  pending_.erase(0, first);
  return events;
}

void EventReader::take_line(std::string_view line, std::vector<ServerEvent>& events) {
  if (line.empty()) {
    if (has_data_) events.push_back(std::move(event_));
    event_ = ServerEvent();
    has_data_ = false;
    return;
  }
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") event_.name = value;
  if (name == "id") event_.id = value;
  if (name != "data") return;
  if (has_data_) event_.data.push_back('\n');
  event_.data.append(value);
  has_data_ = true;
}

std::vector<std::string_view> split_json_array(std::string_view array) {
  std::vector<std::string_view> elements;
  std::size_t first = 0;
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const char c = array[i];
    if (in_text) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_text = false;
      }
      continue;
    }
    if (c == '"') in_text = true;
    if ((c == '[' || c == '{') && depth++ == 0) first = i + 1;
    const bool is_end = (c == ']' || c == '}') && --depth == 0;
    if ((c == ',' && depth == 1) || is_end) {
      if (i > first) elements.push_back(array.substr(first, i - first));
      first = i + 1;
    }
    if (is_end) break;
  }
  return elements;
}

Status TailPrinter::print(const ServerEvent& event) {
  if (event.name == "table" && tables_ == TailTables::in_place) return draw_table(event.data);
  if (event.name == "rows" || event.name == "table") return print_rows(rows_of(event.data));
  if (event.name == "gap") print_gap(event.data);
  if (event.name != "end") return {};
  const auto frame = parse_json_document(event.data);
  end_reason_ = frame ? event_text(*frame, "reason") : std::string("error");
  return {};
}

Status TailPrinter::draw_table(std::string_view data) {
  const auto frame = parse_json_document(data);
  if (!frame) return frame.error().with_context("table of a tail");
  const JsonValue* columns = frame->find("columns");
  const JsonValue* rows = frame->find("rows");
  if (columns == nullptr || rows == nullptr) return {};
  std::vector<std::string> titles;
  for (const JsonValue& column : columns->elements()) titles.push_back(cell_text(&column));
  TextTable text(titles);
  for (const JsonValue& row : rows->elements()) {
    std::vector<std::string> cells;
    for (const std::string& title : titles) cells.push_back(cell_text(row.find(title)));
    text.add(std::move(cells));
  }
  const std::string footer =
      grouped_digits(rows->elements().size()) + (rows->elements().size() == 1 ? " row" : " rows") + ", Ctrl-C ends";
  table_.draw(text.text(0), footer);
  if (std::ferror(out_) != 0) return Error(ErrorCode::cancelled, "standard output was closed");
  return {};
}

Status TailPrinter::print_rows(std::string_view rows_json) {
  for (const std::string_view row : split_json_array(rows_json)) {
    const std::string line = output_ == TailOutput::ndjson ? std::string(row) + "\n" : line_of(row);
    if (std::fwrite(line.data(), 1, line.size(), out_) != line.size()) {
      return Error(ErrorCode::cancelled, "standard output was closed");
    }
  }
  if (std::fflush(out_) != 0) return Error(ErrorCode::cancelled, "standard output was closed");
  return {};
}

void TailPrinter::print_gap(std::string_view data) {
  const auto gap = parse_json_document(data);
  if (!gap) return;
  table_.keep();
  std::fprintf(err_, "-- gap: %s records left out (%s), cursors %s to %s\n", event_text(*gap, "count").c_str(),
               event_text(*gap, "reason").c_str(), event_text(*gap, "from_cursor").c_str(),
               event_text(*gap, "to_cursor").c_str());
}

/// Time, severity, service and text of a record; of other rows the JSON. Controls of a text reach no terminal.
std::string TailPrinter::line_of(std::string_view row) const {
  const auto record = parse_json_document(row);
  if (!record || record->find("_time") == nullptr || record->find("body") == nullptr) return std::string(row) + "\n";
  std::string line = event_text(*record, "_time");
  for (const char* name : {"severity", "service.name", "body"}) {
    const std::string text = event_text(*record, name);
    if (!text.empty()) line.append(" ").append(text);
  }
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line + "\n";
}

}  // namespace dendro
