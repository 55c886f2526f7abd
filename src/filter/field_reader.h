#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "filter/field_name.h"
#include "filter/leaf_walk.h"
#include "record/record_batch.h"

namespace dendro {

/// What a record's batch may not know of it.
struct RecordOrigin {
  SequenceNumber sequence;                ///< 0: not known, `_id` is missing
  std::optional<Timestamp> receive_time;  ///< nothing: the batch's
};

/// Reads one field of the records of a batch: the name is looked up once per shape and once per stream. Borrows the
/// name and the batch. Not thread-safe.
class FieldReader {
 public:
  explicit FieldReader(const FieldName& field) : field_(&field) {}

  /// Reads from `batch` from now on; what was known of another batch is forgotten.
  void start(const RecordBatch& batch);
  /// True if it reads from this very batch, which may be at the address of an earlier one.
  bool reads(const RecordBatch& batch) const { return batch_serial_ == batch.serial(); }

  /// Calls `visit(const Value&) -> bool` for each present value of the record until it returns false. True if there was
  /// one.
  template <typename Visit>
  bool visit(std::uint32_t row, const RecordOrigin& origin, Visit&& visit);
  template <typename Visit>
  bool visit(std::uint32_t row, Visit&& visit_value) {
    return visit(row, RecordOrigin(), std::forward<Visit>(visit_value));
  }

  /// The first present value, null if there is none; valid until the next call.
  Value first(std::uint32_t row, const RecordOrigin& origin) {
    Value found;
    visit(row, origin, [&found](const Value& value) {
      found = value;
      return false;
    });
    return found;
  }

  /// Where the field of a row stands. `kind` attribute stands for any leaf of the shape.
  struct Place {
    std::size_t rank = std::numeric_limits<std::size_t>::max();  ///< index of the candidate that won; max: nowhere
    FieldKind kind = FieldKind::attribute;
    std::vector<std::uint32_t> leaves;  ///< of the shape, ascending
    std::size_t label_index = 0;
    bool is_known = false;
    bool is_missing() const { return rank == std::numeric_limits<std::size_t>::max(); }
  };
  const Place& place_of(std::uint32_t row);

  // The parts of place_of: the one of lower rank wins, the shape's if they are equal.
  /// Where a field stands in records of a shape; `has_severity`: whether their severity is set.
  static Place find_in_shape(const FieldName& field, const Shape& shape, bool has_severity);
  static Place find_in_stream(const FieldName& field, const Stream& stream);

 private:
  /// A value that is no leaf and no label: time, severity, ...
  Value column_value(FieldKind kind, std::uint32_t row, const RecordOrigin& origin);

  const FieldName* field_;
  const RecordBatch* batch_ = nullptr;
  std::uint64_t batch_serial_ = 0;
  std::vector<Place> shape_places_;   ///< two a shape: severity set, unset
  std::vector<Place> stream_places_;  ///< one a stream
  std::vector<std::unique_ptr<std::string>> stream_texts_;
  std::string scratch_;
};

template <typename Visit>
bool FieldReader::visit(std::uint32_t row, const RecordOrigin& origin, Visit&& visit) {
  const Place& place = place_of(row);
  if (place.is_missing()) return false;
  if (place.kind == FieldKind::label) {
    visit(batch_->streams()[batch_->stream_index(row)].labels[place.label_index].value);
    return true;
  }
  if (place.kind != FieldKind::attribute) {
    const Value value = column_value(place.kind, row, origin);
    if (value.is_missing()) return false;
    visit(value);
    return true;
  }
  const RecordView record = batch_->record(row);
  const std::vector<Leaf>& leaves = record.shape().leaves;
  const char* at = record.value_bytes().data();
  std::uint32_t next = 0;
  for (const std::uint32_t wanted : place.leaves) {
    for (; next < wanted; ++next) {
      if (leaves[next].is_stored()) skip_stored_value(leaves[next].type, at);
    }
    const Value value = batch_encoding::read_value(leaves[wanted].type, at, record.timestamp());
    next = wanted + 1;
    if (!visit(value)) return true;
  }
  return true;
}

}  // namespace dendro
