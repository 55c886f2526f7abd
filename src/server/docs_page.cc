#include "server/docs_page.h"

#include <algorithm>

#include "server/http_text.h"
#include "server/openapi.h"

namespace dendro {
namespace {

/// Cannot stand in a route's text: escaping passes it on, so it is a byte that nobody writes.
constexpr std::string_view kHostMark = "\x01";
constexpr std::string_view kDefaultHost = "127.0.0.1:8080";

constexpr std::string_view kStyleSheet =
    R"(:root{color-scheme:light dark;--ink:#1c2126;--soft:#5b6670;--line:#d5dbe0;--page:#fff;--code:#f3f5f7;--accent:#0b6150}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa6b0;--line:#343c44;--page:#14181b;--code:#1d2327;--accent:#5fc3ad}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;display:grid;grid-template-columns:17rem minmax(0,1fr)}
a{color:var(--accent)}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--page);padding:.5rem}
nav{border-right:1px solid var(--line);padding:1.5rem;position:sticky;top:0;height:100vh;overflow:auto}
nav h2{font-size:.85rem;color:var(--soft);margin:1.2rem 0 .3rem}
nav ul{list-style:none;margin:0;padding:0;font-size:.9rem}
nav li{margin:.15rem 0;overflow-wrap:anywhere}
main{padding:1.5rem 2.5rem 5rem;max-width:62rem}
h1{margin:0 0 .5rem;font-size:1.6rem}
main h2{margin:2.5rem 0 .5rem;border-bottom:1px solid var(--line)}
article{margin:1.5rem 0 2.5rem}
h3{margin:0;font:600 1.05rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.method{color:var(--accent)}
.permission{color:var(--soft);font-size:.9rem;margin:.1rem 0}
code,pre{font:.88rem/1.45 ui-monospace,monospace;background:var(--code);border-radius:4px}
code{padding:.1rem .25rem}
pre{padding:.7rem .9rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
pre code{padding:0;background:none}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:.5rem 0 .2rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
@media (max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}main{padding:1.5rem}}
)";

void append_element(std::string& out, std::string_view tag, std::string_view text) {
  out.append("<").append(tag).append(">");
  append_html(out, text);
  out.append("</").append(tag).append(">");
}

/// Escaped text in which `code` between backticks is set as such.
void append_prose(std::string& out, std::string_view tag, std::string_view text) {
  out.append("<").append(tag).append(">");
  for (bool is_code = false; !text.empty(); is_code = !is_code) {
    const std::size_t end = std::min(text.find('`'), text.size());
    const bool closes = end < text.size();
    if (is_code && closes) {
      append_element(out, "code", text.substr(0, end));
    } else {
      append_html(out, text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out.append("</").append(tag).append(">");
}

/// 'it'\''s': one word for a shell.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word.push_back(c);
    }
  }
  return word + "'";
}

/// Blank lines part paragraphs, backticks make code; nothing else of Markdown is read.
void append_paragraphs(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    append_prose(out, "p", text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

void append_params(std::string& out, const Route& route) {
  if (route.params.empty()) return;
  out +=
      "<table><caption>Parameters</caption><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th>"
      "<th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>";
  for (const RouteParam& param : route.params) {
    out += "<tr><td>";
    append_element(out, "code", param.name);
    if (param.required || param.place == ParamPlace::path) out += " required";
    out += "</td><td>";
    out += param.place == ParamPlace::query ? "query" : param.place == ParamPlace::path ? "path" : "header";
    out += "</td><td>";
    if (!param.schema_json.empty()) append_element(out, "code", param.schema_json);
    out += "</td>";
    append_prose(out, "td", param.description);
    out += "</tr>";
  }
  out += "</tbody></table>";
}

void append_replies(std::string& out, const Route& route) {
  if (route.replies.empty()) return;
  out +=
      "<table><caption>Replies</caption><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Content</th>"
      "<th scope=\"col\">Meaning</th></tr></thead><tbody>";
  for (const RouteReply& reply : route.replies) {
    out += "<tr>";
    append_element(out, "td", std::to_string(reply.status));
    append_element(out, "td", reply.content_type);
    append_prose(out, "td", reply.description);
    out += "</tr>";
  }
  out += "</tbody></table>";
  for (const RouteReply& reply : route.replies) {
    if (reply.example_json.empty()) continue;
    append_element(out, "p", "Reply " + std::to_string(reply.status) + ", for example:");
    out += "<pre><code>";
    append_html(out, reply.example_json);
    out += "</code></pre>";
  }
}

void append_operation(std::string& out, const Route& route) {
  out += "<article id=\"";
  append_html(out, route.operation_id);
  out += "\"><h3><span class=\"method\">";
  append_html(out, route.method);
  out += "</span> ";
  append_html(out, route.path);
  out += "</h3>";
  append_element(out, "p", route.summary);
  out += "<p class=\"permission\">Permission: ";
  append_html(out, permission_name(route.permission));
  out += "</p>";
  append_paragraphs(out, route.description);
  out += "<pre><code>";
  append_html(out, curl_line(route, kHostMark));
  out += "</code></pre>";
  append_params(out, route);
  append_replies(out, route);
  out += "</article>";
}

void append_navigation(std::string& out, const std::vector<RouteGroup>& groups, std::string_view openapi_path) {
  out += "<nav aria-label=\"Operations\"><a href=\"";
  append_html(out, openapi_path);
  out += "\">OpenAPI document</a>";
  for (const RouteGroup& group : groups) {
    append_element(out, "h2", group.name);
    out += "<ul>";
    for (const Route* row : group.rows) {
      out += "<li><a href=\"#";
      append_html(out, row->operation_id);
      out += "\">";
      append_html(out, row->method + " " + row->path);
      out += "</a></li>";
    }
    out += "</ul>";
  }
  out += "</nav>";
}

bool is_plain_host(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".:[]-").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string curl_line(const Route& route, std::string_view host) {
  std::string url = "http://" + std::string(host) + route.path;
  char separator = '?';
  for (const RouteParam& param : route.params) {
    if (!param.required || param.place != ParamPlace::query) continue;
    url += separator + param.name + "=";
    separator = '&';
  }
  std::string line = "curl ";
  if (route.method != "GET" && (route.method != "POST" || route.request_content_type.empty())) {
    line += "-X " + route.method + " ";
  }
  for (const RouteParam& param : route.params) {
    if (param.required && param.place == ParamPlace::header) line += "-H " + shell_word(param.name + ": ") + " ";
  }
  if (!route.request_content_type.empty()) {
    line += "-H " + shell_word("content-type: " + route.request_content_type) + " ";
    line += "--data-binary " + (route.request_example.empty() ? "@FILE" : shell_word(route.request_example)) + " ";
  }
  return line + shell_word(url);
}

DocsPage::DocsPage(const RouteTable& routes, Profile profile, std::string_view version, std::string_view openapi_path) {
  const std::vector<RouteGroup> groups = group_routes(routes, profile);
  std::string& out = template_;
  out =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>dendro API</title>"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><link rel=\"stylesheet\" href=\"";
  out.append(kDocsStylePath)
      .append("\"></head><body><a class=\"skip\" href=\"#operations\">Skip to the operations</a>");
  append_navigation(out, groups, openapi_path);
  out += "<main id=\"operations\">";
  append_element(out, "h1", "dendro API");
  append_element(out, "p",
                 "Version " + std::string(version) + ", listener profile " + std::string(profile_name(profile)) +
                     ". Every reply carries X-Request-ID; errors are JSON.");
  for (const RouteGroup& group : groups) {
    append_element(out, "h2", group.name);
    for (const Route* row : group.rows) append_operation(out, *row);
  }
  out += "</main></body></html>\n";
}

std::string DocsPage::html(std::string_view host) const {
  const std::string_view shown = is_plain_host(host) ? host : kDefaultHost;
  std::string out;
  std::string_view rest = template_;
  while (true) {
    const std::size_t mark = rest.find(kHostMark);
    out.append(rest.substr(0, mark));
    if (mark == std::string_view::npos) return out;
    out.append(shown);
    rest.remove_prefix(mark + kHostMark.size());
  }
}

std::string_view docs_style_sheet() {
  return kStyleSheet;
}

}  // namespace dendro
