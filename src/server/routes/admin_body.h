#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http_message.h"

namespace dendro {

/// The members of a small JSON body, each a text or a truth, all of them known by name.
class AdminBody {
 public:
  /// Errors: invalid_argument (no object; a member that is unknown or of another kind).
  static Result<AdminBody> read(const HttpRequest& request, const std::vector<std::string_view>& texts,
                                const std::vector<std::string_view>& truths = {});
  /// "" where it is absent.
  const std::string& text(std::string_view name) const;
  bool truth(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> texts_;
  std::map<std::string, bool, std::less<>> truths_;
};

}  // namespace dendro
