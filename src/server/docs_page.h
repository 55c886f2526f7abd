#pragma once

#include <string>
#include <string_view>

#include "server/route.h"

namespace dendro {

/// The API page of a profile: HTML made from the route table alone, with one style sheet of ours and no script, so that
/// it works offline and under the CSP of ui.md 10.1. All texts of the table are escaped.
class DocsPage {
 public:
  /// @param openapi_path  where the same is answered as an OpenAPI document.
  DocsPage(const RouteTable& routes, Profile profile, std::string_view version,
           std::string_view openapi_path = "/openapi.json");
  /// The page with `host` ("127.0.0.1:8080") in its curl lines; a host with characters beyond letters, digits and
  /// `.:[]-` is replaced by the default listener's.
  std::string html(std::string_view host) const;

 private:
  std::string template_;  // kHostMark stands where the host goes
};

/// The page's style sheet.
std::string_view docs_style_sheet();
inline constexpr std::string_view kDocsStylePath = "/docs/style.css";

/// A shell command that calls the route at http://`host`: its required parameters, its example body.
std::string curl_line(const Route& route, std::string_view host);

}  // namespace dendro
