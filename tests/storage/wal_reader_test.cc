#include "storage/wal_reader.h"

#include <random>

#include "storage/batch_frame.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

/// Builds the bytes of a WAL file frame by frame.
class WalFixture {
 public:
  WalFixture() : bytes_(encode_wal_header(store_id_, number_, kTestTime)) {}

  /// One request, a frame for each body; `synced_offset` as if everything before it had been synced.
  void append(const Bodies& bodies) {
    std::vector<Bodies> batches;
    for (const std::string& body : bodies) batches.push_back({body});
    std::vector<FrameDraft> drafts = draft_frames(make_request(batches));
    const std::uint64_t synced = bytes_.size();
    for (std::size_t i = 0; i < drafts.size(); ++i)
      add_frame(drafts[i], static_cast<std::uint16_t>(drafts.size() - i - 1), synced);
  }
  /// Several requests in one group commit: one synced offset.
  void append_group(const Bodies& bodies) {
    const std::uint64_t synced = bytes_.size();
    for (const std::string& body : bodies) {
      std::vector<FrameDraft> drafts = draft_frames(make_request({{body}}));
      add_frame(drafts.front(), 0, synced);
    }
  }

  Result<WalContents> read() const { return read_wal_file(bytes_, store_id_, number_); }
  Bodies read_all() const {
    const auto contents = read();
    if (!contents) return {"error: " + contents.error().message()};
    Bodies bodies;
    for (const WalFrame& frame : contents->frames) {
      const auto payload = parse_batch_payload(frame.payload);
      const auto batch = unpack_batch(*payload, frame.header);
      bodies.push_back(body_of((*batch)->record(0)));
    }
    return bodies;
  }
  std::uint64_t frame_offset(std::size_t index) const { return offsets_[index]; }

  Bytes16 store_id_{1, 2, 3};
  WalNumber number_{42};
  std::string bytes_;
  std::vector<std::uint64_t> offsets_;
  SequenceNumber next_{10};

 private:
  void add_frame(FrameDraft& draft, std::uint16_t following, std::uint64_t synced) {
    FrameHeader header;
    header.payload_bytes = draft.payload_bytes;
    header.wal_number = number_;
    header.first_sequence = next_;
    header.record_count = draft.record_count;
    header.codec = draft.codec;
    header.frames_following = following;
    header.synced_offset = synced;
    seal_frame(draft.image, header, wal_seed(store_id_, number_));
    offsets_.push_back(bytes_.size());
    bytes_ += draft.image;
    next_ = next_.next(draft.record_count);
  }
};

TEST(WalReader, ReadsFramesUpToTheZeros) {
  WalFixture wal;
  wal.append({"a"});
  wal.append({"b", "c"});
  const std::size_t end = wal.bytes_.size();
  wal.bytes_.append(4096, '\0');
  EXPECT_EQ(wal.read_all(), (Bodies{"a", "b", "c"}));
  const auto contents = wal.read();
  EXPECT_EQ(contents->end_offset, end);
  EXPECT_EQ(contents->dropped_bytes, 0u);
  EXPECT_EQ(contents->next_sequence(), SequenceNumber(13));
}

TEST(WalReader, DropsTornTailAndReportsItsSize) {
  WalFixture wal;
  wal.append_group({"a", "b", "c"});
  const std::uint64_t torn_frame_bytes = wal.bytes_.size() - wal.frame_offset(2);
  wal.bytes_.resize(wal.bytes_.size() - 8);
  EXPECT_EQ(wal.read_all(), (Bodies{"a", "b"}));
  EXPECT_EQ(wal.read()->dropped_bytes, torn_frame_bytes - 8);
}

TEST(WalReader, DropsAWholeGroupThatPersistedOutOfOrder) {
  WalFixture wal;
  wal.append({"acknowledged"});
  wal.append_group({"torn", "whole"});  // composed together: the second says nothing about the first
  wal.bytes_[wal.frame_offset(1) + 60] ^= 1;
  EXPECT_EQ(wal.read_all(), (Bodies{"acknowledged"}));
  EXPECT_EQ(wal.read()->end_offset, wal.frame_offset(1));
  EXPECT_EQ(wal.read()->dropped_bytes, wal.bytes_.size() - wal.frame_offset(1));
}

TEST(WalReader, DropsARequestOfWhichTheLastFrameIsTorn) {
  WalFixture wal;
  wal.append({"whole"});
  wal.append({"one", "two", "three"});
  wal.bytes_[wal.frame_offset(3) + 50] ^= 1;
  EXPECT_EQ(wal.read_all(), (Bodies{"whole"}));
  EXPECT_EQ(wal.read()->end_offset, wal.frame_offset(1));
}

TEST(WalReader, RefusesDamageInFrontOfBytesKnownToBeSynced) {
  WalFixture wal;
  wal.append({"a"});
  wal.append({"b"});
  wal.append({"c"});
  wal.bytes_[wal.frame_offset(1) + 50] ^= 1;
  const auto contents = wal.read();
  ASSERT_FALSE(contents.has_value());
  EXPECT_EQ(contents.error().code(), ErrorCode::corruption);
  EXPECT_NE(contents.error().message().find("offset " + std::to_string(wal.frame_offset(1))), std::string::npos);
}

TEST(WalReader, NoticesAFlippedBitInEachFieldOfAFrame) {
  WalFixture original;
  original.append({"a"});
  original.append({"b"});
  original.append({"c"});
  const std::uint64_t first = original.frame_offset(1);
  const std::uint64_t last = original.frame_offset(2);
  for (std::uint64_t offset = first; offset < last; ++offset) {
    if (offset >= first + kFrameHeaderBytes + load_le<std::uint32_t>(original.bytes_.data() + first + 4))
      break;  // padding
    for (int bit = 0; bit < 8; ++bit) {
      WalFixture wal = original;
      wal.bytes_[offset] = static_cast<char>(wal.bytes_[offset] ^ (1 << bit));
      const auto contents = wal.read();
      ASSERT_FALSE(contents.has_value()) << "byte " << offset - first << " bit " << bit;
      EXPECT_EQ(contents.error().code(), ErrorCode::corruption);
    }
  }
}

TEST(WalReader, TakesAFlippedBitInTheLastFrameForATornTail) {
  WalFixture original;
  original.append({"a"});
  original.append({"b"});
  for (std::uint64_t offset = original.frame_offset(1); offset < original.frame_offset(1) + kFrameHeaderBytes;
       ++offset) {
    WalFixture wal = original;
    wal.bytes_[offset] ^= 4;
    EXPECT_EQ(wal.read_all(), (Bodies{"a"})) << offset;
  }
}

TEST(WalReader, DoesNotTakeFramesOfARecycledFile) {
  WalFixture old;
  old.number_ = WalNumber(41);
  old.bytes_ = encode_wal_header(old.store_id_, old.number_, kTestTime);
  old.append({"stale 1"});
  old.append({"stale 2"});
  old.append({"stale 3"});
  WalFixture wal;
  wal.append({"fresh"});
  const std::size_t end = wal.bytes_.size();
  if (old.bytes_.size() > end) wal.bytes_ += old.bytes_.substr(end);  // the frames behind lie where they lay
  EXPECT_EQ(wal.read_all(), (Bodies{"fresh"}));
  EXPECT_EQ(wal.read()->dropped_bytes, 0u);
}

TEST(WalReader, RejectsAStaleFrameEvenWithTheNumberOfTheFileForged) {
  WalFixture old;
  old.number_ = WalNumber(41);
  old.bytes_ = encode_wal_header(old.store_id_, old.number_, kTestTime);
  old.append({"stale"});
  store_le(old.bytes_.data() + old.frame_offset(0) + 8, std::uint64_t{42});  // only the seed of the hash tells now
  WalFixture wal;
  wal.bytes_ += old.bytes_.substr(kWalHeaderBytes);
  EXPECT_EQ(wal.read_all(), Bodies());
}

TEST(WalReader, RejectsFramesOfAnotherStore) {
  WalFixture other;
  other.store_id_ = {9, 9};
  other.bytes_ = encode_wal_header(other.store_id_, other.number_, kTestTime);
  other.append({"theirs"});
  WalFixture wal;
  wal.bytes_ += other.bytes_.substr(kWalHeaderBytes);
  EXPECT_EQ(wal.read_all(), Bodies());
  EXPECT_EQ(read_wal_file(other.bytes_, wal.store_id_, wal.number_).error().code(), ErrorCode::corruption);
}

TEST(WalReader, StopsWhereTheSequenceDoesNotGoOn) {
  WalFixture wal;
  wal.append({"a"});
  wal.next_ = SequenceNumber(99);
  const std::uint64_t synced_before = wal.bytes_.size();
  wal.append_group({"b"});
  EXPECT_EQ(wal.read_all(), (Bodies{"a"}));
  EXPECT_EQ(wal.read()->end_offset, synced_before);
}

TEST(WalReader, NoticesEachFlippedBitOfTheHeader) {
  for (std::size_t offset = 0; offset < kWalHeaderBytes; ++offset) {
    WalFixture wal;
    wal.append({"a"});
    wal.bytes_[offset] ^= 2;
    EXPECT_FALSE(wal.read().has_value()) << offset;
  }
}

TEST(WalReader, RefusesAVersionOfLaterTimes) {
  WalFixture wal;
  wal.bytes_[8] = 2;
  EXPECT_EQ(wal.read().error().code(), ErrorCode::unimplemented);
}

TEST(WalFormat, LaysAFrameOutAsThePageSays) {
  WalFixture wal;
  wal.append({"a"});
  wal.append({"one", "two"});
  const char* frame = wal.bytes_.data() + wal.frame_offset(1);
  EXPECT_EQ(std::string_view(frame, 4), "DFRM");
  EXPECT_EQ(load_le<std::uint64_t>(frame + 8), 42u);
  EXPECT_EQ(load_le<std::uint64_t>(frame + 16), 11u);
  EXPECT_EQ(load_le<std::uint32_t>(frame + 24), 1u);
  EXPECT_EQ(load_le<std::uint8_t>(frame + 28), 1u);
  EXPECT_EQ(load_le<std::uint16_t>(frame + 30), 1u);
  EXPECT_EQ(load_le<std::uint64_t>(frame + 32), wal.frame_offset(1));
}

TEST(WalFormat, HashDoesNotDependOnWhatLiesOnTheStack) {
  WalFixture wal;
  wal.append({std::string(3000, 'x')});
  for (int i = 0; i < 100; ++i) {
    // A hash of another seed leaves its secret on the stack; with the state not initialised this gave wrong sums at
    // random.
    (void)xxh3("head", std::string(1000, 'y'), HashSeed(static_cast<std::uint64_t>(i)));
    ASSERT_EQ(wal.read_all().size(), 1u);
  }
}

TEST(BatchFrame, PacksWhatShrinksAndLeavesWhatDoesNot) {
  const auto packed = draft_frames(make_request({{std::string(5000, 'x')}}));
  EXPECT_EQ(packed.front().codec, FrameCodec::lz4);
  EXPECT_LT(packed.front().payload_bytes, 1000u);
  EXPECT_EQ(draft_frames(make_request({{"short"}})).front().image.size() % 8, 0u);
  std::mt19937_64 random(1);
  std::string noise;
  for (int i = 0; i < 5000; ++i) noise.push_back(static_cast<char>('!' + random() % 90));
  EXPECT_EQ(draft_frames(make_request({{noise}})).front().codec, FrameCodec::plain);
}

TEST(BatchFrame, KeepsEverythingOfARequest) {
  CommitRequest request = make_request({{"a", "b"}}, make_tenant("t"));
  request.key = make_key("k");
  request.rejected = 3;
  const auto drafts = draft_frames(request);
  const std::string_view bytes =
      std::string_view(drafts.front().image).substr(kFrameHeaderBytes, drafts.front().payload_bytes);
  const auto payload = parse_batch_payload(bytes);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(payload->tenant, request.tenant);
  EXPECT_EQ(payload->key, request.key);
  EXPECT_EQ(payload->accepted, 2u);
  EXPECT_EQ(payload->rejected, 3u);
  EXPECT_EQ(payload->receive_time, kTestTime);
  EXPECT_EQ(payload->min_timestamp, kTestTime);
  FrameHeader header;
  header.codec = drafts.front().codec;
  header.record_count = 2;
  EXPECT_EQ((*unpack_batch(*payload, header))->encoded(), request.batches.front()->encoded());
  header.record_count = 3;
  EXPECT_FALSE(unpack_batch(*payload, header).has_value());
}

TEST(BatchFrame, EveryTruncatedOrFlippedPayloadIsAnErrorOrValid) {
  CommitRequest request = make_request({{"a", std::string(300, 'b')}});
  request.key = make_key("k");
  const auto drafts = draft_frames(request);
  const std::string payload = drafts.front().image.substr(kFrameHeaderBytes, drafts.front().payload_bytes);
  FrameHeader header;
  header.codec = drafts.front().codec;
  header.record_count = 2;
  const auto read = [&header](std::string_view bytes) {
    const auto parsed = parse_batch_payload(bytes);
    if (parsed) (void)unpack_batch(*parsed, header);
  };
  for (std::size_t i = 0; i < payload.size(); ++i) {
    read(std::string_view(payload).substr(0, i));
    std::string flipped = payload;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
    read(flipped);
  }
}

}  // namespace
}  // namespace dendro
