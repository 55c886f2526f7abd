#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "record/severity.h"
#include "record/shape.h"
#include "record/value.h"

namespace dendro {

// Invariants of a RecordBatch, checked whole by decode() and kept by RecordBatchBuilder:
//   B1 every index (shape, stream, string) is within its table; every leaf's value parses inside its record's bytes and
//   the
//      last one ends exactly there; every resource leaf's path stands in the record's stream. So readers check nothing;
//   B2 the encoded bytes are the whole truth: shapes and streams are views into them, made once;
//   B3 a batch never changes after it was made, so any thread may read it without a lock.

class RecordView;

/// Records that travel through one call: a memtable entry, the payload of a WAL frame, the answer of a scan.
/// One contiguous encoded text (docs/formats/batch.md) with fixed columns for time, severity, shape and stream in
/// front, so that the WAL writes it and replay reads it without another form in between. Immutable; thread-safe.
class RecordBatch {
 public:
  /// Takes encoded bytes and checks all of B1. Errors: corruption (says which table or record).
  static Result<std::shared_ptr<const RecordBatch>> decode(std::string encoded);
  /// Takes the encoded() bytes of a batch that was there: its records are not checked again.
  static std::shared_ptr<const RecordBatch> reopen(std::string encoded);

  RecordBatch(const RecordBatch&) = delete;
  RecordBatch& operator=(const RecordBatch&) = delete;

  std::size_t size() const { return size_; }
  /// A number no other batch of this process has or had: what to remember a batch by that may be gone, since its
  /// address may be another's by then. From 1 on.
  std::uint64_t serial() const { return serial_; }
  /// The bytes decode() takes.
  std::string_view encoded() const { return encoded_; }
  /// What the batch takes in memory: the encoded bytes and what was made of them.
  std::size_t memory_bytes() const { return memory_bytes_; }
  /// Receive time of the request: `observed` of each record whose sender gave none.
  Timestamp receive_time() const { return receive_time_; }
  Timestamp min_timestamp() const { return min_timestamp_; }
  Timestamp max_timestamp() const { return max_timestamp_; }

  Timestamp timestamp(std::size_t index) const { return Timestamp(timestamps_[index]); }
  SeverityNumber severity(std::size_t index) const { return severities_[index]; }
  std::uint32_t shape_index(std::size_t index) const { return shape_indices_[index]; }
  std::uint32_t stream_index(std::size_t index) const { return stream_indices_[index]; }
  /// Columns, one entry a record; borrowed.
  std::span<const std::int64_t> timestamps() const { return {timestamps_, size_}; }
  std::span<const SeverityNumber> severities() const { return {severities_, size_}; }

  const std::vector<Shape>& shapes() const { return shapes_; }
  const std::vector<Stream>& streams() const { return streams_; }
  RecordView record(std::size_t index) const;

 private:
  friend class RecordView;
  RecordBatch();
  Status parse();
  Status parse_streams(const std::vector<std::string_view>& rows, const std::vector<std::string_view>& strings);
  Status check_records() const;
  std::size_t measure_memory() const;

  const std::uint64_t serial_;
  std::string encoded_;
  std::size_t size_ = 0;
  std::size_t memory_bytes_ = 0;
  Timestamp receive_time_;
  Timestamp min_timestamp_ = kTimestampMax;
  Timestamp max_timestamp_ = kTimestampMin;
  // Columns inside encoded_, aligned.
  const std::int64_t* timestamps_ = nullptr;
  const std::uint32_t* value_ends_ = nullptr;
  const std::uint32_t* shape_indices_ = nullptr;
  const std::uint32_t* stream_indices_ = nullptr;
  const std::uint8_t* severities_ = nullptr;
  const std::uint8_t* marks_ = nullptr;
  const char* values_ = nullptr;
  // Views into encoded_.
  std::vector<Shape> shapes_;
  std::vector<Stream> streams_;
};

/// One record of a batch; borrows the batch. Cheap to copy.
class RecordView {
 public:
  RecordView(const RecordBatch& batch, std::size_t index) : batch_(&batch), index_(index) {}

  const RecordBatch& batch() const { return *batch_; }
  std::size_t index() const { return index_; }
  Timestamp timestamp() const { return batch_->timestamp(index_); }
  SeverityNumber severity() const { return batch_->severity(index_); }
  const Shape& shape() const { return batch_->shapes()[batch_->shape_index(index_)]; }
  const Stream& stream() const { return batch_->streams()[batch_->stream_index(index_)]; }
  /// True if severity() was found in the text of the body, not given by the sender.
  bool severity_is_from_body() const { return (batch_->marks_[index_] & 1) != 0; }

  /// Calls `visit(const Leaf&, const Value&) -> bool` for each leaf in the sender's order, until it returns false.
  /// Values of resource leaves come from the stream. Labels that stand only in the stream (dendro.source) are not
  /// visited.
  template <typename Visit>
  void for_each_leaf(Visit&& visit) const;

  /// The value of the leaf at `leaf_index` of shape().leaves: walks the values before it.
  Value value_at(std::size_t leaf_index) const;

  /// The stored bytes of this record's values.
  std::string_view value_bytes() const;

 private:
  const RecordBatch* batch_;
  std::size_t index_;
};

inline RecordView RecordBatch::record(std::size_t index) const {
  return RecordView(*this, index);
}

namespace batch_encoding {
/// Reads one stored value of a checked batch and advances `at`. `instant` is the record's own time, for canonical
/// times.
Value read_value(ValueType type, const char*& at, Timestamp instant);
}  // namespace batch_encoding

template <typename Visit>
void RecordView::for_each_leaf(Visit&& visit) const {
  const char* at = value_bytes().data();
  for (const Leaf& leaf : shape().leaves) {
    if (leaf.is_stored()) {
      if (!visit(leaf, batch_encoding::read_value(leaf.type, at, timestamp()))) return;
    } else {
      const StreamLabel* label = stream().find(leaf.path);
      if (label != nullptr && !visit(leaf, label->value)) return;
    }
  }
}

}  // namespace dendro
