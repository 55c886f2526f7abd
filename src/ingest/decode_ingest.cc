#include "ingest/decode_ingest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ingest/dead_letter.h"
#include "ingest/limits.h"
#include "parse/lines/format_detector.h"
#include "parse/record_decoder.h"

namespace dendro {
namespace {

struct MediaChoice {
  ParseFormat format = ParseFormat::json;
  JsonFraming framing = JsonFraming::document;
  std::vector<ParseFormat> others = {};
};

/// "application/json; charset=utf-8" -> "application/json", ASCII lower case.
std::string media_type_of(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

/// clients.md 3.1 and 3.2: `?format=` first, then the media types that are believed, then the first byte;
/// `?format=auto` asks for a closer look.
MediaChoice choose_media(const IngestRequest& request, const IngestOptions& options) {
  const std::string type = media_type_of(request.content_type);
  const bool is_lines = type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl";
  const JsonFraming framing = is_lines ? JsonFraming::lines : JsonFraming::document;
  if (options.format != ParseFormat::auto_detect) return {options.format, framing};
  if (is_lines || type == "application/json") return {ParseFormat::json, framing};
  if (type == "text/plain" && !options.format_is_given) return {ParseFormat::text, framing};
  if (!options.format_is_given) return {detect_format(request.body).value_or(ParseFormat::text), framing};
  DetectedFormat detected =
      detect_log_format(request.body, SampleEnd::whole, {request.receive_time, options.mapping.default_offset_s});
  return {detected.format, framing, std::move(detected.others)};
}

}  // namespace

Result<DecodedRequest> decode_ingest(const IngestRequest& request, const IngestOptions& options) {
  const MediaChoice media = choose_media(request, options);
  DecoderOptions decoder_options;
  decoder_options.format = media.format;
  decoder_options.framing = media.framing;
  decoder_options.others = media.others;
  decoder_options.mapping = options.mapping;
  // First, so that none of the sender's can take its place.
  decoder_options.mapping.labels.insert(decoder_options.mapping.labels.begin(), {"dendro.source", options.dialect});

  BatchFiller filler(request.receive_time);
  DecodedRequest decoded;
  const DeadLetterOrigin origin{options.dialect, request.request_id};
  std::size_t dead_letters = 0;
  const auto on_reject = [&](const RejectedRecord& record) {
    if (decoded.errors.size() < kMaxListedErrors) {
      decoded.errors.push_back({record.index, record.cause.reason, record.cause.detail});
    }
    if (dead_letters++ < kMaxDeadLetters) add_dead_letter(filler, record, origin);
  };
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RecordDecoder> decoder,
                    make_record_decoder(std::move(decoder_options), filler, on_reject));
  decoder->decode(request.body, InputEnd::last);
  filler.flush();
  decoded.batches = filler.take_batches();
  decoded.accepted = decoder->accepted();
  decoded.rejected = decoder->rejected();
  return decoded;
}

CommitRequest to_commit_request(DecodedRequest&& decoded, const TenantId& tenant, Timestamp receive_time) {
  CommitRequest request;
  request.tenant = tenant;
  request.batches = std::move(decoded.batches);
  request.receive_time = receive_time;
  request.accepted = decoded.accepted;
  request.rejected = decoded.rejected;
  return request;
}

}  // namespace dendro
