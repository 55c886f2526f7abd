#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parse/analyze/count_types.h"

namespace dendro {

/// Which top-level fields decide about a record, and how. Immutable, thread-safe.
class RecordRule {
 public:
  static constexpr std::size_t kFieldsMax = 6;
  /// Raw JSON text of the wanted fields' values in the order of `fields()`, without white space around; the null view
  /// where the field is missing. The last of duplicate keys.
  using Values = std::array<std::string_view, kFieldsMax>;

  explicit RecordRule(CountOptions options);

  /// Names to look for, without duplicates.
  const std::vector<std::string>& fields() const { return fields_; }
  std::size_t level_field() const { return level_field_; }
  std::size_t group_field() const { return group_field_; }
  /// The one level that counts, where it is one, compared with case; then a raw value is it or it is not. Otherwise
  /// empty.
  const std::string& plain_level() const { return plain_level_; }
  bool has_since() const { return options_.since.has_value(); }

  /// Whether the record counts.
  bool counts(const Values& values) const { return level_counts(values[level_field_]) && time_counts(values); }
  bool level_counts(std::string_view raw) const;
  bool time_counts(const Values& values) const;

 private:
  std::size_t add_field(const std::string& name);
  const CountOptions options_;
  std::string plain_level_;
  std::vector<std::string> fields_;
  std::size_t level_field_ = 0;
  std::size_t group_field_ = 0;
  std::vector<std::size_t> time_fields_;
};

/// Name of the group for the raw JSON text of the group field's value: missing, null, "", 0, false, [] and {} are
/// `unknown`, other strings themselves, other values their compact text.
std::string group_name(std::string_view raw);

/// Text of a JSON string given between its quotes; its escapes must be valid. Unpaired surrogates become U+FFFD.
std::string unescape_json_text(std::string_view content);

}  // namespace dendro
