#include "codec/code_column.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace dendro {
namespace {

/// On disk, the first byte.
enum class CodeForm : std::uint8_t {
  bytes = 0,  ///< a byte each
  words = 1,  ///< two bytes each
  recent =
      2,  ///< 0: the next new one; k: the (k - 1)th before the newest. A byte each, 255: two bytes in a list behind
};
constexpr std::uint8_t kEscape = 255;

void append_bytes(std::span<const std::uint16_t> codes, std::string& out) {
  for (const std::uint16_t code : codes) out.push_back(static_cast<char>(code));
}

void append_words(std::span<const std::uint16_t> codes, std::string& out) {
  out.append(reinterpret_cast<const char*>(codes.data()), codes.size_bytes());
}

void append_recent(std::span<const std::uint16_t> codes, std::string& out) {
  std::string escaped;
  std::uint32_t next_new = 0;
  for (const std::uint16_t code : codes) {
    std::uint32_t distance = 0;
    if (code == next_new) {
      ++next_new;
    } else {
      distance = next_new - code;
    }
    if (distance < kEscape) {
      out.push_back(static_cast<char>(distance));
    } else {
      out.push_back(static_cast<char>(kEscape));
      append_le(escaped, static_cast<std::uint16_t>(distance));
    }
  }
  out.append(escaped);
}

Status too_short() {
  return Error(ErrorCode::corruption, "codes: cut off");
}

Status read_recent(std::string_view& bytes, std::size_t count, std::vector<std::uint16_t>& codes) {
  if (bytes.size() < count) return too_short();
  const std::string_view near = bytes.substr(0, count);
  bytes.remove_prefix(count);
  std::uint32_t next_new = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t distance = static_cast<std::uint8_t>(near[i]);
    if (distance == kEscape) {
      if (bytes.size() < sizeof(std::uint16_t)) return too_short();
      distance = load_le<std::uint16_t>(bytes.data());
      bytes.remove_prefix(sizeof(std::uint16_t));
    }
    if (distance > next_new) return Error(ErrorCode::corruption, "codes: distance beyond the first one");
    codes[i] = static_cast<std::uint16_t>(distance == 0 ? next_new++ : next_new - distance);
  }
  return {};
}

}  // namespace

void encode_codes(std::span<const std::uint16_t> codes, BlockCompressor& trial, std::string& out) {
  const std::uint16_t largest = codes.empty() ? std::uint16_t{0} : *std::max_element(codes.begin(), codes.end());
  std::string plain(1, static_cast<char>(largest <= 255 ? CodeForm::bytes : CodeForm::words));
  if (largest <= 255) {
    append_bytes(codes, plain);
  } else {
    append_words(codes, plain);
  }
  std::string recent(1, static_cast<char>(CodeForm::recent));
  append_recent(codes, recent);
  out.append(trial.packed_size(recent) < trial.packed_size(plain) ? recent : plain);
}

Status decode_codes(std::string_view& bytes, std::size_t count, std::size_t code_count,
                    std::vector<std::uint16_t>& codes) {
  if (bytes.empty()) return too_short();
  const auto form = static_cast<CodeForm>(bytes.front());
  bytes.remove_prefix(1);
  const std::size_t width = form == CodeForm::words ? 2 : 1;
  if (bytes.size() / width < count) return too_short();
  codes.resize(count);
  switch (form) {
    case CodeForm::bytes:
      std::transform(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count), codes.begin(),
                     [](char c) { return static_cast<std::uint8_t>(c); });
      bytes.remove_prefix(count);
      break;
    case CodeForm::words:
      if (count != 0) std::memcpy(codes.data(), bytes.data(), count * 2);
      bytes.remove_prefix(count * 2);
      break;
    case CodeForm::recent:
      DENDRO_TRY(read_recent(bytes, count, codes));
      break;
    default:
      return Error(ErrorCode::corruption, "codes: unknown form");
  }
  if (!codes.empty() && *std::max_element(codes.begin(), codes.end()) >= code_count) {
    return Error(ErrorCode::corruption, "codes: index beyond the table");
  }
  return {};
}

}  // namespace dendro
