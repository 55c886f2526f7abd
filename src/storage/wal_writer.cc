#include "storage/wal_writer.h"

#include <algorithm>
#include <vector>

namespace dendro {

bool WalWriter::fits(std::uint64_t group_bytes) const {
  if (current_.file == nullptr) return false;
  return synced_offset_ == kWalHeaderBytes || group_bytes <= room();
}

Status WalWriter::rotate() {
  if (has_failed_) return Error(ErrorCode::io_error, "the WAL was given up after a failed write");
  DENDRO_TRY_ASSIGN(OpenWalFile next, files_.next());
  if (current_.file != nullptr) files_.close({current_.number, last_sequence_, current_.bytes});
  current_ = std::move(next);
  seed_ = wal_seed(store_id_, current_.number);
  synced_offset_ = kWalHeaderBytes;
  last_sequence_ = SequenceNumber();
  return {};
}

Status WalWriter::commit(std::span<const FramePlace> frames) {
  if (has_failed_) return Error(ErrorCode::io_error, "the WAL was given up after a failed write");
  std::vector<std::string_view> parts;
  parts.reserve(frames.size());
  std::uint64_t group_bytes = 0;
  for (const FramePlace& place : frames) {
    FrameHeader header;
    header.payload_bytes = place.draft->payload_bytes;
    header.wal_number = current_.number;
    header.first_sequence = place.first_sequence;
    header.record_count = place.draft->record_count;
    header.codec = place.draft->codec;
    header.frames_following = place.frames_following;
    header.synced_offset = synced_offset_;
    seal_frame(place.draft->image, header, seed_);
    parts.push_back(place.draft->image);
    group_bytes += place.draft->image.size();
  }
  DENDRO_TRY(write_and_sync(parts));
  synced_offset_ += group_bytes;
  bytes_written_ += group_bytes;
  current_.bytes = std::max(current_.bytes, synced_offset_);
  last_sequence_ = frames.back().first_sequence.next(frames.back().draft->record_count - 1);
  return {};
}

Status WalWriter::write_and_sync(std::span<const std::string_view> parts) {
  const Status written = current_.file->write_at(synced_offset_, parts);
  if (!written && written.error().code() == ErrorCode::storage_full) return cut_back(written.error());
  const Status synced = written ? current_.file->sync() : written;
  if (synced) return {};
  has_failed_ = true;
  return Error(ErrorCode::io_error, "WAL: " + synced.error().message());
}

Status WalWriter::cut_back(const Error& full) {
  // Synced before anything is written here again: a frame of the failed group must not come back behind later ones.
  Status cut = current_.file->truncate(synced_offset_);
  if (cut) cut = current_.file->sync();
  if (cut) {
    current_.bytes = synced_offset_;  // the next group takes a new file
    return full;
  }
  has_failed_ = true;
  return Error(ErrorCode::io_error, "WAL: " + cut.error().message() + ", after " + full.message());
}

}  // namespace dendro
