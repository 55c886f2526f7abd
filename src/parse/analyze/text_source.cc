#include "parse/analyze/text_source.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::size_t kUtf16BufferBytes = std::size_t{64} << 10;
constexpr char kNoUtf8 = '\xFF';

enum class ByteOrder : std::uint8_t { little, big };

class Utf16Source final : public ByteSource {
 public:
  Utf16Source(std::unique_ptr<ByteSource> source, ByteOrder order)
      : source_(std::move(source)), order_(order), buffer_(kUtf16BufferBytes) {}

  Result<std::size_t> read(std::span<char> out) override {
    while (offset_ == text_.size() && !ended_) DENDRO_TRY(convert_some());
    const std::size_t count = text_.copy(out.data(), out.size(), offset_);
    offset_ += count;
    return count;
  }

 private:
  Status convert_some() {
    text_.clear();
    offset_ = 0;
    DENDRO_TRY_ASSIGN(const std::size_t count, source_->read(buffer_));
    for (std::size_t i = 0; i < count; ++i) take_byte(static_cast<std::uint8_t>(buffer_[i]));
    if (count == 0) finish();
    return {};
  }

  void take_byte(std::uint8_t byte) {
    if (!first_byte_) {
      first_byte_ = byte;
      return;
    }
    const std::uint32_t unit = order_ == ByteOrder::little ? *first_byte_ | (std::uint32_t{byte} << 8)
                                                           : (std::uint32_t{*first_byte_} << 8) | byte;
    first_byte_.reset();
    take_unit(unit);
  }

  void take_unit(std::uint32_t unit) {
    const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (high_ && low) {
      append_utf8(text_, 0x10000 + ((*high_ - 0xD800) << 10) + (unit - 0xDC00));
      high_.reset();
      return;
    }
    if (high_ || low) text_.push_back(kNoUtf8);
    high_.reset();
    if (low) return;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      high_ = unit;
    } else {
      append_utf8(text_, unit);
    }
  }

  void finish() {
    if (high_ || first_byte_) text_.push_back(kNoUtf8);
    ended_ = true;
  }

  const std::unique_ptr<ByteSource> source_;
  const ByteOrder order_;
  std::vector<char> buffer_;
  std::string text_;  // converted
  std::size_t offset_ = 0;
  std::optional<std::uint8_t> first_byte_;  // of a unit
  std::optional<std::uint32_t> high_;       // first half of a surrogate pair
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> make_text_source(std::unique_ptr<ByteSource> source) {
  DENDRO_TRY_ASSIGN(std::string front, read_front(*source, 3));
  const bool little = front.starts_with("\xFF\xFE");
  if (little || front.starts_with("\xFE\xFF")) {
    return std::unique_ptr<ByteSource>(std::make_unique<Utf16Source>(
        make_prefixed_source(front.substr(2), std::move(source)), little ? ByteOrder::little : ByteOrder::big));
  }
  if (front == "\xEF\xBB\xBF") return source;
  return make_prefixed_source(std::move(front), std::move(source));
}

}  // namespace dendro
