// Reads any bytes as a WAL file, and each of its frames as a batch. The first byte chooses how far checks are helped
// over, since a fuzzer does not guess checksums: 0 as they are, 1 the header is made good, 2 the hash of every frame
// that is framed, too.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/batch_frame.h"
#include "storage/wal_reader.h"

namespace {

using namespace dendro;

constexpr Bytes16 kFuzzStoreId{7};
constexpr WalNumber kFuzzNumber{1};

void mend_header(std::string& file) {
  const std::string header = encode_wal_header(kFuzzStoreId, kFuzzNumber, Timestamp(0));
  file.replace(0, std::min(file.size(), kWalHeaderBytes), header);
}

/// Gives every stretch that says it is a frame its number and hash.
void mend_frames(std::string& file) {
  for (std::size_t offset = kWalHeaderBytes; offset + kFrameHeaderBytes <= file.size();) {
    FrameHeader header;
    const char* at = file.data() + offset;
    header.payload_bytes = load_le<std::uint16_t>(at + 4);
    header.wal_number = kFuzzNumber;
    header.first_sequence = SequenceNumber(load_le<std::uint64_t>(at + 16));
    header.record_count = load_le<std::uint32_t>(at + 24);
    header.codec = static_cast<FrameCodec>(load_le<std::uint8_t>(at + 29));
    header.frames_following = load_le<std::uint16_t>(at + 30);
    header.synced_offset = load_le<std::uint64_t>(at + 32);
    const std::uint64_t bytes = frame_bytes(header.payload_bytes);
    if (bytes > file.size() - offset) return;
    seal_frame(std::span<char>(file.data() + offset, bytes), header, wal_seed(kFuzzStoreId, kFuzzNumber));
    offset += bytes;
  }
}

void read(std::string_view file) {
  const auto contents = read_wal_file(file, kFuzzStoreId, kFuzzNumber);
  if (!contents) return;
  for (const WalFrame& frame : contents->frames) {
    const auto payload = parse_batch_payload(frame.payload);
    if (payload) (void)unpack_batch(*payload, frame.header);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] >= 1) mend_header(file);
  if (data[0] >= 2) mend_frames(file);
  read(file);
  return 0;
}
