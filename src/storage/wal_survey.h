#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/file_system.h"
#include "storage/batch_frame.h"
#include "storage/storage_fault.h"
#include "storage/store_paths.h"
#include "storage/wal_format.h"

namespace dendro {

/// A good frame, wherever in its file it lies; borrows the file's bytes.
struct SurveyedFrame {
  std::uint64_t offset = 0;
  WalFrame frame;
  BatchPayload payload;
};

/// A WAL file read past its damage: every frame that is good by itself, in order.
struct WalSurvey {
  WalNumber number;
  Bytes16 store_id{};
  Timestamp created;  ///< of the header, if that is good
  std::vector<SurveyedFrame> frames;
  std::uint64_t first_gap_offset = 0;  ///< where frames first do not follow one another; their end if they all do
  std::vector<StorageFault> faults;    ///< header, payloads, places where acknowledged frames are damaged
};

/// Identity of a WAL file as its name and its store tell it, for one whose header is damaged.
struct WalIdentity {
  WalNumber number;
  Bytes16 store_id{};
};

/// @param bytes  of the whole file; outlives the result.
/// @param known  if missing, the header must be good or the result has its fault alone.
WalSurvey survey_wal_file(const std::string& path, std::string_view bytes, const std::optional<WalIdentity>& known);

/// Sequence numbers [first, last].
struct SequenceSpan {
  SequenceNumber first, last;
  std::uint64_t count() const { return last.number() - first.number() + 1; }
};

/// A request, or what is left of one.
struct SalvagedRequest {
  TenantId tenant = TenantId::default_tenant();
  std::optional<BatchKey> key;  ///< only of whole ones
  CommitReply reply;
  std::vector<std::pair<SequenceNumber, std::shared_ptr<const RecordBatch>>> batches;  ///< with their first numbers
};

/// All that the live files of a WAL still hold.
struct WalSalvage {
  std::vector<SalvagedRequest> requests;  ///< by sequence
  std::vector<SequenceSpan> missing;      ///< between the first and the last frame: in no good frame
  std::vector<WalNumber> missing_files;
  std::vector<std::string> damaged_files;
  std::vector<StorageFault> faults;
  SequenceNumber first_sequence, last_sequence;  ///< of all good frames; 0: there is none
  WalNumber last_number;                         ///< of the files there
};

/// Reads past all damage. Changes nothing. Errors: those of reading the files.
Result<WalSalvage> salvage_wal(const StorePaths& paths, FileSystem& files, const Bytes16& store_id,
                               WalNumber first_live);

}  // namespace dendro
