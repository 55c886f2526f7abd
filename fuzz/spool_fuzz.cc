// Reads any bytes as a spool file and what its frames say. The first byte chooses how far checks are helped over, since
// a fuzzer does not guess checksums: 0 as they are, 1 the hash of every stretch that is framed is made good in a file
// of version 1, 2 and more in one of this version.

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/spool/spool_format.h"
#include "storage/wal_reader.h"

namespace {

using namespace dendro;

constexpr Bytes16 kFuzzQueueId{7};
constexpr WalNumber kFuzzFile{1};

void mend_spool_frames(std::string& file, std::uint16_t version) {
  file.replace(0, std::min(file.size(), kWalHeaderBytes),
               encode_spool_header({kFuzzQueueId, kFuzzFile, Timestamp(0), QueueMessageId(1), version}));
  for (std::size_t offset = kWalHeaderBytes; offset + kFrameHeaderBytes <= file.size();) {
    FrameHeader header;
    const char* at = file.data() + offset;
    header.payload_bytes = load_le<std::uint16_t>(at + 4);
    header.wal_number = kFuzzFile;
    header.first_sequence = SequenceNumber(load_le<std::uint64_t>(at + 16));
    header.record_count = load_le<std::uint32_t>(at + 24);
    header.kind = static_cast<FrameKind>(load_le<std::uint8_t>(at + 28));
    header.synced_offset = load_le<std::uint64_t>(at + 32);
    const std::uint64_t bytes = frame_bytes(header.payload_bytes);
    if (bytes > file.size() - offset) return;
    seal_frame(std::span<char>(file.data() + offset, bytes), header, wal_seed(kFuzzQueueId, kFuzzFile));
    offset += bytes;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] >= 1) mend_spool_frames(file, data[0] == 1 ? 1 : kSpoolVersion);
  const auto header = parse_spool_header(file, kFuzzFile);
  if (!header) return 0;
  const auto contents = read_frames(file, kFuzzFile, wal_seed(kFuzzQueueId, kFuzzFile));
  if (!contents) return 0;
  for (const WalFrame& frame : contents->frames) {
    const auto parsed = parse_spool_frame(frame, *header);
    if (!parsed) continue;
    for (const SpoolMessagePlace& place : parsed->messages) {
      (void)parse_spool_message(frame.payload.substr(place.offset, place.bytes), *header);
    }
  }
  return 0;
}
