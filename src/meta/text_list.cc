#include "meta/text_list.h"

#include "base/json_document.h"
#include "base/json_writer.h"

namespace dendro {

std::string encode_text_list(const std::vector<std::string>& texts) {
  std::string cell;
  JsonWriter json(cell);
  json.value(texts);
  return cell;
}

Result<std::vector<std::string>> decode_text_list(const std::string& cell) {
  const Result<JsonValue> list = parse_json_document(cell);
  if (!list || !list->is_array()) return Error(ErrorCode::corruption, "meta database: a cell holds no list of texts");
  std::vector<std::string> texts;
  for (const JsonValue& element : list->elements()) {
    if (!element.is_string()) return Error(ErrorCode::corruption, "meta database: a list holds what is no text");
    texts.emplace_back(*element.as_string());
  }
  return texts;
}

}  // namespace dendro
