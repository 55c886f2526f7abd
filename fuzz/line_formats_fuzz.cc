// Logs of a record a line: any bytes as every format, and as what the detector takes them for.
//   1. No crash; pieces give what the whole gives; each batch is checked again by RecordBatch::decode.
//   2. Nothing is lost: every line that is not blank is a record or refused by size; where stack traces join, every
//   line
//      is in the body of one record, or in front of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "parse/lines/format_detector.h"
#include "parse/record_decoder.h"
#include "record/record_json.h"

namespace {

using dendro::ParseFormat;

std::vector<std::string> decode(std::string_view text, const dendro::DecoderOptions& options, std::size_t piece_bytes) {
  dendro::BatchFiller filler(dendro::Timestamp(1'800'000'000'000'000'000));
  std::vector<std::string> jsons;
  auto decoder = *dendro::make_record_decoder(options, filler, {});
  std::size_t first = 0;
  for (std::size_t last = piece_bytes; piece_bytes > 0 && last < text.size(); last += piece_bytes) {
    first += decoder->decode(text.substr(first, last - first), dendro::InputEnd::more_follows);
  }
  decoder->decode(text.substr(first), dendro::InputEnd::last);
  filler.flush();
  for (const auto& batch : filler.take_batches()) {
    DENDRO_CHECK(dendro::RecordBatch::decode(std::string(batch->encoded())).has_value());
    for (std::size_t i = 0; i < batch->size(); ++i) dendro::append_record_json(jsons.emplace_back(), batch->record(i));
  }
  DENDRO_CHECK(jsons.size() == decoder->accepted() && decoder->kept_as_text() <= jsons.size());
  const auto line_feeds = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  const bool is_json = options.format == ParseFormat::json && options.others.empty();
  DENDRO_CHECK(is_json || decoder->lines() == line_feeds + (text.empty() || text.ends_with('\n') ? 0U : 1U));
  jsons.push_back(std::to_string(decoder->rejected()));
  return jsons;
}

std::size_t count_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    count += line.find_first_not_of(" \t\r\v\f") != std::string_view::npos ? 1U : 0U;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr ParseFormat kFormats[] = {ParseFormat::text,         ParseFormat::logfmt, ParseFormat::syslog,
                                      ParseFormat::access,       ParseFormat::klog,   ParseFormat::nginx_error,
                                      ParseFormat::apache_error, ParseFormat::log4j};
  if (size == 0 || size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  dendro::DecoderOptions options;
  const auto detected =
      dendro::detect_log_format(text, static_cast<dendro::SampleEnd>(data[0] % 3), {dendro::Timestamp(0), 0});
  options.format = (data[0] & 8) != 0 ? kFormats[data[0] & 7] : detected.format;
  if ((data[0] & 8) == 0) options.others = detected.others;
  if (options.format == ParseFormat::json && options.others.empty()) return 0;  // json_decoder_fuzz
  const std::vector<std::string> whole = decode(text, options, 0);
  DENDRO_CHECK(whole == decode(text, options, 1U + (data[0] >> 4)));
  DENDRO_CHECK(whole.size() - 1 + std::stoul(whole.back()) == count_lines(text));
  options.joins_traces = true;
  const std::vector<std::string> joined = decode(text, options, 0);
  DENDRO_CHECK(joined == decode(text, options, 1U + (data[0] >> 4)));
  DENDRO_CHECK(joined.size() <= whole.size());
  return 0;
}
