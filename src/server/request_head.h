#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/request_reader.h"

namespace dendro {

struct HeadRefusal {
  int status;
  std::string detail;
};

/// What Beast 1.81 lets through and we do not (stack.md 3.3): Host, Content-Length, Transfer-Encoding, Expect, target
/// and Content-Encoding. Fills the members of `head` that follow from its rows. Nothing if the request may go on.
std::optional<HeadRefusal> check_head(RequestHead& head);

/// True of "METHOD TARGET HTTP/d.d" with a version we do not speak.
bool names_other_http_version(std::string_view first_line);

}  // namespace dendro
