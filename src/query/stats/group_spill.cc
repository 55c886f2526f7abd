#include "query/stats/group_spill.h"

#include <utility>

#include "base/bytes.h"
#include "base/checksum.h"

namespace dendro {

Status GroupSpill::put(std::string_view group, std::string_view row) {
  if (file_ == nullptr) {
    DENDRO_TRY_ASSIGN(file_, context_.spill.open_file());
  }
  const std::size_t partition = xxh3(group, HashSeed(depth_)) % kPartitions;
  append_sized(rows_[partition], row);
  return rows_[partition].size() < kAsideBlockBytes ? Status() : flush(partition);
}

Status GroupSpill::flush(std::size_t partition) {
  DENDRO_TRY_ASSIGN(const SpillBlock block, file_->append(rows_[partition]));
  blocks_[partition].push_back(block);
  rows_[partition].clear();
  return {};
}

Result<bool> GroupSpill::start_next() {
  for (std::size_t i = 0; i < kPartitions && file_ != nullptr; ++i) {
    if (!rows_[i].empty()) DENDRO_TRY(flush(i));
    if (!blocks_[i].empty()) waiting_.push_back({file_, std::exchange(blocks_[i], {}), depth_ + 1});
  }
  file_.reset();
  read_ = Partition();
  if (waiting_.empty()) return false;
  read_ = std::move(waiting_.back());
  waiting_.pop_back();
  depth_ = read_.depth;
  next_block_ = 0;
  rest_ = {};
  return true;
}

Result<bool> GroupSpill::next_row(std::string_view& row) {
  if (rest_.empty()) {
    if (next_block_ >= read_.blocks.size()) return false;
    DENDRO_TRY(read_.file->read(read_.blocks[next_block_++], plain_));
    rest_ = plain_;
  }
  ByteReader reader(rest_);
  row = reader.read_sized();
  if (!reader.ok()) return Error(ErrorCode::corruption, "temporary file of the query: a row is cut short");
  rest_ = rest_.substr(rest_.size() - reader.remaining());
  return true;
}

}  // namespace dendro
