#include "server/routes/ingest_params.h"

#include <string>
#include <string_view>

#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::string_view kResourcePrefix = "resource.";

Error ingest_param_fault(std::string text) {
  return Error(ErrorCode::invalid_argument, std::move(text));
}

/// "a, b,,c" -> a b c.
std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

Status add_label(MappingOptions& mapping, std::string_view name, std::string_view value) {
  const bool is_ours = name == "dendro" || name.starts_with("dendro.");
  if (name.empty() || name.size() > kMaxFieldNameBytes || is_ours || !is_valid_utf8(name)) {
    return ingest_param_fault(
        "parameter resource.<name>: a name of 1 to 512 bytes that does not begin with \"dendro.\" is needed");
  }
  mapping.labels.emplace_back(name, value);
  return {};
}

Result<IngestAck> parse_ack(std::string_view word) {
  if (word == "disk") return IngestAck::disk;
  if (word == "memory") return IngestAck::memory;
  return ingest_param_fault("ack: must be \"disk\" or \"memory\", is \"" + std::string(word) + "\"");
}

Status read_param(IngestParams& params, std::string_view name, std::string_view value) {
  MappingOptions& mapping = params.options.mapping;
  if (name == "format") {
    const std::optional<ParseFormat> format = parse_format_of_name(value);
    if (!format) {
      return ingest_param_fault("format: \"" + std::string(value) + "\" is not one of " +
                                std::string(parse_format_names_text()));
    }
    params.options.format = *format;
    params.options.format_is_given = true;
  } else if (name == "time_field") {
    mapping.time_fields = split_names(value);
  } else if (name == "body_field") {
    mapping.body_fields = split_names(value);
  } else if (name == "severity_field") {
    mapping.severity_fields = split_names(value);
  } else if (name == "stream_fields") {
    mapping.stream_fields = split_names(value);
  } else if (name == "ack") {
    DENDRO_TRY_ASSIGN(params.ack, parse_ack(value));
  } else if (name.starts_with(kResourcePrefix)) {
    return add_label(mapping, name.substr(kResourcePrefix.size()), value);
  }
  return {};
}

}  // namespace

Result<IngestParams> parse_ingest_params(const HttpRequest& request) {
  IngestParams params;
  if (const auto header = request.headers.find("X-Dendro-Ack")) {
    DENDRO_TRY_ASSIGN(params.ack, parse_ack(*header));
  }
  for (const auto& [name, value] : request.query) DENDRO_TRY(read_param(params, name, value));
  return params;
}

}  // namespace dendro
