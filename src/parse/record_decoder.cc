#include "parse/record_decoder.h"

#include <string>
#include <utility>

#include "parse/json_record_decoder.h"
#include "parse/line_record_decoder.h"
#include "parse/lines/formatted_line_decoder.h"

namespace dendro {
namespace {

/// Those that `options` name; plain text is what remains where none of them takes a line.
std::vector<std::unique_ptr<LineFormat>> line_formats_of(const DecoderOptions& options, Timestamp receive_time) {
  const LineTimeDefaults times{options.reference_time.value_or(receive_time), options.mapping.default_offset_s};
  std::vector<std::unique_ptr<LineFormat>> formats;
  const auto add = [&](ParseFormat format) {
    if (auto made = make_line_format(format, times)) formats.push_back(std::move(made));
  };
  add(options.format);
  for (const ParseFormat other : options.others) add(other);
  return formats;
}

}  // namespace

Result<std::unique_ptr<RecordDecoder>> make_record_decoder(DecoderOptions options, BatchFiller& filler,
                                                           RejectHandler on_reject) {
  if (options.format == ParseFormat::auto_detect)
    return Error(ErrorCode::invalid_argument, "format auto must be settled before decoding");
  if (!parse_format_is_built(options.format)) {
    return Error(ErrorCode::unimplemented, "format \"" + std::string(parse_format_name(options.format)) +
                                               "\" is not built yet; use auto, json or text");
  }
  if (options.format == ParseFormat::json && options.others.empty()) {
    return std::unique_ptr<RecordDecoder>(
        std::make_unique<JsonRecordDecoder>(std::move(options), filler, std::move(on_reject)));
  }
  auto formats = line_formats_of(options, filler.receive_time());
  if (formats.empty()) {
    return std::unique_ptr<RecordDecoder>(
        std::make_unique<LineRecordDecoder>(std::move(options), filler, std::move(on_reject)));
  }
  return std::unique_ptr<RecordDecoder>(
      std::make_unique<FormattedLineDecoder>(std::move(options), std::move(formats), filler, std::move(on_reject)));
}

}  // namespace dendro
