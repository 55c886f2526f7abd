#include "services/evidence/chain_files.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hex.h"

namespace dendro {
namespace {

constexpr std::string_view kEntriesMagic = "DNDRCHN1";
constexpr std::string_view kLeavesMagic = "DNDRLVS1";
constexpr std::string_view kLeavesEnding = ".leaves";
constexpr std::size_t kLeafRowBytes = 8 + 8 + 32;
constexpr std::size_t kLeafHeadBytes = 4 + 8 + 8 + 8 + 8 + 4 + 32;
constexpr std::size_t kSectorBytes = 512;
/// Behind an entry: its signature, and a checksum that tells what a kill left from what somebody wrote.
constexpr std::size_t kFrameTailBytes = kChainSignatureBytes + sizeof(std::uint64_t);
/// A file of leaves and one more frame.
constexpr std::uint64_t kLeafFileBytesMax = 2 * kLeafFileBytes;
static_assert(kLeafHeadBytes + kChainEntryRecordsMax * kLeafRowBytes + 8 < kLeafFileBytes);

std::string entries_path(const std::string& folder) {
  return folder + "/entries";
}

Error damage_at(const std::string& path, std::uint64_t offset, std::string_view what) {
  return Error(ErrorCode::corruption, path + ": " + std::to_string(offset) + ": " + std::string(what));
}

/// True of what a kill can leave: the part of some sector that never came is zeros.
bool lacks_sector(std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const std::size_t rest = kSectorBytes - static_cast<std::size_t>(offset % kSectorBytes);
    const std::string_view part = bytes.substr(0, rest);
    if (part.find_first_not_of('\0') == std::string_view::npos) return true;
    bytes.remove_prefix(part.size());
    offset += part.size();
  }
  return false;
}

std::string encode_leaf_frame(std::uint64_t entry_index, std::uint64_t entry_offset, std::uint64_t first,
                              const Hash32& range_key, const std::vector<ChainLeaf>& leaves) {
  std::string frame;
  append_le(frame, static_cast<std::uint32_t>(kLeafHeadBytes - 4 + leaves.size() * kLeafRowBytes + 8));
  append_le(frame, entry_index);
  append_le(frame, entry_offset);
  append_le(frame, first);
  append_le(frame, leaves.back().sequence);
  append_le(frame, static_cast<std::uint32_t>(leaves.size()));
  frame.append(hash_bytes(range_key));
  for (const ChainLeaf& leaf : leaves) {
    append_le(frame, leaf.sequence);
    append_le(frame, leaf.timestamp_ns);
    frame.append(hash_bytes(leaf.hash));
  }
  append_le(frame, xxh3(frame, HashSeed(entry_index)));
  return frame;
}

/// @param bytes  of the frame without its length. Nothing: it is damaged.
std::optional<LeafFrame> decode_leaf_frame(std::string_view whole) {
  ByteReader reader(whole.substr(4));
  LeafFrame frame;
  frame.entry_index = reader.read_le<std::uint64_t>();
  frame.entry_offset = reader.read_le<std::uint64_t>();
  reader.read_le<std::uint64_t>();
  reader.read_le<std::uint64_t>();
  const auto count = reader.read_le<std::uint32_t>();
  const auto key = hash_from_bytes(reader.read_bytes(sizeof(Hash32)));
  if (!reader.ok() || !key || count > kChainEntryRecordsMax || reader.remaining() != count * kLeafRowBytes + 8) {
    return std::nullopt;
  }
  frame.range_key = *key;
  for (std::uint32_t i = 0; i < count; ++i) {
    ChainLeaf& leaf = frame.leaves.emplace_back();
    leaf.sequence = reader.read_le<std::uint64_t>();
    leaf.timestamp_ns = reader.read_le<std::int64_t>();
    leaf.hash = *hash_from_bytes(reader.read_bytes(sizeof(Hash32)));
  }
  const auto stored = reader.read_le<std::uint64_t>();
  if (stored != xxh3(whole.substr(0, whole.size() - 8), HashSeed(frame.entry_index))) return std::nullopt;
  return frame;
}

constexpr std::size_t leaf_frame_bytes(std::size_t leaves) {
  return kLeafHeadBytes + leaves * kLeafRowBytes + sizeof(std::uint64_t);
}

/// The frame that begins there; nothing where none is, or a damaged one.
std::optional<LeafFrame> leaf_frame_at(std::string_view bytes, std::size_t offset) {
  const std::string_view rest = bytes.substr(offset);
  const std::size_t length = rest.size() < 4 ? 0 : std::size_t{4} + load_le<std::uint32_t>(rest.data());
  if (length < kLeafHeadBytes || length > rest.size()) return std::nullopt;
  return decode_leaf_frame(rest.substr(0, length));
}

/// Names of leaf files, by rising first sequence number.
Result<std::vector<std::string>> leaf_file_names(FileSystem& files, const std::string& folder) {
  auto names = files.list(folder);
  if (!names && names.error().code() == ErrorCode::not_found) return std::vector<std::string>();
  if (!names) return names.error();
  std::erase_if(*names, [](const std::string& name) { return !name.ends_with(kLeavesEnding); });
  std::ranges::sort(*names);
  return names;
}

}  // namespace

// ---- ChainReader ----

Result<ChainReader> ChainReader::open(FileSystem& files, const std::string& folder) {
  const std::string path = entries_path(folder);
  DENDRO_TRY_ASSIGN(std::unique_ptr<RandomReader> file, files.open_reader(path));
  DENDRO_TRY_ASSIGN(const std::uint64_t size, file->size());
  ChainReader reader(path, std::move(file), size);
  if (size < kEntriesMagic.size()) {
    reader.torn_bytes_ = size;
    reader.offset_ = reader.size_ = 0;
    return reader;
  }
  DENDRO_TRY_ASSIGN(const std::string magic, reader.read(0, kEntriesMagic.size()));
  if (lacks_sector(magic, 0)) {
    reader.torn_bytes_ = size;
    reader.offset_ = reader.size_ = 0;
    return reader;
  }
  if (magic != kEntriesMagic) return damage_at(path, 0, "this is no chain of version 1");
  reader.offset_ = kEntriesMagic.size();
  return reader;
}

Result<std::string> ChainReader::read(std::uint64_t offset, std::size_t bytes) const {
  std::string out(bytes, '\0');
  DENDRO_TRY_ASSIGN(const std::size_t count, file_->read_at(offset, out));
  out.resize(count);
  return out;
}

Result<std::optional<SignedEntry>> ChainReader::read_at(std::uint64_t offset) const {
  if (offset + sizeof(std::uint32_t) > size_) return std::optional<SignedEntry>();
  DENDRO_TRY_ASSIGN(const std::string length_bytes, read(offset, sizeof(std::uint32_t)));
  const auto length = load_le<std::uint32_t>(length_bytes.data());
  const std::uint64_t end = offset + sizeof(std::uint32_t) + length;
  if (length <= kFrameTailBytes || length > kChainEntryBytesMax || end > size_) return std::optional<SignedEntry>();
  DENDRO_TRY_ASSIGN(const std::string bytes, read(offset + sizeof(std::uint32_t), length));
  const std::string_view hashed = std::string_view(bytes).substr(0, length - sizeof(std::uint64_t));
  if (load_le<std::uint64_t>(bytes.data() + hashed.size()) != xxh3(hashed, HashSeed(offset))) {
    return std::optional<SignedEntry>();
  }
  SignedEntry entry;
  entry.encoded = hashed.substr(0, length - kFrameTailBytes);
  entry.signature = hashed.substr(length - kFrameTailBytes);
  entry.hash = chain_entry_hash(entry.encoded);
  entry.offset = offset;
  auto decoded = decode_chain_entry(entry.encoded);
  if (!decoded && decoded.error().code() == ErrorCode::corruption) return std::optional<SignedEntry>();
  if (!decoded) return decoded.error();
  entry.entry = std::move(*decoded);
  return std::optional(std::move(entry));
}

Result<std::optional<SignedEntry>> ChainReader::next() {
  if (offset_ >= size_) return std::optional<SignedEntry>();
  DENDRO_TRY_ASSIGN(auto entry, read_at(offset_));
  if (entry) {
    offset_ += sizeof(std::uint32_t) + entry->encoded.size() + kFrameTailBytes;
    return entry;
  }
  // What a kill left reaches beyond the file, or was never written.
  const std::uint64_t rest = size_ - offset_;
  DENDRO_TRY_ASSIGN(const std::string bytes,
                    read(offset_, static_cast<std::size_t>(std::min<std::uint64_t>(rest, kChainEntryBytesMax))));
  const std::uint32_t length = rest < sizeof(std::uint32_t) ? 0 : load_le<std::uint32_t>(bytes.data());
  const bool is_short = rest < sizeof(std::uint32_t) || (length > kFrameTailBytes && length <= kChainEntryBytesMax &&
                                                         rest < sizeof(std::uint32_t) + length);
  if (!is_short && !lacks_sector(bytes, offset_)) return damage_at(path_, offset_, "no entry can be read here");
  torn_bytes_ = rest;
  size_ = offset_;
  return std::optional<SignedEntry>();
}

Result<SignedEntry> ChainReader::at(std::uint64_t offset) const {
  DENDRO_TRY_ASSIGN(auto entry, read_at(offset));
  if (!entry) return damage_at(path_, offset, "no entry can be read here");
  return std::move(*entry);
}

// ---- LeafReader ----

Result<LeafReader> LeafReader::open(FileSystem& files, const std::string& folder) {
  DENDRO_TRY_ASSIGN(std::vector<std::string> names, leaf_file_names(files, folder));
  return LeafReader(files, folder, std::move(names));
}

Result<std::optional<LeafFrame>> LeafReader::next() {
  while (at_ >= bytes_.size()) {
    if (next_file_ >= names_.size()) return std::optional<LeafFrame>();
    const std::string path = folder_ + "/" + names_[next_file_++];
    DENDRO_TRY_ASSIGN(bytes_, read_whole_file(*files_, path, kLeafFileBytesMax));
    at_ = kLeavesMagic.size();
    const bool is_last = next_file_ == names_.size();
    if (bytes_.starts_with(kLeavesMagic)) continue;
    const bool is_torn = is_last && (bytes_.size() < kLeavesMagic.size() || lacks_sector(bytes_, 0));
    bytes_.clear();
    if (is_torn) continue;
    return damage_at(path, 0, "these are no leaves of version 1");
  }
  const std::string_view rest = std::string_view(bytes_).substr(at_);
  const std::size_t length = rest.size() < 4 ? 0 : std::size_t{4} + load_le<std::uint32_t>(rest.data());
  auto frame = leaf_frame_at(bytes_, at_);
  if (frame) {
    at_ += length;
    return frame;
  }
  const std::uint64_t offset = at_;
  const std::string path = folder_ + "/" + names_[next_file_ - 1];
  const bool is_last_file = next_file_ == names_.size();
  const bool is_torn = is_last_file && (length > rest.size() || rest.size() < 4 || lacks_sector(rest, offset));
  bytes_.clear();
  at_ = 0;
  if (is_torn) return std::optional<LeafFrame>();
  return damage_at(path, offset, "no leaves can be read here");
}

Result<std::optional<LeafFrame>> LeafReader::covering(std::uint64_t sequence) {
  // The last file whose name, the first sequence number in it, is not above.
  const std::string name = to_hex16(sequence) + std::string(kLeavesEnding);
  const auto behind = std::ranges::upper_bound(names_, name);
  next_file_ = behind == names_.begin() ? 0 : static_cast<std::size_t>(behind - names_.begin()) - 1;
  bytes_.clear();
  at_ = 0;
  for (;;) {
    DENDRO_TRY_ASSIGN(auto frame, next());
    if (!frame || frame->leaves.back().sequence >= sequence) return frame;
  }
}

// ---- ChainWriter ----

Result<std::unique_ptr<ChainWriter>> ChainWriter::open(FileSystem& files, std::string folder) {
  std::unique_ptr<ChainWriter> writer(new ChainWriter(files, std::move(folder)));
  DENDRO_TRY(writer->recover());
  return writer;
}

Status ChainWriter::recover() {
  const std::string path = entries_path(folder_);
  if (!files_.exists(path)) {
    DENDRO_TRY(files_.create_directories(folder_));
    DENDRO_TRY_ASSIGN(entries_, files_.open_writable(path, OpenMode::create_private));
  } else {
    DENDRO_TRY_ASSIGN(ChainReader reader, ChainReader::open(files_, folder_));
    for (;;) {
      DENDRO_TRY_ASSIGN(const auto entry, reader.next());
      if (!entry) break;
      const Hash32 previous = head_ ? head_->hash : Hash32{};
      if (entry->entry.previous != previous || entry->entry.index != (head_ ? head_->entry.index + 1 : 0)) {
        return damage_at(path, entry->offset, "the entry does not follow the one before");
      }
      take(*entry);
    }
    entries_bytes_ = reader.offset();
    DENDRO_TRY_ASSIGN(entries_, files_.open_writable(path, OpenMode::open_existing));
    DENDRO_TRY(entries_->truncate(entries_bytes_));
  }
  if (entries_bytes_ < kEntriesMagic.size()) {
    const std::string_view magic = kEntriesMagic;
    DENDRO_TRY(entries_->write_at(0, {&magic, 1}));
    entries_bytes_ = kEntriesMagic.size();
  }
  DENDRO_TRY(entries_->sync());
  DENDRO_TRY(files_.sync_directory(folder_));
  return cut_leaves();
}

void ChainWriter::take(const SignedEntry& entry) {
  head_ = entry;
  if (const auto* begin = std::get_if<ChainBegin>(&entry.entry.body)) public_key_ = begin->public_key;
  if (const auto* key = std::get_if<ChainNewKey>(&entry.entry.body)) public_key_ = key->public_key;
  if (const auto* records = std::get_if<ChainRecords>(&entry.entry.body)) {
    sealed_through_ = records->last;
    last_records_index_ = entry.entry.index;
    if (records->scope == EvidenceScope::all) scope_ = EvidenceScope::all;
  }
}

Status ChainWriter::cut_leaves() {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, leaf_file_names(files_, folder_));
  if (names.empty()) return {};
  leaf_file_ = names.back();
  const std::string path = folder_ + "/" + leaf_file_;
  DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files_, path, kLeafFileBytesMax));
  std::size_t at = bytes.starts_with(kLeavesMagic) ? kLeavesMagic.size() : 0;
  std::optional<std::uint64_t> last_index;
  while (at > 0) {
    const auto frame = leaf_frame_at(bytes, at);
    if (!frame || frame->entry_offset >= entries_bytes_) break;
    last_index = frame->entry_index;
    at += leaf_frame_bytes(frame->leaves.size());
  }
  leaf_bytes_ = at;
  if (at == bytes.size()) return {};
  // What goes is what no entry follows. Leaves that an entry needs are never cut, however damaged they look.
  const bool has_all = last_index ? last_index == last_records_index_ : names.size() > 1 || !last_records_index_;
  if (!has_all) return damage_at(path, at, "leaves that an entry needs cannot be read");
  DENDRO_TRY_ASSIGN(auto file, files_.open_writable(path, OpenMode::open_existing));
  DENDRO_TRY(file->truncate(at));
  return file->sync();
}

Status ChainWriter::forget_leaves() {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, leaf_file_names(files_, folder_));
  leaf_file_.clear();
  leaf_bytes_ = 0;
  for (const std::string& name : names) DENDRO_TRY(files_.remove(folder_ + "/" + name));
  return files_.sync_directory(folder_);
}

Status ChainWriter::append_leaves(std::uint64_t first, const Hash32& range_key, const std::vector<ChainLeaf>& leaves) {
  const std::uint64_t index = head_ ? head_->entry.index + 1 : 0;
  const std::string frame = encode_leaf_frame(index, entries_bytes_, first, range_key, leaves);
  std::unique_ptr<WritableFile> file;
  const bool begins = leaf_file_.empty() || leaf_bytes_ >= kLeafFileBytes;
  if (begins) {
    leaf_file_ = to_hex16(first) + std::string(kLeavesEnding);
    leaf_bytes_ = 0;
    DENDRO_TRY_ASSIGN(file, files_.open_writable(folder_ + "/" + leaf_file_, OpenMode::create_private));
  } else {
    DENDRO_TRY_ASSIGN(file, files_.open_writable(folder_ + "/" + leaf_file_, OpenMode::open_existing));
  }
  const std::array<std::string_view, 2> parts = {leaf_bytes_ == 0 ? kLeavesMagic : std::string_view(), frame};
  DENDRO_TRY(file->write_at(leaf_bytes_, parts));
  DENDRO_TRY(file->sync());
  if (begins) DENDRO_TRY(files_.sync_directory(folder_));
  leaf_bytes_ += parts[0].size() + frame.size();
  return {};
}

Result<SignedEntry> ChainWriter::append(ChainEntry entry, const SignatureKey& key, const Hash32& range_key,
                                        const std::vector<ChainLeaf>& leaves) {
  entry.index = head_ ? head_->entry.index + 1 : 0;
  entry.previous = head_ ? head_->hash : Hash32{};
  if (const auto* records = std::get_if<ChainRecords>(&entry.body)) {
    DENDRO_TRY(append_leaves(records->first, range_key, leaves));
  }
  SignedEntry made;
  made.encoded = encode_chain_entry(entry);
  made.hash = chain_entry_hash(made.encoded);
  made.entry = std::move(entry);
  made.offset = entries_bytes_;
  DENDRO_TRY_ASSIGN(made.signature, key.sign(chain_signed_bytes(made.hash)));
  std::string frame;
  append_le(frame, static_cast<std::uint32_t>(made.encoded.size() + kFrameTailBytes));
  frame.append(made.encoded).append(made.signature);
  append_le(frame, xxh3(std::string_view(frame).substr(sizeof(std::uint32_t)), HashSeed(entries_bytes_)));
  const std::string_view bytes = frame;
  DENDRO_TRY(entries_->write_at(entries_bytes_, {&bytes, 1}));
  DENDRO_TRY(entries_->sync());
  entries_bytes_ += frame.size();
  take(made);
  return made;
}

}  // namespace dendro
