// The native intake's decoder, two ways:
//   1. any bytes, in one piece and in small ones, as every framing: no crash, the same records either way, each batch
//   checked
//      again by RecordBatch::decode;
//   2. one line against nlohmann: both take the same documents, and what was taken comes back as the same document.
//   Differences
//      that are meant: we keep strings that are no UTF-8 and halves of surrogate pairs; nlohmann refuses numbers a
//      double cannot hold; we refuse by size, name and time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "parse/json_reader.h"
#include "parse/record_decoder.h"
#include "record/record_json.h"

namespace {

using dendro::DecoderOptions;
using dendro::InputEnd;

struct Outcome {
  std::vector<std::string> jsons;
  std::vector<std::uint64_t> refused;
};

Outcome decode(std::string_view text, const DecoderOptions& options, std::size_t piece_bytes) {
  dendro::BatchFiller filler(dendro::Timestamp(1'800'000'000'000'000'000));
  Outcome outcome;
  auto decoder = *dendro::make_record_decoder(
      options, filler, [&](const dendro::RejectedRecord& r) { outcome.refused.push_back(r.index); });
  std::size_t first = 0;
  for (std::size_t last = piece_bytes; piece_bytes > 0 && last < text.size(); last += piece_bytes) {
    first += decoder->decode(text.substr(first, last - first), InputEnd::more_follows);
  }
  decoder->decode(text.substr(first), InputEnd::last);
  filler.flush();
  for (const auto& batch : filler.take_batches()) {
    DENDRO_CHECK(dendro::RecordBatch::decode(std::string(batch->encoded())).has_value());
    for (std::size_t i = 0; i < batch->size(); ++i)
      dendro::append_record_json(outcome.jsons.emplace_back(), batch->record(i));
  }
  DENDRO_CHECK(outcome.jsons.size() == decoder->accepted() && outcome.refused.size() == decoder->rejected());
  return outcome;
}

bool has_half_surrogate(std::string_view text) {
  return text.find("\\uD") != std::string_view::npos || text.find("\\ud") != std::string_view::npos;
}

void compare_with_nlohmann(std::string_view line) {
  if (!dendro::is_valid_utf8(line) || has_half_surrogate(line) || line.find('\0') != std::string_view::npos) return;
  if (line.find_first_of("\n\r") != std::string_view::npos || line.empty() || line.starts_with("\xEF\xBB\xBF")) return;
  const auto oracle = nlohmann::ordered_json::parse(line, nullptr, false);
  const Outcome ours = decode(line, {}, 0);
  if (oracle.is_discarded()) {
    // Several values on a line, broken arrays and numbers beyond a double are ours to take.
    return;
  }
  if (!oracle.is_object()) return;
  DENDRO_CHECK(ours.jsons.size() + ours.refused.size() == 1);
  if (ours.jsons.empty()) return;  // by name, time or size
  const std::string more = "\"dendro.more\"";
  if (ours.jsons[0].find(more) != std::string::npos && line.find(more) == std::string_view::npos) return;
  DENDRO_CHECK(nlohmann::ordered_json::parse(ours.jsons[0]).dump() == oracle.dump());
}

/// An object that we take alone must be one to nlohmann, but for the differences above.
void compare_acceptance(std::string_view line) {
  if (!dendro::is_valid_utf8(line) || has_half_surrogate(line) || line.find('\0') != std::string_view::npos) return;
  dendro::JsonReader reader(32);
  const dendro::JsonRead read = reader.read(line, 0);
  if (read.kind != dendro::JsonRead::Kind::object) {
    const auto oracle = nlohmann::json::parse(line, nullptr, false);
    DENDRO_CHECK(!oracle.is_object());
    return;
  }
  const bool has_large_number = line.find_first_of("eE") != std::string_view::npos || line.size() > 300;
  if (!has_large_number) DENDRO_CHECK(nlohmann::json::accept(line.substr(0, read.end)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  DecoderOptions options;
  options.format = (data[0] & 1) != 0 ? dendro::ParseFormat::json : dendro::ParseFormat::text;
  if ((data[0] & 2) != 0) options.mapping.limits.fields = 4;
  if ((data[0] & 4) != 0) options.mapping.limits.record_bytes = 64;
  const Outcome whole = decode(text, options, 0);
  const Outcome pieces = decode(text, options, 1u + (data[0] >> 4));
  DENDRO_CHECK(whole.jsons == pieces.jsons && whole.refused == pieces.refused);
  options.framing = dendro::JsonFraming::document;
  decode(text, options, 0);
  compare_with_nlohmann(text);
  compare_acceptance(text);
  return 0;
}
