#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

/// The HELP and TYPE lines of a metric in Prometheus' text form. `kind`: counter, gauge.
void append_metric_head(std::string& out, std::string_view name, std::string_view kind, std::string_view help);
/// A metric without labels, whole.
void append_metric(std::string& out, std::string_view name, std::string_view kind, std::string_view help,
                   std::uint64_t value);
/// One line of a metric whose head was written: `name{label="text"} value`.
void append_labelled_metric(std::string& out, std::string_view name, std::string_view label, std::string_view text,
                            std::uint64_t value);

}  // namespace dendro
