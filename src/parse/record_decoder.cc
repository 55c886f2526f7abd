#include "parse/record_decoder.h"

#include <string>
#include <utility>

#include "parse/json_record_decoder.h"
#include "parse/line_record_decoder.h"

namespace dendro {

Result<std::unique_ptr<RecordDecoder>> make_record_decoder(DecoderOptions options, BatchFiller& filler,
                                                           RejectHandler on_reject) {
  switch (options.format) {
    case ParseFormat::json:
      return std::unique_ptr<RecordDecoder>(
          std::make_unique<JsonRecordDecoder>(std::move(options), filler, std::move(on_reject)));
    case ParseFormat::text:
      return std::unique_ptr<RecordDecoder>(
          std::make_unique<LineRecordDecoder>(std::move(options), filler, std::move(on_reject)));
    case ParseFormat::auto_detect:
      return Error(ErrorCode::invalid_argument, "format auto must be settled before decoding");
    default:
      break;
  }
  return Error(ErrorCode::unimplemented, "format \"" + std::string(parse_format_name(options.format)) +
                                             "\" is not built yet; use auto, json or text");
}

}  // namespace dendro
