#include "storage/manifest_edit.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"

namespace dendro {
namespace {

/// Numbers are on disk (docs/formats/manifest.md).
enum class EditKind : std::uint8_t {
  add_segment = 1,
  remove_segment = 2,
  flushed_through = 3,
  add_tombstone_without_origin = 4,  ///< read only
  tombstone_done = 5,
  drop_day = 6,
  drop_tenant = 7,
  counters = 8,
  add_tombstone = 9,
  retry_keys = 10,
};

Error edit_damage(const std::string& what) {
  return Error(ErrorCode::corruption, "manifest edit: " + what);
}

void append_kind(std::string& out, EditKind kind) {
  out.push_back(static_cast<char>(kind));
}

struct EditBody {
  std::string operator()(const SegmentInfo& segment) {
    append_kind(out, EditKind::add_segment);
    append_le(body, segment.id.number());
    append_sized(body, segment.tenant.text());
    append_le(body, segment.day.number());
    append_le(body, segment.level);
    append_sized(body, segment.location);
    append_le(body, segment.file_bytes);
    append_le(body, segment.record_count);
    append_le(body, segment.raw_bytes);
    append_le(body, segment.min_timestamp.number());
    append_le(body, segment.max_timestamp.number());
    append_le(body, segment.first_sequence.number());
    append_le(body, segment.last_sequence.number());
    append_le(body, segment.footer_hash);
    return body;
  }
  std::string operator()(const RemoveSegment& removal) {
    append_kind(out, EditKind::remove_segment);
    append_le(body, removal.id.number());
    return body;
  }
  std::string operator()(const FlushedThrough& flushed) {
    append_kind(out, EditKind::flushed_through);
    append_sized(body, flushed.tenant.text());
    append_le(body, flushed.sequence.number());
    return body;
  }
  std::string operator()(const TombstoneInfo& tombstone) {
    append_kind(out, EditKind::add_tombstone);
    append_le(body, tombstone.id.number());
    append_sized(body, tombstone.tenant.text());
    append_le(body, tombstone.range.first.number());
    append_le(body, tombstone.range.last.number());
    append_le(body, tombstone.sequence.number());
    append_sized(body, tombstone.predicate);
    append_le(body, tombstone.created.number());
    append_le(body, static_cast<std::uint8_t>(tombstone.origin));
    return body;
  }
  std::string operator()(const TombstoneDone& done) {
    append_kind(out, EditKind::tombstone_done);
    append_le(body, done.id.number());
    return body;
  }
  std::string operator()(const DropDay& drop) {
    append_kind(out, EditKind::drop_day);
    append_sized(body, drop.tenant.text());
    append_le(body, drop.day.number());
    return body;
  }
  std::string operator()(const DropTenant& drop) {
    append_kind(out, EditKind::drop_tenant);
    append_sized(body, drop.tenant.text());
    return body;
  }
  std::string operator()(const Counters& counters) {
    append_kind(out, EditKind::counters);
    append_le(body, counters.next_segment.number());
    append_le(body, counters.last_sequence.number());
    append_le(body, counters.first_live_wal.number());
    return body;
  }
  std::string operator()(const RetryKeys& keys) {
    append_kind(out, EditKind::retry_keys);
    append_sized(body, keys.tenant.text());
    append_varint(body, keys.keys.size());
    for (const KeyedReply& keyed : keys.keys) {
      append_bytes16(keyed.key.id);
      append_bytes16(keyed.key.content_hash);
      append_le(body, keyed.reply.first_sequence.number());
      append_le(body, keyed.reply.receive_time.number());
      append_varint(body, keyed.reply.accepted);
      append_varint(body, keyed.reply.rejected);
    }
    return body;
  }
  void append_bytes16(const Bytes16& bytes) { body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  std::string& out;
  std::string body = {};
};

/// Fields of one edit's body, checked at the end.
class EditFields {
 public:
  explicit EditFields(std::string_view body) : reader_(body) {}
  TenantId tenant() {
    Result<TenantId> parsed = TenantId::parse(reader_.read_sized());
    if (parsed) return std::move(parsed).value();
    is_good_ = false;
    return TenantId::default_tenant();
  }
  template <typename Strong>
  Strong strong() {
    return Strong(reader_.read_le<decltype(Strong().number())>());
  }
  std::uint64_t natural() { return reader_.read_le<std::uint64_t>(); }
  std::uint8_t byte() { return reader_.read_le<std::uint8_t>(); }
  std::string text() { return std::string(reader_.read_sized()); }
  std::uint64_t varint() { return reader_.read_varint(); }
  Bytes16 bytes16() {
    Bytes16 bytes{};
    const std::string_view read = reader_.read_bytes(bytes.size());
    std::copy(read.begin(), read.end(), bytes.begin());
    return bytes;
  }
  /// False: so many items of at least that size are not left.
  bool has_room(std::uint64_t count, std::size_t item_bytes_min) {
    is_good_ = is_good_ && count <= reader_.remaining() / item_bytes_min;
    return is_good_;
  }
  void refuse() { is_good_ = false; }
  bool is_spent() const { return is_good_ && reader_.ok() && reader_.at_end(); }

 private:
  ByteReader reader_;
  bool is_good_ = true;
};

SegmentInfo read_segment(EditFields& fields) {
  SegmentInfo segment;
  segment.id = fields.strong<SegmentId>();
  segment.tenant = fields.tenant();
  segment.day = fields.strong<Timestamp>();
  segment.level = fields.byte();
  segment.location = fields.text();
  segment.file_bytes = fields.natural();
  segment.record_count = fields.natural();
  segment.raw_bytes = fields.natural();
  segment.min_timestamp = fields.strong<Timestamp>();
  segment.max_timestamp = fields.strong<Timestamp>();
  segment.first_sequence = fields.strong<SequenceNumber>();
  segment.last_sequence = fields.strong<SequenceNumber>();
  segment.footer_hash = fields.natural();
  return segment;
}

RetryKeys read_retry_keys(EditFields& fields) {
  constexpr std::size_t kKeyBytesMin = 16 + 16 + 8 + 8 + 1 + 1;
  RetryKeys keys;
  keys.tenant = fields.tenant();
  const std::uint64_t count = fields.varint();
  if (!fields.has_room(count, kKeyBytesMin)) return keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    KeyedReply& keyed = keys.keys.emplace_back();
    keyed.key.id = fields.bytes16();
    keyed.key.content_hash = fields.bytes16();
    keyed.reply.first_sequence = fields.strong<SequenceNumber>();
    keyed.reply.receive_time = fields.strong<Timestamp>();
    keyed.reply.accepted = fields.varint();
    keyed.reply.rejected = fields.varint();
  }
  return keys;
}

TombstoneInfo read_tombstone(EditKind kind, EditFields& fields) {
  TombstoneInfo tombstone;
  tombstone.id = fields.strong<TombstoneId>();
  tombstone.tenant = fields.tenant();
  tombstone.range.first = fields.strong<Timestamp>();
  tombstone.range.last = fields.strong<Timestamp>();
  tombstone.sequence = fields.strong<SequenceNumber>();
  tombstone.predicate = fields.text();
  if (kind == EditKind::add_tombstone_without_origin) return tombstone;
  tombstone.created = fields.strong<Timestamp>();
  const std::uint8_t origin = fields.byte();
  if (origin > static_cast<std::uint8_t>(TombstoneOrigin::retention_rule)) fields.refuse();
  tombstone.origin = static_cast<TombstoneOrigin>(origin);
  return tombstone;
}

std::optional<ManifestEdit> read_edit(EditKind kind, EditFields& fields) {
  switch (kind) {
    case EditKind::add_segment:
      return read_segment(fields);
    case EditKind::remove_segment:
      return RemoveSegment{fields.strong<SegmentId>()};
    case EditKind::flushed_through: {
      TenantId tenant = fields.tenant();
      return FlushedThrough{std::move(tenant), fields.strong<SequenceNumber>()};
    }
    case EditKind::add_tombstone_without_origin:
    case EditKind::add_tombstone:
      return read_tombstone(kind, fields);
    case EditKind::tombstone_done:
      return TombstoneDone{fields.strong<TombstoneId>()};
    case EditKind::drop_day: {
      TenantId tenant = fields.tenant();
      return DropDay{std::move(tenant), fields.strong<Timestamp>()};
    }
    case EditKind::drop_tenant:
      return DropTenant{fields.tenant()};
    case EditKind::counters: {
      const auto segment = fields.strong<SegmentId>();
      const auto sequence = fields.strong<SequenceNumber>();
      return Counters{segment, sequence, fields.strong<WalNumber>()};
    }
    case EditKind::retry_keys:
      return read_retry_keys(fields);
  }
  return std::nullopt;
}

struct EditApplier {
  Status operator()(const SegmentInfo& segment) {
    if (!state.segments.emplace(segment.id, segment).second) {
      return edit_damage("segment " + std::to_string(segment.id.number()) + " is added twice");
    }
    return {};
  }
  Status operator()(const RemoveSegment& removal) {
    if (state.segments.erase(removal.id) == 0) {
      return edit_damage("segment " + std::to_string(removal.id.number()) + " is removed but was never added");
    }
    return {};
  }
  Status operator()(const FlushedThrough& flushed) {
    SequenceNumber& sequence = state.flushed_through[flushed.tenant];
    sequence = std::max(sequence, flushed.sequence);
    return {};
  }
  Status operator()(const TombstoneInfo& tombstone) {
    if (!state.tombstones.emplace(tombstone.id, tombstone).second) {
      return edit_damage("tombstone " + std::to_string(tombstone.id.number()) + " is added twice");
    }
    return {};
  }
  Status operator()(const TombstoneDone& done) {
    if (state.tombstones.erase(done.id) == 0) {
      return edit_damage("tombstone " + std::to_string(done.id.number()) + " is done but was never added");
    }
    return {};
  }
  Status operator()(const DropDay& drop) {
    std::erase_if(state.segments, [&](const auto& entry) {
      return entry.second.tenant == drop.tenant && entry.second.day == drop.day;
    });
    return {};
  }
  Status operator()(const DropTenant& drop) {
    std::erase_if(state.segments, [&](const auto& entry) { return entry.second.tenant == drop.tenant; });
    std::erase_if(state.tombstones, [&](const auto& entry) { return entry.second.tenant == drop.tenant; });
    state.retry_keys.erase(drop.tenant);
    return {};
  }
  Status operator()(const Counters& counters) {
    if (counters.next_segment < state.counters.next_segment || counters.last_sequence < state.counters.last_sequence ||
        counters.first_live_wal < state.counters.first_live_wal) {
      return edit_damage("a counter goes back");
    }
    state.counters = counters;
    return {};
  }
  Status operator()(const RetryKeys& keys) {
    if (keys.keys.empty()) {
      state.retry_keys.erase(keys.tenant);
    } else {
      state.retry_keys.insert_or_assign(keys.tenant, keys.keys);
    }
    return {};
  }
  ManifestState& state;
};

}  // namespace

void append_edit(std::string& out, const ManifestEdit& edit) {
  const std::string body = std::visit(EditBody{out}, edit);
  append_sized(out, body);
}

Result<ManifestEdit> ManifestEditReader::next() {
  ByteReader reader(rest_);
  const auto kind = reader.read_le<std::uint8_t>();
  const std::string_view body = reader.read_sized();
  if (!reader.ok()) return edit_damage("ends early");
  rest_ = rest_.substr(rest_.size() - reader.remaining());
  EditFields fields(body);
  std::optional<ManifestEdit> edit = read_edit(static_cast<EditKind>(kind), fields);
  if (!edit)
    return Error(ErrorCode::unimplemented, "manifest edit of kind " + std::to_string(kind) + " is of a later version");
  if (!fields.is_spent()) return edit_damage("kind " + std::to_string(kind) + " has a wrong body");
  return std::move(*edit);
}

Status ManifestState::apply(const ManifestEdit& edit) {
  return std::visit(EditApplier{*this}, edit);
}

std::vector<ManifestEdit> ManifestState::snapshot() const {
  std::vector<ManifestEdit> edits;
  edits.emplace_back(counters);
  for (const auto& [tenant, sequence] : flushed_through) edits.emplace_back(FlushedThrough{tenant, sequence});
  for (const auto& [id, segment] : segments) edits.emplace_back(segment);
  for (const auto& [id, tombstone] : tombstones) edits.emplace_back(tombstone);
  for (const auto& [tenant, keys] : retry_keys) edits.emplace_back(RetryKeys{tenant, keys});
  return edits;
}

SequenceNumber ManifestState::flushed_of(const TenantId& tenant) const {
  const auto found = flushed_through.find(tenant);
  return found == flushed_through.end() ? SequenceNumber() : found->second;
}

}  // namespace dendro
