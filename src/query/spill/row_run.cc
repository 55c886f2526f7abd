// A block of a run: count of rows varint; each row: keys, tie sized, ordinal varint, then of a record sequence u64,
// receive time i64, weight u32, match u8, of a table the count of cells varint and the cells; behind them the records
// as one encoded batch, in the same order.
#include "query/spill/row_run.h"

#include "query/spill/cell_bytes.h"
#include "record/limits.h"

namespace dendro {
namespace {

constexpr std::size_t kRunBlockBytes = std::size_t{128} << 10;

Error damaged_run(std::string_view what) {
  return Error(ErrorCode::corruption, "temporary file of the query: " + std::string(what));
}

}  // namespace

Status RowRunWriter::add(const SortedRow& row) {
  for (const SortValue& key : row.keys) key.append_to(rows_);
  append_sized(rows_, row.tie);
  append_varint(rows_, row.ordinal);
  if (is_table_) {
    append_varint(rows_, row.row.size());
    for (const Cell& cell : row.row) append_value_bytes(rows_, cell.value());
  } else {
    append_le(rows_, row.record.sequence.number());
    append_le(rows_, row.record.receive_time.number());
    append_le(rows_, row.record.weight);
    rows_.push_back(row.record.is_match ? '\1' : '\0');
    builder_.append_copy(row.record.record());
  }
  ++count_;
  const bool is_full = rows_.size() + (is_table_ ? 0 : builder_.encoded_bytes()) >= kRunBlockBytes;
  return is_full ? flush() : Status();
}

Status RowRunWriter::flush() {
  std::string plain;
  append_varint(plain, count_);
  plain += rows_;
  if (!is_table_) plain += builder_.finish()->encoded();
  count_ = 0;
  rows_.clear();
  DENDRO_TRY_ASSIGN(const SpillBlock block, file_.append(plain));
  run_.blocks.push_back(block);
  return {};
}

Result<RowRun> RowRunWriter::finish() {
  if (count_ > 0) DENDRO_TRY(flush());
  return std::move(run_);
}

Result<bool> RowRunReader::prepare() {
  while (next_ >= rows_.size()) {
    if (next_block_ >= run_.blocks.size()) return false;
    DENDRO_TRY(load(run_.blocks[next_block_++]));
  }
  return true;
}

Status RowRunReader::load(const SpillBlock& block) {
  DENDRO_TRY(file_.read(block, plain_));
  ByteReader reader(plain_);
  rows_.clear();
  next_ = 0;
  const std::uint64_t count = reader.read_varint();
  if (count > plain_.size()) return damaged_run("a count of rows is too large");
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    SortedRow& row = rows_.emplace_back();
    for (std::size_t k = 0; k < key_count_; ++k) row.keys.push_back(SortValue::read(reader));
    row.tie = reader.read_sized();
    row.ordinal = reader.read_varint();
    if (is_table_) {
      const std::uint64_t cells = reader.read_varint();
      for (std::uint64_t c = 0; c < cells && reader.ok(); ++c) row.row.emplace_back(read_value_bytes(reader));
    } else {
      row.record.row = static_cast<std::uint32_t>(i);
      row.record.sequence = SequenceNumber(reader.read_le<std::uint64_t>());
      row.record.receive_time = Timestamp(reader.read_le<std::int64_t>());
      row.record.weight = reader.read_le<std::uint32_t>();
      row.record.is_match = reader.read_le<std::uint8_t>() != 0;
    }
  }
  if (!reader.ok()) return damaged_run("a row is cut short");
  if (is_table_) return {};
  DENDRO_TRY_ASSIGN(batch_, RecordBatch::decode(std::string(reader.read_bytes(reader.remaining()))));
  if (batch_->size() != count) return damaged_run("rows and records differ in number");
  for (SortedRow& row : rows_) row.record.batch = batch_.get();
  return {};
}

}  // namespace dendro
