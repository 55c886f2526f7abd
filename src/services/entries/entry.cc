#include "services/entries/entry.h"

#include <array>

namespace dendro {
namespace {

struct SeverityRow {
  std::string_view name;
  SeverityNumber number;
};
constexpr std::array<SeverityRow, 3> kEntrySeverities = {
    {{"info", kSeverityInfo}, {"warning", kSeverityWarn}, {"error", kSeverityError}}};

}  // namespace

std::string_view entry_severity_name(EntrySeverity severity) {
  return kEntrySeverities[static_cast<std::size_t>(severity)].name;
}

SeverityNumber entry_severity_number(EntrySeverity severity) {
  return kEntrySeverities[static_cast<std::size_t>(severity)].number;
}

std::optional<EntrySeverity> parse_entry_severity(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (std::size_t i = 0; i < kEntrySeverities.size(); ++i) {
    if (lower == kEntrySeverities[i].name) return static_cast<EntrySeverity>(i);
  }
  return std::nullopt;
}

}  // namespace dendro
