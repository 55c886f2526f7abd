#include "storage/segment/segment_proof.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "storage/segment/record_decoder.h"

namespace dendro {
namespace {

/// Pieces of one row group, all of them; some are asked for by several columns.
constexpr std::size_t kProofCacheBytes = std::size_t{1} << 30;

class StoredReader final : public RandomReader {
 public:
  explicit StoredReader(std::string_view stored) : stored_(stored) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    return offset > stored_.size() ? 0 : stored_.copy(out.data(), out.size(), offset);
  }
  Result<std::uint64_t> size() override { return stored_.size(); }

 private:
  const std::string_view stored_;
};

bool is_same_value(const Value& a, const Value& b) {
  switch (a.type) {
    case ValueType::null:
    case ValueType::empty_object:
      return a.type == b.type;
    case ValueType::boolean:
      return a.type == b.type && a.boolean == b.boolean;
    case ValueType::int64:
    case ValueType::uint64:
      return a.type == b.type && a.natural == b.natural;
    case ValueType::float64:
      return a.type == b.type && std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
    case ValueType::time:
      return a.type == b.type && a.integer == b.integer && a.fraction_digits == b.fraction_digits;
    default:
      return a.type == b.type && a.text == b.text;
  }
}

bool is_same_shape(const Shape& a, const Shape& b) {
  return std::equal(a.leaves.begin(), a.leaves.end(), b.leaves.begin(), b.leaves.end(),
                    [](const Leaf& x, const Leaf& y) {
                      return x.role == y.role && x.type == y.type && x.path == y.path && x.key == y.key;
                    }) &&
         std::equal(a.ops.begin(), a.ops.end(), b.ops.begin(), b.ops.end(), [](const ShapeOp& x, const ShapeOp& y) {
           return x.kind == y.kind && x.leaf_index == y.leaf_index && x.key == y.key;
         });
}

bool is_same_stream(const Stream& a, const Stream& b) {
  return std::equal(
      a.labels.begin(), a.labels.end(), b.labels.begin(), b.labels.end(),
      [](const StreamLabel& x, const StreamLabel& y) { return x.path == y.path && is_same_value(x.value, y.value); });
}

/// Compares shapes or streams, each of the input once.
template <typename Part>
class SameParts {
 public:
  template <typename IsSame>
  bool holds(const Part& input, const Part& decoded, IsSame is_same) {
    const Part*& known = known_[&input];
    if (known == &decoded) return true;
    if (known != nullptr || !is_same(input, decoded)) return false;
    known = &decoded;
    return true;
  }

 private:
  std::unordered_map<const Part*, const Part*> known_;
};

/// Walks the decoded records beside those they were made from.
class RowGroupComparison {
 public:
  RowGroupComparison(std::span<const SegmentRow> rows, RowGroupReader& reader)
      : rows_(rows), dictionary_(reader.dictionary()), decoder_(reader) {}

  Status run() {
    DENDRO_TRY(decoder_.begin());
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
      DENDRO_TRY_ASSIGN(const Difference difference, difference_at(i));
      if (difference.empty()) continue;
      return Error(ErrorCode::internal, "record " + std::to_string(i) + ": another " + std::string(difference));
    }
    return {};
  }

 private:
  /// The name of the part that differs, or nothing.
  using Difference = std::string_view;
  Result<Difference> difference_at(std::uint32_t index) {
    const RecordView input = rows_[index].batch->record(rows_[index].row);
    const RecordDecoder::Row decoded = decoder_.row_at(index);
    if (decoded.sequence != rows_[index].sequence) return Difference("sequence");
    if (decoded.timestamp != input.timestamp()) return Difference("timestamp");
    if (decoded.severity != input.severity() || decoded.severity_is_from_body != input.severity_is_from_body()) {
      return Difference("severity");
    }
    if (!shapes_.holds(input.shape(), dictionary_.shapes()[decoded.shape], is_same_shape)) return Difference("shape");
    if (!streams_.holds(input.stream(), dictionary_.streams()[decoded.stream], is_same_stream))
      return Difference("stream");
    DENDRO_TRY_ASSIGN(const bool has_same_values, compare_values(index, input, decoded.shape));
    return Difference(has_same_values ? "" : "values");
  }

  Result<bool> compare_values(std::uint32_t index, const RecordView& input, std::uint32_t shape) {
    const char* at = input.value_bytes().data();
    const std::vector<Leaf>& leaves = input.shape().leaves;
    const std::vector<std::uint32_t>& columns = dictionary_.shape_columns(shape);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (columns[i] == kNoColumn) continue;
      const Value meant = batch_encoding::read_value(leaves[i].type, at, input.timestamp());
      DENDRO_TRY_ASSIGN(const Value value, decoder_.value_at(columns[i], index));
      if (!is_same_value(meant, value)) return false;
    }
    return true;
  }

  const std::span<const SegmentRow> rows_;
  const SegmentDictionary& dictionary_;
  RecordDecoder decoder_;
  SameParts<Shape> shapes_;
  SameParts<Stream> streams_;
};

}  // namespace

Status prove_row_group(std::span<const SegmentRow> rows, const EncodedRowGroup& encoded, FileSystem& files) {
  SegmentTables tables;
  DENDRO_TRY_ASSIGN(tables.dictionary, SegmentDictionary::parse(encoded.dictionary.encode()));
  std::string entry;
  append_row_group(entry, encoded.entry);
  ByteReader entry_reader(entry);
  if (!read_row_group(entry_reader, tables.row_groups.emplace_back()) || !entry_reader.at_end() ||
      !fits_dictionary(tables.row_groups.front(), *tables.dictionary) ||
      tables.row_groups.front().record_count != rows.size()) {
    return Error(ErrorCode::internal, "the directory entry of a row group cannot be read");
  }
  const auto segment =
      Segment::of_blocks(files, encoded.path, encoded.info, std::make_unique<StoredReader>(encoded.stored));
  PieceCache cache(kProofCacheBytes);
  RowGroupReader reader(*segment, tables, 0, cache);
  return RowGroupComparison(rows, reader).run();
}

}  // namespace dendro
