#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codec/block_codec.h"
#include "record/record_batch.h"
#include "storage/segment/row_group.h"
#include "storage/segment/segment_dictionary.h"

namespace dendro {

/// A record to be written; the batch outlives the encoding of its row group.
struct SegmentRow {
  const RecordBatch* batch = nullptr;
  std::uint32_t row = 0;
  SequenceNumber sequence;
  Timestamp receive_time;  ///< of the record's request
};

/// best: whatever is smallest. plain: strings as text, without templates, references and times, for a row group that
/// did not come back from its best form.
enum class EncodeForm : std::uint8_t { best, plain };

/// Turns records into the blocks of a row group. Its memory is reused from one to the next. Not thread-safe.
class RowGroupEncoder {
 public:
  /// Both outlive this.
  RowGroupEncoder(SegmentDictionaryBuilder& dictionary, BlockCompressor& compressor);
  ~RowGroupEncoder();

  /// Encodes the first `record_count` of the rows, all of them unless a column would get more than kMaxColumnValues: a
  /// path may stand in a record more than once.
  /// @param rows  at least 1, by (timestamp, sequence).
  /// @param stored  the blocks are appended; offsets in the entry count from its size before the call. Hashes are left
  /// 0.
  RowGroupEntry encode(std::span<const SegmentRow> rows, EncodeForm form, std::string& stored);

 private:
  struct Work;
  const std::unique_ptr<Work> work_;
};

}  // namespace dendro
