#include "storage/segment/template_column.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "codec/code_column.h"
#include "codec/integer_column.h"
#include "codec/prefetch_text.h"
#include "codec/short_bytes.h"
#include "codec/splitter.h"
#include "codec/string_column.h"
#include "storage/limits.h"

namespace dendro {
namespace {

constexpr std::size_t kTemplateSampleValues = 256;
constexpr std::size_t kMeanBytesMin = 30;
/// Shorter values are cheaper to store than to refer to, and equal by chance.
constexpr std::size_t kReferenceBytesMin = 4;

/// A template of this row group. Its values are `grouped` [first, first + count).
struct LocalTemplate {
  std::uint32_t number = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Remembers templates by what is cheap to see of a text, so that most texts need neither a skeleton nor its hash.
class RecentTemplates {
 public:
  /// Where the template of such a text stood when it was last met, if it still does.
  std::uint32_t& place(std::string_view text, std::span<const SlotSpan> slots, std::size_t skeleton_bytes) {
    std::uint64_t front = 0;
    const std::size_t front_bytes = std::min({text.size(), sizeof front, first_static_bytes(text, slots)});
    if (front_bytes > 0) std::memcpy(&front, text.data(), front_bytes);
    const std::uint64_t mixed = (front + skeleton_bytes * 31 + slots.size()) * 0x9E3779B97F4A7C15u;
    return numbers_[mixed >> (64 - kPlacesLog2)];
  }

 private:
  static constexpr unsigned kPlacesLog2 = 10;
  static std::size_t first_static_bytes(std::string_view text, std::span<const SlotSpan> slots) {
    return slots.empty() ? text.size() : slots.front().first;
  }
  std::array<std::uint32_t, std::size_t{1} << kPlacesLog2> numbers_{};
};

/// The values of a column split: which template each is of, and where its slots lie.
class SplitColumn {
 public:
  SplitColumn(std::span<const std::string_view> values, TemplateTable& table, TemplateScratch& scratch)
      : values_(values), table_(table), scratch_(scratch) {
    scratch_.spans.clear();
    scratch_.first_spans.clear();
    scratch_.codes.clear();
    scratch_.local_of.assign(table.size(), kNone);
    for (std::uint32_t i = 0; i < values.size(); ++i) add(i);
    group();
  }
  const std::vector<std::uint16_t>& codes() const { return scratch_.codes; }
  const std::vector<LocalTemplate>& locals() const { return locals_; }
  /// Values of a local template, ascending.
  std::span<const std::uint32_t> values_of(const LocalTemplate& local) const {
    return std::span(scratch_.grouped).subspan(local.first, local.count);
  }
  const SlotSpan* slots_of(std::uint32_t value) const { return scratch_.spans.data() + scratch_.first_spans[value]; }

 private:
  void add(std::uint32_t index) {
    if (index + kPrefetchAhead < values_.size()) prefetch_text(values_[index + kPrefetchAhead]);
    const std::string_view value = values_[index];
    const std::size_t first = scratch_.spans.size();
    if (index == kSizeSampleValues) scratch_.spans.reserve(first / index * values_.size() * 9 / 8);
    scratch_.first_spans.push_back(static_cast<std::uint32_t>(first));
    append_slots(value, scratch_.spans);
    const std::uint32_t number = number_of(value, std::span(scratch_.spans).subspan(first));
    if (number == TemplateTable::kWhole) scratch_.spans.resize(first);
    if (scratch_.local_of.size() <= number) scratch_.local_of.resize(number + 1, kNone);
    std::uint32_t& local = scratch_.local_of[number];
    if (local == kNone) {
      local = static_cast<std::uint32_t>(locals_.size());
      locals_.push_back({number, 0, 0});
    }
    ++locals_[local].count;
    scratch_.codes.push_back(static_cast<std::uint16_t>(local));
  }

  std::uint32_t number_of(std::string_view value, std::span<const SlotSpan> slots) {
    if (slots.size() > kTemplateSlotsMax) return TemplateTable::kWhole;
    std::size_t skeleton_bytes = value.size() + slots.size();
    for (const SlotSpan& slot : slots) skeleton_bytes -= slot.size;
    if (skeleton_bytes > kTemplateBytesMax) return TemplateTable::kWhole;
    std::uint32_t& recent = recent_.place(value, slots, skeleton_bytes);
    if (recent != TemplateTable::kWhole && has_skeleton(value, slots, table_.text(recent))) return recent;
    make_skeleton(value, slots, skeleton_);
    const std::size_t known = table_.size();
    if (new_count_ >= kNewTemplatesMax || known_bytes_full()) return recent = table_.find(skeleton_);
    recent = table_.intern(skeleton_, slots.size());
    new_count_ += table_.size() - known;
    return recent;
  }

  void group() {
    std::uint32_t first = 0;
    for (LocalTemplate& local : locals_) {
      local.first = first;
      first += local.count;
      local.count = 0;
    }
    scratch_.grouped.resize(values_.size());
    for (std::uint32_t i = 0; i < values_.size(); ++i) {
      LocalTemplate& local = locals_[scratch_.codes[i]];
      scratch_.grouped[local.first + local.count++] = i;
    }
  }

  bool known_bytes_full() const { return table_.text_bytes() >= kTemplateTableBytesMax; }

  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  static constexpr std::size_t kSizeSampleValues = 1'024;
  const std::span<const std::string_view> values_;
  TemplateTable& table_;
  TemplateScratch& scratch_;
  RecentTemplates recent_;
  std::string skeleton_;
  std::size_t new_count_ = 0;
  std::vector<LocalTemplate> locals_;
};

/// Slots of one template by their first value: a later slot that begins alike may be the same throughout. Each template
/// empties it, at no cost.
class EarlierSlots {
 public:
  void clear() { ++round_; }
  /// The first slot that was added with this value; adds `slot` if there is none.
  std::optional<std::size_t> find_or_add(std::string_view value, std::size_t slot) {
    std::size_t at = hash_of(value) >> (64 - kRowsLog2);
    for (; rows_[at].round == round_; at = (at + 1) % rows_.size()) {
      const Row& row = rows_[at];
      if (row.bytes == value.size() && equal_bytes(row.text, value.data(), value.size())) return row.slot;
    }
    rows_[at] = {round_, static_cast<std::uint32_t>(slot), value.data(), value.size()};
    return std::nullopt;
  }

 private:
  struct Row {
    std::uint32_t round = 0;
    std::uint32_t slot = 0;
    const char* text = nullptr;
    std::size_t bytes = 0;
  };
  static constexpr unsigned kRowsLog2 = 13;  // kTemplateSlotsMax fill half of them
  static_assert(kTemplateSlotsMax * 2 <= std::size_t{1} << kRowsLog2);

  /// `value` has kReferenceBytesMin bytes at least.
  static std::uint64_t hash_of(std::string_view value) {
    const auto front = load_le<std::uint32_t>(value.data());
    const auto back = load_le<std::uint32_t>(value.data() + value.size() - sizeof(std::uint32_t));
    return ((std::uint64_t{front} << 32 | back) + value.size()) * 0x9E3779B97F4A7C15u;
  }

  std::vector<Row> rows_ = std::vector<Row>(std::size_t{1} << kRowsLog2);
  std::uint32_t round_ = 0;
};

/// Collects pool values and cuts them into blocks.
class PoolWriter {
 public:
  explicit PoolWriter(BlockPacker& packer) : packer_(packer) {}
  void add(std::string_view value) {
    const std::size_t before = block_.size();
    block_.resize(before + value.size() + 1, '\n');
    copy_bytes(block_.data() + before, value.data(), value.size());
    ++count_;
    if (block_.size() >= kPoolBlockBytes) close();
  }
  void close() {
    if (count_ == 0) return;
    append_chunk_place(directory_, packer_.add(block_));
    append_varint(directory_, count_);
    ++blocks_;
    block_.clear();
    count_ = 0;
  }
  std::size_t blocks() const { return blocks_; }
  const std::string& directory() const { return directory_; }

 private:
  BlockPacker& packer_;
  std::string block_;
  std::size_t count_ = 0;
  std::size_t blocks_ = 0;
  std::string directory_;
};

class TemplateColumnEncoder {
 public:
  TemplateColumnEncoder(std::span<const std::string_view> values, std::span<const ReferenceColumn> references,
                        TemplateTable& table, BlockCompressor& trial, BlockPacker& packer, TokenKeys& keys,
                        TemplateScratch& scratch)
      : values_(values),
        references_(references),
        table_(table),
        trial_(trial),
        packer_(packer),
        keys_(keys),
        scratch_(scratch),
        pool_(packer),
        split_(values, table, scratch) {}

  ChunkPlace encode() {
    std::string codes;
    encode_codes(split_.codes(), trial_, codes);
    const ChunkPlace codes_place = packer_.add(codes);
    std::string locals;
    append_varint(locals, split_.locals().size());
    for (const LocalTemplate& local : split_.locals()) {
      append_varint(locals, local.number);
      append_varint(locals, local.count);
    }
    for (const LocalTemplate& local : split_.locals()) encode_slots(local, locals);
    pool_.close();
    const ChunkPlace whole_place = encode_whole();

    std::string head;
    append_chunk_place(head, codes_place);
    append_chunk_place(head, whole_place);
    append_varint(head, references_.size());
    for (const ReferenceColumn& reference : references_) append_varint(head, reference.column);
    append_varint(head, pool_.blocks());
    head.append(pool_.directory());
    head.append(locals);
    return packer_.add(head);
  }

 private:
  using Values = std::span<const std::string_view>;

  void encode_slots(const LocalTemplate& local, std::string& modes) {
    const std::size_t count = table_.slot_count(local.number);
    if (count == 0) return;
    spread_slots(local, count);
    earlier_.clear();
    for (std::size_t slot = 0; slot < count; ++slot) encode_slot(local, slot, modes);
  }

  /// The slots of a template's values, slot by slot, and what each slot's have in common.
  void spread_slots(const LocalTemplate& local, std::size_t count) {
    if (scratch_.slots.size() < count * local.count) scratch_.slots.resize(count * local.count);
    summaries_.assign(count, {});
    const std::span<const std::uint32_t> values = split_.values_of(local);
    for (std::size_t rank = 0; rank < values.size(); ++rank) {
      if (rank + 2 * kPrefetchAhead < values.size())
        __builtin_prefetch(split_.slots_of(values[rank + 2 * kPrefetchAhead]));
      if (rank + kPrefetchAhead < values.size()) prefetch_slots(values[rank + kPrefetchAhead], count);
      const std::uint32_t value = values[rank];
      const char* const text = values_[value].data();
      const SlotSpan* const spans = split_.slots_of(value);
      for (std::size_t slot = 0; slot < count; ++slot) {
        const std::string_view token(text + spans[slot].first, spans[slot].size);
        scratch_.slots[slot * local.count + rank] = token;
        summaries_[slot].add(token);
      }
    }
  }
  void prefetch_slots(std::uint32_t value, std::size_t count) const {
    const SlotSpan* const spans = split_.slots_of(value);
    for (std::size_t slot = 0; slot < count; ++slot) __builtin_prefetch(values_[value].data() + spans[slot].first);
  }
  Values slot_values(const LocalTemplate& local, std::size_t slot) const {
    return std::span(scratch_.slots).subspan(slot * local.count, local.count);
  }

  void encode_slot(const LocalTemplate& local, std::size_t slot, std::string& modes) {
    const Values own = slot_values(local, slot);
    const SlotSummary& summary = summaries_[slot];
    table_.slot(local.number, slot).add(summary);
    const bool is_long = own.front().size() >= kReferenceBytesMin;
    const std::optional<std::size_t> earlier = is_long ? earlier_.find_or_add(own.front(), slot) : std::nullopt;
    if (is_constant(own)) {
      append_mode(modes, SlotMode::constant);
      keys_.add_tokens(own.first(1), summary.classes);
      pool_.add(own.front());
    } else if (earlier && is_equal(own, slot_values(local, *earlier))) {
      append_mode(modes, SlotMode::slot);
      append_varint(modes, slot - *earlier);
    } else if (const std::optional<std::size_t> reference = is_long ? find_reference(local, own) : std::nullopt) {
      append_mode(modes, SlotMode::column);
      append_varint(modes, *reference);
    } else if (own.size() >= kSlotChunkValues) {
      append_mode(modes, SlotMode::chunk);
      std::string chunk;
      std::vector<std::string_view> entries;
      encode_strings(own, StringChoice::best, trial_, chunk, &entries);
      keys_.add_tokens(entries.empty() ? own : Values(entries), summary.classes);
      append_chunk_place(modes, packer_.add(chunk));
    } else {
      append_mode(modes, SlotMode::pool);
      for (const std::string_view value : own) pool_.add(value);
      keys_.add_tokens(own, summary.classes);
    }
  }

  static void append_mode(std::string& modes, SlotMode mode) { modes.push_back(static_cast<char>(mode)); }

  static bool is_same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && equal_bytes(a.data(), b.data(), a.size());
  }
  static bool is_equal(Values a, Values b) { return std::equal(a.begin(), a.end(), b.begin(), is_same); }

  /// A single value is as well one of the pool.
  static bool is_constant(Values own) {
    return own.size() > 1 && std::all_of(own.begin(), own.end(), [own](auto v) { return is_same(v, own.front()); });
  }

  std::optional<std::size_t> find_reference(const LocalTemplate& local, Values own) const {
    const std::span<const std::uint32_t> values = split_.values_of(local);
    for (std::size_t r = 0; r < references_.size(); ++r) {
      const std::vector<std::string_view>& others = references_[r].values;
      bool is_equal = true;
      for (std::size_t i = 0; i < own.size() && is_equal; ++i) {
        const std::string_view other = others[values[i]];
        is_equal = other.data() != nullptr && is_same(other, own[i]);
      }
      if (is_equal) return r;
    }
    return std::nullopt;
  }

  ChunkPlace encode_whole() {
    std::vector<std::string_view> whole;
    for (const LocalTemplate& local : split_.locals()) {
      if (local.number != TemplateTable::kWhole) continue;
      for (const std::uint32_t value : split_.values_of(local)) whole.push_back(values_[value]);
    }
    if (whole.empty()) return {};
    std::string chunk;
    encode_strings(whole, StringChoice::text_only, trial_, chunk);
    return packer_.add(chunk);
  }

  const std::span<const std::string_view> values_;
  const std::span<const ReferenceColumn> references_;
  TemplateTable& table_;
  BlockCompressor& trial_;
  BlockPacker& packer_;
  TokenKeys& keys_;
  TemplateScratch& scratch_;
  PoolWriter pool_;
  const SplitColumn split_;
  std::vector<SlotSummary> summaries_;  ///< of the template at hand, by slot
  EarlierSlots earlier_;                ///< of the template at hand
};

}  // namespace

bool wants_templates(std::span<const std::string_view> values) {
  const std::size_t step = std::max<std::size_t>(1, values.size() / kTemplateSampleValues);
  std::size_t looked_at = 0, with_blank = 0, bytes = 0;
  for (std::size_t i = 0; i < values.size(); i += step) {
    ++looked_at;
    bytes += values[i].size();
    with_blank += values[i].find(' ') != std::string_view::npos ? 1 : 0;
  }
  return with_blank * 2 > looked_at && bytes > kMeanBytesMin * looked_at;
}

ChunkPlace encode_template_column(std::span<const std::string_view> values, std::span<const ReferenceColumn> references,
                                  TemplateTable& table, BlockCompressor& trial, BlockPacker& packer, TokenKeys& keys,
                                  TemplateScratch& scratch) {
  return TemplateColumnEncoder(values, references, table, trial, packer, keys, scratch).encode();
}

}  // namespace dendro
