#include "storage/segment/segment_file.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/checksum.h"
#include "storage/limits.h"

namespace dendro {
namespace {

// docs/formats/segment.md, "File".
constexpr std::size_t kHeaderStoreIdOffset = 16;
constexpr std::size_t kHeaderIdOffset = 32;
constexpr std::size_t kHeaderDayOffset = 40;
constexpr std::size_t kHeaderMajorOffset = 8;
constexpr std::size_t kHeaderMinorOffset = 10;
static_assert(kHeaderDayOffset + 2 * sizeof(std::int64_t) + sizeof(std::uint64_t) == kSegmentHeaderBytes);

Error file_damage(std::uint64_t offset, const std::string& what) {
  return Error(ErrorCode::corruption, "offset " + std::to_string(offset) + ": " + what);
}

Result<std::string> read_part(RandomReader& reader, std::uint64_t offset, std::size_t bytes) {
  std::string part(bytes, '\0');
  DENDRO_TRY_ASSIGN(const std::size_t count, reader.read_at(offset, part));
  if (count != bytes) return file_damage(offset + count, "the file ends here");
  return part;
}

/// Footer and what it says of the sections.
Status read_sections(RandomReader& reader, std::uint64_t size, SegmentDescription& file) {
  DENDRO_TRY_ASSIGN(const std::string tail, read_part(reader, size - kSegmentTailBytes, kSegmentTailBytes));
  Result<SegmentTail> parsed = parse_segment_tail(tail);
  if (!parsed) return file_damage(size - kSegmentTailBytes, parsed.error().message());
  file.tail = *parsed;
  if (file.tail.footer_offset > size || file.tail.footer_offset + file.tail.footer_bytes + kSegmentTailBytes != size) {
    return file_damage(size - kSegmentTailBytes, "tail: the footer lies outside");
  }
  DENDRO_TRY_ASSIGN(const std::string footer, read_part(reader, file.tail.footer_offset, file.tail.footer_bytes));
  if (xxh3(footer, HashSeed(file.meta.info.id.number())) != file.tail.footer_hash) {
    return file_damage(file.tail.footer_offset, "footer: checksum mismatch");
  }
  Result<std::vector<SectionEntry>> sections = parse_footer(footer);
  if (!sections) return sections.error().with_context("offset " + std::to_string(file.tail.footer_offset));
  file.sections = std::move(sections).value();
  return {};
}

Status read_meta(RandomReader& reader, SegmentDescription& file) {
  const auto section = std::find_if(file.sections.begin(), file.sections.end(),
                                    [](const SectionEntry& entry) { return entry.kind == SectionKind::meta; });
  if (section == file.sections.end()) return file_damage(file.tail.footer_offset, "META: missing");
  if (section->offset > file.tail.footer_offset || section->stored_bytes > file.tail.footer_offset - section->offset) {
    return file_damage(file.tail.footer_offset, "footer: a section lies outside");
  }
  DENDRO_TRY_ASSIGN(const std::string stored, read_part(reader, section->offset, section->stored_bytes));
  if (xxh3(stored, HashSeed(file.meta.info.id.number())) != section->hash) {
    return file_damage(section->offset, "META: checksum mismatch");
  }
  std::string plain;
  const Status unpacked = unpack_block(section->codec, stored, section->plain_bytes, plain);
  if (!unpacked) return file_damage(section->offset, "META: " + unpacked.error().message());
  Result<SegmentMeta> meta = parse_segment_meta(plain);
  if (!meta) return file_damage(section->offset, meta.error().message());
  meta->info.id = file.meta.info.id;
  meta->info.file_bytes = file.meta.info.file_bytes;
  meta->info.footer_hash = file.tail.footer_hash;
  file.meta = std::move(meta).value();
  return {};
}

}  // namespace

Result<SegmentHeader> parse_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return file_damage(bytes.size(), "header: the file is cut off");
  SegmentHeader header;
  bytes.substr(kHeaderStoreIdOffset).copy(reinterpret_cast<char*>(header.store_id.data()), header.store_id.size());
  header.major = load_le<std::uint16_t>(bytes.data() + kHeaderMajorOffset);
  header.minor = load_le<std::uint16_t>(bytes.data() + kHeaderMinorOffset);
  header.id = SegmentId(load_le<std::uint64_t>(bytes.data() + kHeaderIdOffset));
  header.day = Timestamp(load_le<std::int64_t>(bytes.data() + kHeaderDayOffset));
  // The checksum is seeded with the id, which proves that one as well.
  const Status checked = check_segment_header(bytes, header.store_id, header.id);
  if (!checked) return checked.error().with_context("offset 0");
  return header;
}

Status describe_segment(FileSystem& files, const std::string& path, SegmentDescription& file) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RandomReader> reader, files.open_reader(path));
  DENDRO_TRY_ASSIGN(const std::uint64_t size, reader->size());
  file.meta.info.file_bytes = size;
  DENDRO_TRY_ASSIGN(const std::string front, read_part(*reader, 0, std::min<std::uint64_t>(size, kSegmentHeaderBytes)));
  DENDRO_TRY_ASSIGN(file.header, parse_segment_header(front));
  if (size < kSegmentHeaderBytes + kSegmentTailBytes) return file_damage(size, "the file is cut off");
  file.meta.info.id = file.header.id;
  DENDRO_TRY(read_sections(*reader, size, file));
  DENDRO_TRY(read_meta(*reader, file));
  if (file.meta.info.day != file.header.day)
    return file_damage(kHeaderDayOffset, "header and META name different days");
  return {};
}

}  // namespace dendro
