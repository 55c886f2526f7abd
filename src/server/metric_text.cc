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

}  // namespace dendro
