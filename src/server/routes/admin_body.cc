#include "server/routes/admin_body.h"

#include <algorithm>

#include "base/json_document.h"

namespace dendro {

Result<AdminBody> AdminBody::read(const HttpRequest& request, const std::vector<std::string_view>& texts,
                                  const std::vector<std::string_view>& truths) {
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  if (!body.is_object()) {
    return Error(ErrorCode::invalid_argument, "the body must be an object, not " + std::string(body.kind_text()));
  }
  const auto knows = [](const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  AdminBody read;
  for (const auto& [name, value] : body.members()) {
    if (knows(texts, name)) {
      if (!value.is_string()) return Error(ErrorCode::invalid_argument, name + ": must be a text");
      read.texts_[name] = *value.as_string();
    } else if (knows(truths, name)) {
      if (!value.as_bool()) return Error(ErrorCode::invalid_argument, name + ": must be true or false");
      read.truths_[name] = *value.as_bool();
    } else {
      return Error(ErrorCode::invalid_argument, name + ": there is no such member");
    }
  }
  return read;
}

const std::string& AdminBody::text(std::string_view name) const {
  static const std::string kNone;
  const auto found = texts_.find(name);
  return found == texts_.end() ? kNone : found->second;
}

bool AdminBody::truth(std::string_view name) const {
  const auto found = truths_.find(name);
  return found != truths_.end() && found->second;
}

}  // namespace dendro
