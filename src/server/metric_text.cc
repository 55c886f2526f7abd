#include "server/metric_text.h"

namespace dendro {

void append_metric_head(std::string& out, std::string_view name, std::string_view kind, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  out.append(kind).append("\n");
}

void append_metric(std::string& out, std::string_view name, std::string_view kind, std::string_view help,
                   std::uint64_t value) {
  append_metric_head(out, name, kind, help);
  out.append(name).append(" ").append(std::to_string(value)).append("\n");
}

void append_labelled_metric(std::string& out, std::string_view name, std::string_view label, std::string_view text,
                            std::uint64_t value) {
  out.append(name).append("{").append(label).append("=\"");
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
  out.append("\"} ").append(std::to_string(value)).append("\n");
}

}  // namespace dendro
