#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "filter/sensitive/sensitive_kind.h"

namespace dendro {

/// Where something sensitive stands in a text: bytes [first, first + size). Begins and ends between characters.
struct SensitiveSpan {
  std::size_t first = 0, size = 0;
  SensitiveKind kind = SensitiveKind::card;
  std::size_t end() const { return first + size; }
  friend bool operator==(const SensitiveSpan&, const SensitiveSpan&) = default;
};

/// Finds the kinds it was made for. One pass looks for the few bytes each kind begins with (trigger_scan.h); only there
/// is it looked closely. Text need not be UTF-8. Immutable; thread-safe.
class SensitiveFinder {
 public:
  explicit SensitiveFinder(SensitiveKinds kinds);

  /// Appends what is found, by place; spans of different kinds may overlap.
  void find(std::string_view text, std::vector<SensitiveSpan>& spans) const;
  SensitiveKinds kinds() const { return kinds_; }

 private:
  const SensitiveKinds kinds_;
  const unsigned triggers_;  ///< TriggerSet
};

/// The kind of secret that a field or member of this name holds, whatever its value looks like: `password` of names
/// that end with password, token, api_key, .. and of cookies, `bearer` of authorization headers. Nothing for other
/// names.
std::optional<SensitiveKind> secret_kind_of_name(std::string_view name);
/// True for values that say nothing: `null`, `none`, asterisks.
bool is_no_secret(std::string_view value);

/// Of a text that may be anything (broken JSON, `name=value`, headers): places of the values behind the names that are
/// wanted, a list or object whole. The name is as it stands there, without quotes, escapes of JSON undone.
struct ValueSpan {
  std::size_t first = 0, size = 0;
};
std::vector<ValueSpan> find_named_values(std::string_view text,
                                         const std::function<bool(std::string_view name)>& is_wanted);

}  // namespace dendro
