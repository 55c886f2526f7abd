#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "io/queue.h"
#include "io/queue_ledger.h"
#include "storage/wal_format.h"

namespace dendro {

// The bytes of a spool file, as docs/formats/spool.md specifies them: a header of its own, then the frames of the WAL
// with other kinds of payload. No state, no files.

inline constexpr std::string_view kSpoolMagic = "DNDRSPL1";
/// Files of version 1 are read; their messages have no time.
inline constexpr std::uint16_t kSpoolVersion = 2;

/// In byte 28 of a frame's header; apart from those of the WAL.
enum class SpoolFrameKind : std::uint8_t {
  messages = 16,  ///< as they were sent, ids from the header's sequence number on
  states = 17,    ///< what became of messages before
  kept = 18,      ///< one message of a file that goes
};

enum class SpoolState : std::uint8_t {
  done = 1,     ///< acknowledged
  waiting = 2,  ///< received so often, and not done
  dead = 3,
};
struct SpoolStateRow {
  QueueMessageId id;
  SpoolState state = SpoolState::waiting;
  std::uint32_t receive_count = 0;  ///< 0 if done
};

struct SpoolMessage {
  QueueMessage message;
  Timestamp sent;
};

/// A message and where its bytes lie in the frame's payload.
struct SpoolMessagePlace {
  SpoolStateRow row;
  Timestamp sent;
  std::uint32_t offset = 0, bytes = 0;
};

/// A frame's payload; `messages` of the kinds messages and kept, `states` of the kind states.
struct SpoolFrame {
  std::vector<SpoolMessagePlace> messages;
  std::vector<SpoolStateRow> states;
};

struct SpoolHeader {
  Bytes16 queue_id{};
  WalNumber number;
  Timestamp created;
  QueueMessageId next_id;  ///< of the first message that is sent into this file
  std::uint16_t version = kSpoolVersion;
};
std::string encode_spool_header(const SpoolHeader& header);
/// Errors: corruption (damaged, or of another number), unimplemented (a version of later times).
Result<SpoolHeader> parse_spool_header(std::string_view bytes, WalNumber number);

void append_spool_message(std::string& out, const SpoolMessage& message);
/// Of a file with this header: before version 2 a message counts as sent when its file was made. Errors: corruption.
Result<SpoolMessage> parse_spool_message(std::string_view bytes, const SpoolHeader& header);

std::string encode_spool_states(std::span<const SpoolStateRow> rows);
std::string encode_spool_kept(const SpoolStateRow& row, const SpoolMessage& message);

/// A whole frame, sealed.
struct SpoolFrameDraft {
  SpoolFrameKind kind = SpoolFrameKind::messages;
  QueueMessageId next_id;  ///< of the first message in it, or that the next one will get
  std::uint32_t message_count = 0;
  std::uint64_t synced_offset = 0;
};
std::string seal_spool_frame(const SpoolFrameDraft& draft, std::string_view payload, WalNumber number, HashSeed seed);

/// What a frame that passed its checks says, in a file with this header. Errors: corruption (its writer was not ours).
Result<SpoolFrame> parse_spool_frame(const WalFrame& frame, const SpoolHeader& header);

}  // namespace dendro
