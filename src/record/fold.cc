#include "record/fold.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "base/utf8.h"

namespace dendro {
namespace {

struct FoldRange {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t stride;
  std::int32_t delta;
};

constexpr FoldRange kFoldRanges[] = {
#include "record/fold_table.inc"
};

/// Small enough that a run stays in the first-level cache between the two passes over it.
constexpr std::size_t kAsciiRunBytesMax = 4096;

/// How many bytes at the front of `text` are ASCII, kAsciiRunBytesMax at most. Eight bytes at a time.
std::size_t ascii_run(std::string_view text) {
  const std::size_t end = std::min(text.size(), kAsciiRunBytesMax);
  std::size_t at = 0;
  for (; at + 32 <= end; at += 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), text.data() + at, sizeof(words));
    if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) != 0) break;
  }
  while (at < end && static_cast<std::uint8_t>(text[at]) < 0x80) ++at;
  return at;
}

/// Appends ASCII text in lower case. The loop has no branch, so that the compiler makes it vector code.
void append_ascii_folded(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.append(text);
  char* bytes = out.data() + before;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    const bool is_upper = static_cast<std::uint8_t>(byte - 'A') < 26;
    bytes[i] = static_cast<char>(byte | (is_upper ? 0x20u : 0u));
  }
}

}  // namespace

char32_t fold_code_point(char32_t code_point) {
  if (code_point < 0x80) return static_cast<char32_t>(fold_ascii(static_cast<char>(code_point)));
  const FoldRange* range = std::lower_bound(std::begin(kFoldRanges), std::end(kFoldRanges), code_point,
                                            [](const FoldRange& r, char32_t c) { return r.last < c; });
  if (range == std::end(kFoldRanges) || code_point < range->first) return code_point;
  if ((code_point - range->first) % range->stride != 0) return code_point;
  return static_cast<char32_t>(static_cast<std::int64_t>(code_point) + range->delta);
}

std::vector<char32_t> code_points_folding_to(char32_t folded) {
  std::vector<char32_t> found;
  if (folded >= 'a' && folded <= 'z') found.push_back(folded - ('a' - 'A'));
  for (const FoldRange& range : kFoldRanges) {
    const std::int64_t code_point = static_cast<std::int64_t>(folded) - range.delta;
    if (code_point < range.first || code_point > range.last) continue;
    const auto candidate = static_cast<char32_t>(code_point);
    if (fold_code_point(candidate) == folded) found.push_back(candidate);
  }
  return found;
}

void append_folded(std::string& out, std::string_view text) {
  while (!text.empty()) {
    if (const std::size_t ascii = ascii_run(text); ascii > 0) {
      append_ascii_folded(out, text.substr(0, ascii));
      text.remove_prefix(ascii);
      continue;
    }
    const DecodedUtf8 front = decode_utf8(text);
    if (front.valid) {
      append_utf8(out, fold_code_point(front.code_point));
    } else {
      out.append(text.substr(0, front.bytes));
    }
    text.remove_prefix(front.bytes);
  }
}

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_folded(out, text);
  return out;
}

}  // namespace dendro
