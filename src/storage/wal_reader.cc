#include "storage/wal_reader.h"

#include <algorithm>
#include <string>

namespace dendro {
namespace {

/// Walks one file. The parts of a walk in order: good frames, the first bad place, what follows it.
class WalWalk {
 public:
  WalWalk(std::string_view bytes, std::uint64_t file_bytes, WalNumber number, HashSeed seed)
      : bytes_(bytes), file_bytes_(std::max<std::uint64_t>(file_bytes, bytes.size())), number_(number), seed_(seed) {}

  Result<WalContents> run() {
    read_good_frames();
    DENDRO_TRY(judge_rest());
    keep_whole_requests();
    return std::move(contents_);
  }

 private:
  Result<WalFrame> frame_at(std::uint64_t offset) const {
    return parse_frame(bytes_.substr(std::min<std::uint64_t>(offset, bytes_.size())), number_, seed_);
  }

  /// A frame must go on where the one before it stopped: in sequence, and in the request's countdown.
  bool continues(const FrameHeader& header) const {
    if (contents_.frames.empty()) return true;
    const FrameHeader& before = contents_.frames.back().header;
    if (header.first_sequence != before.first_sequence.next(before.record_count)) return false;
    return before.frames_following == 0 || header.frames_following + 1 == before.frames_following;
  }

  void read_good_frames() {
    bad_offset_ = kWalHeaderBytes;
    for (;;) {
      const Result<WalFrame> frame = frame_at(bad_offset_);
      if (!frame || !continues(frame->header)) {
        bad_reason_ = frame ? "does not go on where the frame before it stopped" : frame.error().message();
        return;
      }
      contents_.frames.push_back(*frame);
      bad_offset_ += frame->bytes();
    }
  }

  /// Looks for later frames of this file at every place where one can begin.
  Status judge_rest() {
    std::uint64_t last_frame_end = bad_offset_;
    for (std::uint64_t offset = bad_offset_; offset + kFrameHeaderBytes <= bytes_.size();) {
      if (load_le<std::uint32_t>(bytes_.data() + offset) != kFrameMagic) {
        offset += kFrameAlignment;
        continue;
      }
      const Result<WalFrame> frame = frame_at(offset);
      if (!frame) {
        offset += kFrameAlignment;
        continue;
      }
      if (frame->header.synced_offset > bad_offset_) {
        return Error(ErrorCode::corruption, "bad frame at offset " + std::to_string(bad_offset_) + " (" + bad_reason_ +
                                                "), but the frame at " + std::to_string(offset) + " says that " +
                                                std::to_string(frame->header.synced_offset) +
                                                " bytes had been synced: acknowledged records are damaged");
      }
      offset += frame->bytes();
      last_frame_end = offset;
    }
    torn_end_ = std::max(last_frame_end, torn_frame_end());
    return {};
  }

  /// Where the frame that is torn at bad_offset_ would have ended, if its header can be read.
  std::uint64_t torn_frame_end() const {
    if (bad_offset_ + kFrameHeaderBytes > bytes_.size()) return bad_offset_;
    const char* at = bytes_.data() + bad_offset_;
    if (load_le<std::uint32_t>(at) != kFrameMagic || load_le<std::uint64_t>(at + 8) != number_.number())
      return bad_offset_;
    const auto payload_bytes = load_le<std::uint32_t>(at + 4);
    return std::min<std::uint64_t>(file_bytes_, bad_offset_ + frame_bytes(payload_bytes));
  }

  void keep_whole_requests() {
    std::uint64_t end = bad_offset_;
    auto& frames = contents_.frames;
    while (!frames.empty() && frames.back().header.frames_following != 0) {
      end -= frames.back().bytes();
      frames.pop_back();
    }
    contents_.end_offset = end;
    contents_.dropped_bytes = torn_end_ - end;
  }

  const std::string_view bytes_;
  const std::uint64_t file_bytes_;  ///< zeros follow up to here
  const WalNumber number_;
  const HashSeed seed_;
  WalContents contents_;
  std::uint64_t bad_offset_ = 0;
  std::string bad_reason_;
  std::uint64_t torn_end_ = 0;
};

}  // namespace

Result<WalContents> read_wal_file(std::string_view bytes, const Bytes16& store_id, WalNumber number,
                                  std::uint64_t file_bytes) {
  DENDRO_TRY(check_wal_header(bytes, store_id, number));
  return WalWalk(bytes, file_bytes, number, wal_seed(store_id, number)).run();
}

Result<WalContents> read_frames(std::string_view bytes, WalNumber number, HashSeed seed) {
  return WalWalk(bytes, bytes.size(), number, seed).run();
}

}  // namespace dendro
