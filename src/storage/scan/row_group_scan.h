#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "record/record_block.h"
#include "storage/scan/row_reducer.h"
#include "storage/scan/segment_filter.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/row_group_reader.h"
#include "storage/snapshot.h"

namespace dendro {

/// What all row groups of one scan share. Not thread-safe.
struct RowGroupScanTools {
  SegmentFilter* filter = nullptr;  ///< null: RecordFilter::select decides alone
  RowReducer* reducer = nullptr;    ///< null: records are wanted whole
};

/// The matching records of one row group, slice by slice in the order of the scan. Not thread-safe.
class RowGroupScan {
 public:
  /// Decides which records match, as far as columns tell. All outlive this. Errors: those of RowGroupReader.
  static Result<std::unique_ptr<RowGroupScan>> open(const Segment& segment, const SegmentTables& tables,
                                                    std::uint32_t row_group, PieceCache& cache,
                                                    const ScanRequest& request, RowGroupScanTools tools);

  /// The next records, or nothing at the end. A block's rows may be fewer than were decoded, even none.
  Result<std::optional<RecordBlock>> next();
  /// The time of the first record of the next slice; nothing at the end.
  std::optional<Timestamp> next_time() const;

 private:
  RowGroupScan(const Segment& segment, const SegmentTables& tables, std::uint32_t row_group, PieceCache& cache,
               const ScanRequest& request, RowGroupScanTools tools);
  Status select();
  Status choose_rows();
  void note_read();
  Status cut_to_range(RowBitmap& rows);
  Status cut_to_sequences(RowBitmap& rows);
  Result<bool> reduce(const RowBitmap& rows);

  RowGroupReader reader_;
  RecordDecoder decoder_;
  const ScanRequest& request_;
  const RowGroupScanTools tools_;
  std::shared_ptr<const NumberColumn<std::int64_t>> timestamps_;
  std::optional<RecordBlock> reduced_;  ///< all there is, once it was made
  std::vector<std::uint32_t> rows_;     ///< ascending
  ScanFate fate_ = ScanFate::read;
  bool is_exact_ = false;  ///< all of them match; otherwise the filter must look at each
  std::size_t done_ = 0;   ///< rows handed on, from the end the scan begins at
  std::size_t slice_rows_;
};

}  // namespace dendro
