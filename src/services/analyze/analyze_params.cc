#include "services/analyze/analyze_params.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "io/object_store.h"

namespace dendro {
namespace {

constexpr std::uint64_t kThresholdMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kDateTextSize = 10;

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_end_slashes(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::uint64_t> parse_threshold(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!all_digits(text)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number > kThresholdMax) return std::nullopt;
  return number;
}

bool is_integer_text(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return all_digits(text);
}

std::optional<Timestamp> parse_since(std::string_view text) {
  if (const auto time = parse_rfc3339(text)) return time;
  if (text.size() == kDateTextSize) {
    if (const auto day = parse_rfc3339(std::string(text) + "T00:00:00Z")) return day;
  }
  return parse_epoch(text);
}

std::optional<bool> parse_boolean_word(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"true", "1", "yes", "on", "t", "y"};
  constexpr std::array<std::string_view, 6> kFalse = {"false", "0", "no", "off", "f", "n"};
  std::string word(text);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end()) return false;
  return std::nullopt;
}

bool is_bucket_allowed(std::string_view bucket, std::span<const std::string> allowed) {
  const bool local = bucket.starts_with("file:");
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
    if (local) return is_local_bucket(bucket) && without_end_slashes(entry) == without_end_slashes(bucket);
    return ::fnmatch(entry.c_str(), std::string(bucket).c_str(), 0) == 0;
  });
}

}  // namespace dendro
