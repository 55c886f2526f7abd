#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "parse/record_decoder.h"
#include "parse/record_mapper.h"

namespace dendro {

/// Plain text: a record a line, the line without its LF or CRLF is the body. Lines of white space are no records. A
/// line that is no UTF-8 is a body of bytes. Decoders of formats that have a record a line derive from it. Not
/// thread-safe.
class LineRecordDecoder : public RecordDecoder {
 public:
  LineRecordDecoder(DecoderOptions options, BatchFiller& filler, RejectHandler on_reject);
  std::size_t decode(std::string_view text, InputEnd end) final;

 protected:
  /// Adds the record of a line that is not blank.
  virtual std::optional<RejectCause> add_line(std::string_view line) { return mapper_.add_line(line); }
  RecordMapper& mapper() { return mapper_; }

 private:
  void decode_line(std::string_view line);
  void reject(RejectCause cause, std::string_view raw);

  const DecoderOptions options_;
  RejectHandler on_reject_;
  RecordMapper mapper_;
  bool at_start_ = true;
  bool skipping_ = false;  ///< inside a line that was too long for the window
};

}  // namespace dendro
