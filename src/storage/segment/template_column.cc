#include "storage/segment/template_column.h"

#include <algorithm>
#include <unordered_map>

#include "base/bytes.h"
#include "codec/code_column.h"
#include "codec/integer_column.h"
#include "codec/splitter.h"
#include "codec/string_column.h"
#include "storage/limits.h"

namespace dendro {
namespace {

constexpr std::size_t kTemplateSampleValues = 256;
constexpr std::size_t kMeanBytesMin = 30;
/// Shorter values are cheaper to store than to refer to, and equal by chance.
constexpr std::size_t kReferenceBytesMin = 4;

/// A template of this row group and its values, by index.
struct LocalTemplate {
  std::uint32_t number = 0;
  std::vector<std::uint32_t> values;
};

/// The values of a column split: which template each is of, and its slots in one row.
class SplitColumn {
 public:
  SplitColumn(std::span<const std::string_view> values, TemplateTable& table) : values_(values), table_(table) {
    codes_.reserve(values.size());
    first_slots_.reserve(values.size());
    for (std::uint32_t i = 0; i < values.size(); ++i) add(i);
  }
  const std::vector<std::uint16_t>& codes() const { return codes_; }
  const std::vector<LocalTemplate>& locals() const { return locals_; }
  std::string_view slot(std::uint32_t value, std::size_t index) const { return slots_[first_slots_[value] + index]; }

 private:
  void add(std::uint32_t index) {
    const std::string_view value = values_[index];
    find_slots(value, spans_);
    first_slots_.push_back(slots_.size());
    const std::uint32_t number = number_of(value);
    if (number != TemplateTable::kWhole) {
      for (std::size_t i = 0; i < spans_.size(); ++i) slots_.push_back(value.substr(spans_[i].first, spans_[i].size));
    }
    if (local_of_.size() <= number) local_of_.resize(number + 1, kNone);
    std::uint32_t& local = local_of_[number];
    if (local == kNone) {
      local = static_cast<std::uint32_t>(locals_.size());
      locals_.push_back({number, {}});
    }
    locals_[local].values.push_back(index);
    codes_.push_back(static_cast<std::uint16_t>(local));
  }

  std::uint32_t number_of(std::string_view value) {
    if (spans_.size() > kTemplateSlotsMax) return TemplateTable::kWhole;
    make_skeleton(value, spans_, skeleton_);
    if (skeleton_.size() > kTemplateBytesMax) return TemplateTable::kWhole;
    const std::size_t known = table_.size();
    if (new_count_ >= kNewTemplatesMax || known_bytes_full()) return table_.find(skeleton_);
    const std::uint32_t number = table_.intern(skeleton_, spans_.size());
    new_count_ += table_.size() - known;
    return number;
  }

  bool known_bytes_full() const { return table_.text_bytes() >= kTemplateTableBytesMax; }

  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  const std::span<const std::string_view> values_;
  TemplateTable& table_;
  std::vector<SlotSpan> spans_;
  std::string skeleton_;
  std::size_t new_count_ = 0;
  std::vector<std::uint16_t> codes_;
  std::vector<std::size_t> first_slots_;
  std::vector<std::string_view> slots_;
  std::vector<LocalTemplate> locals_;
  std::vector<std::uint32_t> local_of_;
};

/// Collects pool values and cuts them into blocks.
class PoolWriter {
 public:
  explicit PoolWriter(BlockPacker& packer) : packer_(packer) {}
  void add(std::string_view value) {
    block_.append(value);
    block_.push_back('\n');
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
                        TemplateTable& table, BlockCompressor& trial, BlockPacker& packer, TokenKeys& keys)
      : values_(values),
        references_(references),
        table_(table),
        trial_(trial),
        packer_(packer),
        keys_(keys),
        pool_(packer),
        split_(values, table) {}

  ChunkPlace encode() {
    std::string codes;
    encode_codes(split_.codes(), trial_, codes);
    const ChunkPlace codes_place = packer_.add(codes);
    std::string locals;
    append_varint(locals, split_.locals().size());
    for (const LocalTemplate& local : split_.locals()) {
      append_varint(locals, local.number);
      append_varint(locals, local.values.size());
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
  void encode_slots(const LocalTemplate& local, std::string& modes) {
    const std::size_t count = table_.slot_count(local.number);
    earlier_.clear();
    for (std::size_t slot = 0; slot < count; ++slot) encode_slot(local, slot, modes);
  }

  void encode_slot(const LocalTemplate& local, std::size_t slot, std::string& modes) {
    slot_values_.clear();
    SlotSummary& summary = table_.slot(local.number, slot);
    for (const std::uint32_t value : local.values) {
      slot_values_.push_back(split_.slot(value, slot));
      summary.add(slot_values_.back());
    }
    if (is_constant()) {
      append_mode(modes, SlotMode::constant);
      keys_.add_token(slot_values_.front());
      pool_.add(slot_values_.front());
    } else if (const std::optional<std::size_t> earlier = find_earlier(local, slot)) {
      append_mode(modes, SlotMode::slot);
      append_varint(modes, slot - *earlier);
    } else if (const std::optional<std::size_t> reference = find_reference(local)) {
      append_mode(modes, SlotMode::column);
      append_varint(modes, *reference);
    } else if (slot_values_.size() >= kSlotChunkValues) {
      append_mode(modes, SlotMode::chunk);
      std::string chunk;
      std::vector<std::string_view> entries;
      encode_strings(slot_values_, StringChoice::best, trial_, chunk, &entries);
      add_keys(entries.empty() ? slot_values_ : entries);
      append_chunk_place(modes, packer_.add(chunk));
    } else {
      append_mode(modes, SlotMode::pool);
      for (const std::string_view value : slot_values_) pool_.add(value);
      add_keys(slot_values_);
    }
    if (slot_values_.front().size() >= kReferenceBytesMin) earlier_.emplace(slot_values_.front(), slot);
  }

  void add_keys(const std::vector<std::string_view>& tokens) {
    for (const std::string_view token : tokens) keys_.add_token(token);
  }

  static void append_mode(std::string& modes, SlotMode mode) { modes.push_back(static_cast<char>(mode)); }

  /// A single value is as well one of the pool.
  bool is_constant() const {
    return slot_values_.size() > 1 && std::all_of(slot_values_.begin(), slot_values_.end(),
                                                  [this](std::string_view v) { return v == slot_values_.front(); });
  }

  /// An earlier slot with the same value in every record; only the first with the same first value is tried.
  std::optional<std::size_t> find_earlier(const LocalTemplate& local, std::size_t) const {
    const auto found = earlier_.find(slot_values_.front());
    if (found == earlier_.end()) return std::nullopt;
    for (std::size_t i = 1; i < slot_values_.size(); ++i) {
      if (slot_values_[i] != split_.slot(local.values[i], found->second)) return std::nullopt;
    }
    return found->second;
  }

  std::optional<std::size_t> find_reference(const LocalTemplate& local) const {
    if (slot_values_.front().size() < kReferenceBytesMin) return std::nullopt;
    for (std::size_t r = 0; r < references_.size(); ++r) {
      const std::vector<std::string_view>& others = references_[r].values;
      bool is_equal = true;
      for (std::size_t i = 0; i < slot_values_.size() && is_equal; ++i) {
        const std::string_view other = others[local.values[i]];
        is_equal = other.data() != nullptr && other == slot_values_[i];
      }
      if (is_equal) return r;
    }
    return std::nullopt;
  }

  ChunkPlace encode_whole() {
    std::vector<std::string_view> whole;
    for (const LocalTemplate& local : split_.locals()) {
      if (local.number != TemplateTable::kWhole) continue;
      for (const std::uint32_t value : local.values) whole.push_back(values_[value]);
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
  PoolWriter pool_;
  const SplitColumn split_;
  std::vector<std::string_view> slot_values_;
  std::unordered_map<std::string_view, std::size_t> earlier_;  ///< first value of a slot of the template at hand
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
                                  TemplateTable& table, BlockCompressor& trial, BlockPacker& packer, TokenKeys& keys) {
  return TemplateColumnEncoder(values, references, table, trial, packer, keys).encode();
}

}  // namespace dendro
