#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parse/record_decoder.h"
#include "record/record_json.h"

namespace dendro {

inline constexpr Timestamp kTestNow{1'800'000'000'000'000'000};

struct Refusal {
  std::uint64_t index = 0;
  RejectReason reason = RejectReason::parse_error;
  std::string detail;
  std::string raw;
};

/// What a text decodes to, for tests.
struct Decoded {
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  std::vector<Refusal> refusals;
  std::uint64_t accepted = 0;

  std::vector<RecordView> records() const {
    std::vector<RecordView> views;
    for (const auto& batch : batches) {
      for (std::size_t i = 0; i < batch->size(); ++i) views.push_back(batch->record(i));
    }
    return views;
  }
  std::vector<std::string> jsons() const {
    std::vector<std::string> texts;
    for (const RecordView& record : records()) append_record_json(texts.emplace_back(), record);
    return texts;
  }
};

/// Decodes `text` as a whole, or in pieces that end at each multiple of `piece_bytes`.
inline Decoded decode_text(std::string_view text, DecoderOptions options = {}, std::size_t piece_bytes = 0) {
  BatchFiller filler(kTestNow);
  Decoded decoded;
  auto decoder = make_record_decoder(std::move(options), filler, [&](const RejectedRecord& record) {
    decoded.refusals.push_back({record.index, record.cause.reason, record.cause.detail, std::string(record.raw)});
  });
  std::size_t first = 0;
  for (std::size_t last = piece_bytes; piece_bytes > 0 && last < text.size(); last += piece_bytes) {
    // A copy of its own size, so that a read beyond it is seen by ASan.
    const std::vector<char> piece(text.begin() + static_cast<std::ptrdiff_t>(first),
                                  text.begin() + static_cast<std::ptrdiff_t>(last));
    first += (*decoder)->decode({piece.data(), piece.size()}, InputEnd::more_follows);
  }
  const std::vector<char> rest(text.begin() + static_cast<std::ptrdiff_t>(first), text.end());
  (*decoder)->decode({rest.data(), rest.size()}, InputEnd::last);
  filler.flush();
  decoded.batches = filler.take_batches();
  decoded.accepted = (*decoder)->accepted();
  return decoded;
}

/// The value of the leaf that has this path (and role), as text; "<none>" if there is no such leaf.
inline std::string leaf_text(const RecordView& record, std::string_view path) {
  std::string text = "<none>";
  record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
    if (leaf.path != path) return true;
    text.clear();
    append_value_text(text, value);
    return false;
  });
  return text;
}

inline std::string label_text(const RecordView& record, std::string_view path) {
  const StreamLabel* label = record.stream().find(path);
  std::string text = "<none>";
  if (label != nullptr) {
    text.clear();
    append_value_text(text, label->value);
  }
  return text;
}

}  // namespace dendro
