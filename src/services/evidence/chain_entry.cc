#include "services/evidence/chain_entry.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/crypto_hash.h"

namespace dendro {
namespace {

constexpr std::uint8_t kEntryVersion = 1;
constexpr std::string_view kSignedMark = "dendro chain head v1\n";

enum class EntryKind : std::uint8_t { begin = 1, records = 2, removal = 3, new_key = 4 };

struct BodyWriter {
  std::string& out;
  void operator()(const ChainBegin& begin) const {
    append_sized(out, begin.tenant);
    out.append(reinterpret_cast<const char*>(begin.chain_id.data()), begin.chain_id.size());
    out.append(hash_bytes(begin.public_key));
  }
  void operator()(const ChainRecords& records) const {
    out.push_back(static_cast<char>(records.scope));
    append_le(out, records.first);
    append_le(out, records.last);
    append_le(out, records.count);
    out.append(hash_bytes(records.root));
  }
  void operator()(const ChainRemoval& removal) const {
    out.push_back(static_cast<char>(removal.reason));
    append_le(out, removal.range.first.number());
    append_le(out, removal.range.last.number());
    append_le(out, removal.up_to);
    out.push_back(removal.is_whole ? 1 : 0);
    append_varint(out, removal.sequences.size());
    std::uint64_t before = 0;
    for (const std::uint64_t sequence : removal.sequences) {
      append_varint(out, sequence - before);
      before = sequence;
    }
  }
  void operator()(const ChainNewKey& key) const { out.append(hash_bytes(key.public_key)); }
};

Hash32 read_hash(ByteReader& reader) {
  return hash_from_bytes(reader.read_bytes(sizeof(Hash32))).value_or(Hash32{});
}

ChainBegin read_begin(ByteReader& reader) {
  ChainBegin begin;
  begin.tenant = reader.read_sized();
  const std::string_view id = reader.read_bytes(begin.chain_id.size());
  if (reader.ok()) std::ranges::copy(id, begin.chain_id.begin());
  begin.public_key = read_hash(reader);
  return begin;
}

ChainRecords read_records(ByteReader& reader) {
  ChainRecords records;
  records.scope = static_cast<EvidenceScope>(reader.read_le<std::uint8_t>());
  records.first = reader.read_le<std::uint64_t>();
  records.last = reader.read_le<std::uint64_t>();
  records.count = reader.read_le<std::uint64_t>();
  records.root = read_hash(reader);
  return records;
}

ChainRemoval read_removal(ByteReader& reader) {
  ChainRemoval removal;
  removal.reason = static_cast<RemovalReason>(reader.read_le<std::uint8_t>());
  removal.range.first = Timestamp(reader.read_le<std::int64_t>());
  removal.range.last = Timestamp(reader.read_le<std::int64_t>());
  removal.up_to = reader.read_le<std::uint64_t>();
  removal.is_whole = reader.read_le<std::uint8_t>() != 0;
  const std::uint64_t count = reader.read_varint();
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    before += reader.read_varint();
    removal.sequences.push_back(before);
  }
  return removal;
}

Error bad_entry(const char* what) {
  return Error(ErrorCode::corruption, std::string("chain entry: ") + what);
}

}  // namespace

std::string_view removal_reason_name(RemovalReason reason) {
  constexpr std::string_view kNames[] = {"request", "stream_rule", "day_retention", "tenant"};
  const auto index = static_cast<std::size_t>(reason);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string encode_chain_entry(const ChainEntry& entry) {
  std::string bytes;
  bytes.push_back(static_cast<char>(kEntryVersion));
  bytes.push_back(static_cast<char>(entry.body.index() + 1));
  append_le(bytes, entry.index);
  append_le(bytes, entry.time.number());
  bytes.append(hash_bytes(entry.previous));
  std::visit(BodyWriter{bytes}, entry.body);
  return bytes;
}

Result<ChainEntry> decode_chain_entry(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.read_le<std::uint8_t>();
  const auto kind = reader.read_le<std::uint8_t>();
  if (!reader.ok()) return bad_entry("too short");
  if (version != kEntryVersion) {
    return Error(ErrorCode::unimplemented, "chain entry of version " + std::to_string(version));
  }
  ChainEntry entry;
  entry.index = reader.read_le<std::uint64_t>();
  entry.time = Timestamp(reader.read_le<std::int64_t>());
  entry.previous = read_hash(reader);
  switch (static_cast<EntryKind>(kind)) {
    case EntryKind::begin:
      entry.body = read_begin(reader);
      break;
    case EntryKind::records:
      entry.body = read_records(reader);
      break;
    case EntryKind::removal:
      entry.body = read_removal(reader);
      break;
    case EntryKind::new_key:
      entry.body = ChainNewKey{read_hash(reader)};
      break;
    default:
      return Error(ErrorCode::unimplemented, "chain entry of kind " + std::to_string(kind));
  }
  if (!reader.ok() || !reader.at_end()) return bad_entry("its size is not that of its kind");
  return entry;
}

Hash32 chain_entry_hash(std::string_view encoded) {
  return sha256(std::string(1, kEntryTag) + std::string(encoded));
}

std::string chain_signed_bytes(const Hash32& entry_hash) {
  return std::string(kSignedMark) + std::string(hash_bytes(entry_hash));
}

}  // namespace dendro
