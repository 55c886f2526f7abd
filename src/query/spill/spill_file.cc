#include "query/spill/spill_file.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/bytes.h"
#include "base/checksum.h"
#include "codec/block_codec.h"
#include "io/file_system.h"
#include "query/plan/query_engine.h"

namespace dendro {
namespace {

/// A block: checksum u64 of all that follows, seeded with its offset; plain size u32; stored size u32; codec u8; bytes.
constexpr std::size_t kSpillHeaderBytes = 17;
constexpr std::string_view kSpillPrefix = "dendro-spill-";
constexpr int kNamesTried = 10'000;
/// How much may be written before the disk is asked again how much is free.
constexpr std::uint64_t kSpaceCheckBytes = std::uint64_t{64} << 20;

}  // namespace

struct SpillFile::Handles {
  std::unique_ptr<WritableFile> writer;
  std::unique_ptr<RandomReader> reader;
};

struct SpillSpace::Packer {
  BlockCompressor compressor{1};
};

SpillFile::SpillFile(SpillSpace& space, std::unique_ptr<Handles> handles)
    : space_(space), handles_(std::move(handles)) {}

SpillFile::~SpillFile() {
  space_.bytes_ -= bytes_;
}

Result<SpillBlock> SpillFile::append(std::string_view plain) {
  if (space_.packer_ == nullptr) space_.packer_ = std::make_unique<SpillSpace::Packer>();
  const BlockCompressor::Packed packed = space_.packer_->compressor.pack(plain);
  const std::uint64_t stored_bytes = kSpillHeaderBytes + packed.bytes.size();
  if (plain.size() > std::numeric_limits<std::uint32_t>::max() / 2) {
    return Error(ErrorCode::too_large, "a temporary block of " + std::to_string(plain.size()) + " bytes");
  }
  DENDRO_TRY(space_.take(stored_bytes));
  std::string header;
  append_le(header, static_cast<std::uint32_t>(plain.size()));
  append_le(header, static_cast<std::uint32_t>(packed.bytes.size()));
  header.push_back(static_cast<char>(packed.codec));
  std::string checksum;
  append_le(checksum, xxh3(header, packed.bytes, HashSeed(bytes_)));
  const std::array<std::string_view, 3> parts = {checksum, header, packed.bytes};
  const SpillBlock block{bytes_, static_cast<std::uint32_t>(stored_bytes)};
  bytes_ += stored_bytes;  // also if it fails: some of it may be there
  DENDRO_TRY(handles_->writer->write_at(block.offset, parts));
  space_.written_bytes_ += stored_bytes;
  return block;
}

Status SpillFile::read(const SpillBlock& block, std::string& plain) {
  buffer_.resize(block.stored_bytes);
  DENDRO_TRY_ASSIGN(const std::size_t count, handles_->reader->read_at(block.offset, buffer_));
  const std::string_view stored(buffer_);
  if (count < block.stored_bytes || stored.size() < kSpillHeaderBytes) {
    return Error(ErrorCode::corruption, "temporary file of the query: its end is missing");
  }
  const std::string_view header = stored.substr(8, kSpillHeaderBytes - 8);
  const std::string_view bytes = stored.substr(kSpillHeaderBytes);
  if (load_le<std::uint64_t>(stored.data()) != xxh3(header, bytes, HashSeed(block.offset)) ||
      load_le<std::uint32_t>(header.data() + 4) != bytes.size()) {
    return Error(ErrorCode::corruption, "temporary file of the query: block checksum mismatch");
  }
  return unpack_block(static_cast<BlockCodec>(header[8]), bytes, load_le<std::uint32_t>(header.data()), plain);
}

SpillSpace::SpillSpace(std::shared_ptr<const SpillPlace> place, std::uint64_t bytes_max)
    : place_(std::move(place)), bytes_max_(bytes_max) {}

SpillSpace::~SpillSpace() {
  for (const std::string& path : names_not_gone_) (void)place_->files->remove(path);
}

Result<std::unique_ptr<SpillFile>> SpillSpace::open_file() {
  FileSystem& files = *place_->files;
  if (!files.exists(place_->directory)) DENDRO_TRY(files.create_directories(place_->directory));
  auto handles = std::make_unique<SpillFile::Handles>();
  std::string path;
  for (int number = 0; handles->writer == nullptr; ++number) {
    path = place_->directory + "/" + std::string(kSpillPrefix) + std::to_string(number);
    auto writer = files.open_writable(path, OpenMode::create_new);
    if (writer) {
      handles->writer = std::move(*writer);
    } else if (writer.error().code() != ErrorCode::already_exists || number >= kNamesTried) {
      return writer.error();
    }
  }
  auto reader = files.open_reader(path);
  const Status removed = remove(path);
  if (!reader) return reader.error();
  DENDRO_TRY(removed);
  handles->reader = std::move(*reader);
  return std::unique_ptr<SpillFile>(new SpillFile(*this, std::move(handles)));
}

Status SpillSpace::remove(const std::string& path) {
  Status removed = place_->files->remove(path);
  if (removed || removed.error().code() == ErrorCode::not_found) return {};
  names_not_gone_.push_back(path);
  return removed;
}

Status SpillSpace::check_room(std::uint64_t bytes) {
  if (bytes > bytes_max_ || bytes_ > bytes_max_ - bytes) {
    return Error(ErrorCode::resource_exhausted,
                 "the query's temporary files reach " + std::to_string(bytes_max_) + " bytes");
  }
  if (checked_bytes_ >= bytes || !place_->files->exists(place_->directory)) return {};
  DENDRO_TRY_ASSIGN(const DiskSpace space, place_->files->disk_space(place_->directory));
  const auto share = static_cast<std::uint64_t>(static_cast<double>(space.total_bytes) * place_->free_share_min);
  const std::uint64_t kept_free = std::max(place_->free_bytes_min, share);
  if (space.free_bytes < kept_free || space.free_bytes - kept_free < bytes) {
    return Error(ErrorCode::resource_exhausted, place_->directory + ": " + std::to_string(space.free_bytes) +
                                                    " bytes are free, " + std::to_string(kept_free) +
                                                    " of them are kept for records");
  }
  checked_bytes_ = std::min(space.free_bytes - kept_free, std::max(bytes, kSpaceCheckBytes));
  return {};
}

Status SpillSpace::take(std::uint64_t bytes) {
  DENDRO_TRY(check_room(bytes));
  checked_bytes_ -= std::min(bytes, checked_bytes_);
  bytes_ += bytes;
  return {};
}

Status clear_spill_directory(FileSystem& files, const std::string& directory) {
  if (!files.exists(directory)) return {};
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) {
    if (name.starts_with(kSpillPrefix)) DENDRO_TRY(files.remove(directory + "/" + name));
  }
  return {};
}

}  // namespace dendro
