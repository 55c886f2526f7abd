#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parse/mapping_options.h"

namespace dendro {

/// The parts of a record that a foreign name can become (clients.md 2.6).
enum class RecordPart : std::uint8_t { timestamp, body, severity, trace_id, span_id };
inline constexpr std::size_t kRecordPartCount = 5;

/// How a severity is written under a name.
enum class SeverityForm : std::uint8_t {
  word,       ///< a word, an OpenTelemetry number, or pino's 10 to 60
  word_only,  ///< `status`: a word; numbers mean something else
  number,     ///< `severity_number`: OpenTelemetry's number as it is
  syslog,     ///< `PRIORITY`: a word, or syslog's 0 to 7
};

/// A name's claim on a part; the smallest rank among those present wins.
struct NameClaim {
  RecordPart part = RecordPart::timestamp;
  std::uint16_t rank = 0;
  SeverityForm form = SeverityForm::word;
  bool leaf_only = false;  ///< an object of that name does not count
};

/// The table of clients.md 2.6 with a sender's own names in front. Immutable; thread-safe.
class NameTable {
 public:
  explicit NameTable(const MappingOptions& options);

  /// The claims of a dotted path; null if it has none.
  const std::vector<NameClaim>* find(std::string_view path) const;
  bool is_resource(std::string_view path) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void add(RecordPart part, const std::vector<std::string>& own_names, std::vector<std::string_view> table);

  std::unordered_map<std::string, std::vector<NameClaim>, Hash, std::equal_to<>> claims_;
  std::vector<std::string> resource_names_;
  std::size_t longest_name_ = 0;
};

}  // namespace dendro
