#include "storage/segment/segment_recompress.h"

#include "codec/block_codec.h"

namespace dendro {
namespace {

class SegmentRecompression {
 public:
  SegmentRecompression(const Segment& input, int zstd_level, SegmentFileWriter& out,
                       const std::function<Status()>& pause, bool& is_input_bad)
      : input_(input), compressor_(zstd_level), out_(out), pause_(pause), is_input_bad_(is_input_bad) {}

  Result<SegmentInfo> run() {
    DENDRO_TRY_ASSIGN(const std::shared_ptr<const SegmentTables> tables, of_input(input_.tables()));
    for (const RowGroupEntry& group : tables->row_groups) DENDRO_TRY(copy_row_group(group));
    for (const ReceiveTime& time : tables->receive_times) out_.add_receive_time(time);
    if (out_.info().record_count != input_.info().record_count) {
      is_input_bad_ = true;
      return Error(ErrorCode::corruption, "segment " + input_.path() + ": has " +
                                              std::to_string(out_.info().record_count) + " records, not " +
                                              std::to_string(input_.info().record_count));
    }
    return out_.finish(tables->dictionary->bytes());
  }

 private:
  template <typename T>
  Result<T> of_input(Result<T> result) {
    is_input_bad_ = !result.has_value();
    return result;
  }

  Status copy_row_group(RowGroupEntry group) {
    stored_.clear();
    for (BlockPlace& block : group.blocks) {
      if (pause_) DENDRO_TRY(pause_());
      DENDRO_TRY_ASSIGN(const std::string plain, of_input(input_.read_block(block)));
      DENDRO_TRY(pack(plain, block));
    }
    return out_.add_row_group(std::move(group), stored_);
  }

  Status pack(const std::string& plain, BlockPlace& block) {
    const BlockCompressor::Packed packed = compressor_.pack(plain);
    DENDRO_TRY(unpack_block(packed.codec, packed.bytes, plain.size(), unpacked_));
    if (unpacked_ != plain) {
      return Error(ErrorCode::internal, "segment " + input_.path() + ": block at offset " +
                                            std::to_string(block.offset) + " does not come back when packed anew");
    }
    block.codec = packed.codec;
    block.offset = stored_.size();
    block.stored_bytes = static_cast<std::uint32_t>(packed.bytes.size());
    stored_.append(packed.bytes);
    return {};
  }

  const Segment& input_;
  BlockCompressor compressor_;
  SegmentFileWriter& out_;
  const std::function<Status()>& pause_;
  bool& is_input_bad_;
  std::string stored_;    ///< blocks of the row group at hand
  std::string unpacked_;  ///< of the block at hand
};

}  // namespace

Result<SegmentInfo> recompress_segment(const Segment& input, int zstd_level, SegmentFileWriter& out,
                                       const std::function<Status()>& pause, bool& is_input_bad) {
  is_input_bad = false;
  return SegmentRecompression(input, zstd_level, out, pause, is_input_bad).run();
}

}  // namespace dendro
