#include "storage/wal_survey.h"

#include <algorithm>

#include "storage/limits.h"
#include "storage/wal_reader.h"

namespace dendro {
namespace {

// docs/formats/wal.md, "File header".
constexpr std::size_t kSurveyStoreIdOffset = 16;
constexpr std::size_t kSurveyNumberOffset = 32;
constexpr std::size_t kSurveyCreatedOffset = 40;

WalIdentity identity_in_header(std::string_view bytes) {
  WalIdentity identity;
  if (bytes.size() < kWalHeaderBytes) return identity;
  identity.number = WalNumber(load_le<std::uint64_t>(bytes.data() + kSurveyNumberOffset));
  bytes.substr(kSurveyStoreIdOffset).copy(reinterpret_cast<char*>(identity.store_id.data()), identity.store_id.size());
  return identity;
}

void find_frames(std::string_view bytes, WalSurvey& survey) {
  const HashSeed seed = wal_seed(survey.store_id, survey.number);
  bool is_gapless = true;
  survey.first_gap_offset = kWalHeaderBytes;
  for (std::uint64_t offset = kWalHeaderBytes; offset + kFrameHeaderBytes <= bytes.size();) {
    const bool may_begin = load_le<std::uint32_t>(bytes.data() + offset) == kFrameMagic;
    const Result<WalFrame> frame =
        may_begin ? parse_frame(bytes.substr(offset), survey.number, seed) : Error(ErrorCode::corruption, "no frame");
    if (!frame) {
      is_gapless = false;
      offset += kFrameAlignment;
      continue;
    }
    survey.frames.push_back({offset, *frame, {}});
    offset += frame->bytes();
    if (is_gapless) survey.first_gap_offset = offset;
  }
}

/// Frames whose payload says nothing are damaged as well.
void read_payloads(const std::string& path, WalSurvey& survey) {
  std::erase_if(survey.frames, [&](SurveyedFrame& at) {
    const Result<BatchPayload> payload = parse_batch_payload(at.frame.payload);
    if (payload) {
      at.payload = *payload;
      return false;
    }
    survey.faults.push_back(StorageFault::of(path, payload.error(), at.offset));
    return true;
  });
}

/// Puts requests together from frames in order of sequence. Of one that is not whole the good frames are kept, for they
/// were acknowledged, but not its key: a sender that tries again brings the lost records back.
class RequestJoiner {
 public:
  explicit RequestJoiner(WalSalvage& salvage) : salvage_(salvage) {}

  void add(const std::string& path, const SurveyedFrame& at) {
    const FrameHeader& header = at.frame.header;
    const bool is_old = has_frames() && header.first_sequence <= salvage_.last_sequence;
    if (header.record_count == 0 || is_old) return;
    const bool goes_on = frames_left_ > 0 && header.first_sequence == salvage_.last_sequence.next() &&
                         header.frames_following + 1U == frames_left_ && at.payload.tenant == open_.tenant;
    if (!goes_on) begin(at);
    if (!has_frames()) salvage_.first_sequence = header.first_sequence;
    salvage_.last_sequence = header.first_sequence.next(header.record_count - 1);
    frames_left_ = header.frames_following;
    Result<std::shared_ptr<const RecordBatch>> batch = unpack_batch(at.payload, header);
    if (batch) {
      record_count_ += header.record_count;
      open_.batches.emplace_back(header.first_sequence, std::move(batch).value());
    } else {
      salvage_.faults.push_back(StorageFault::of(path, batch.error(), at.offset));
      add_missing(header.first_sequence, salvage_.last_sequence);
    }
    if (frames_left_ == 0) close();
  }

  /// The end of a file: requests do not reach over it.
  void end_file() {
    is_torn_ = frames_left_ > 0;
    frames_left_ = 0;
  }
  /// The end of the last file. A request that is not whole there was never acknowledged.
  void finish() {
    if (is_torn_) {
      open_.batches.clear();
    } else {
      close();
    }
  }

 private:
  bool has_frames() const { return salvage_.last_sequence != SequenceNumber(); }
  void begin(const SurveyedFrame& at) {
    close();
    const SequenceNumber first = at.frame.header.first_sequence;
    if (has_frames() && first != salvage_.last_sequence.next()) {
      add_missing(salvage_.last_sequence.next(), SequenceNumber(first.number() - 1));
    }
    open_ = SalvagedRequest();
    open_.tenant = at.payload.tenant;
    open_.key = at.payload.key;
    open_.reply = {first, at.payload.receive_time, at.payload.accepted, at.payload.rejected, false};
    record_count_ = 0;
    is_torn_ = false;
  }
  void close() {
    if (open_.batches.empty()) return;
    const bool is_whole = frames_left_ == 0 && record_count_ == open_.reply.accepted + open_.reply.rejected;
    if (!is_whole) open_.key.reset();
    salvage_.requests.push_back(std::move(open_));
    open_ = SalvagedRequest();
  }
  void add_missing(SequenceNumber first, SequenceNumber last) {
    if (!salvage_.missing.empty() && salvage_.missing.back().last.next() == first) {
      salvage_.missing.back().last = last;
    } else {
      salvage_.missing.push_back({first, last});
    }
  }

  WalSalvage& salvage_;
  SalvagedRequest open_;
  std::uint64_t record_count_ = 0;
  unsigned frames_left_ = 0;  ///< of the open request
  bool is_torn_ = false;      ///< the open request ended with its file
};

}  // namespace

WalSurvey survey_wal_file(const std::string& path, std::string_view bytes, const std::optional<WalIdentity>& known) {
  WalSurvey survey;
  const WalIdentity identity = known.value_or(identity_in_header(bytes));
  survey.number = identity.number;
  survey.store_id = identity.store_id;
  const Status header = check_wal_header(bytes, identity.store_id, identity.number);
  if (header) {
    survey.created = Timestamp(load_le<std::int64_t>(bytes.data() + kSurveyCreatedOffset));
  } else {
    survey.faults.push_back(StorageFault::of(path, header.error(), 0));
    if (!known) return survey;
  }
  find_frames(bytes, survey);
  if (header) {
    const Result<WalContents> strict = read_wal_file(bytes, identity.store_id, identity.number);
    if (!strict) survey.faults.push_back(StorageFault::of(path, strict.error()));
  }
  read_payloads(path, survey);
  return survey;
}

Result<WalSalvage> salvage_wal(const StorePaths& paths, FileSystem& files, const Bytes16& store_id,
                               WalNumber first_live) {
  WalSalvage salvage;
  std::vector<WalNumber> numbers;
  if (files.exists(paths.wal_folder())) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(paths.wal_folder()));
    for (const std::string& name : names) {
      const auto number = StorePaths::parse_wal_name(name);
      if (number && *number >= first_live) numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  RequestJoiner joiner(salvage);
  WalNumber expected = first_live;
  for (const WalNumber number : numbers) {
    for (; expected < number; expected = expected.next()) salvage.missing_files.push_back(expected);
    expected = number.next();
    const std::string path = paths.wal_file(number);
    DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files, path, kMaxWalFileBytes));
    const WalSurvey survey = survey_wal_file(path, bytes, WalIdentity{number, store_id});
    const std::size_t missing_before = salvage.missing.size();
    const std::size_t faults_before = salvage.faults.size();
    for (const SurveyedFrame& at : survey.frames) joiner.add(path, at);
    joiner.end_file();
    salvage.faults.insert(salvage.faults.end(), survey.faults.begin(), survey.faults.end());
    const bool has_damage = salvage.faults.size() > faults_before || salvage.missing.size() > missing_before;
    if (has_damage) salvage.damaged_files.push_back(path);
  }
  joiner.finish();
  salvage.last_number = numbers.empty() ? WalNumber(0) : numbers.back();
  return salvage;
}

}  // namespace dendro
