#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "record/record_batch.h"

namespace dendro {

/// Fills a RecordBatch record by record. Strings and texts are copied. Not thread-safe.
///
///   builder.begin_record();
///   builder.set_timestamp(t);
///   builder.add_leaf(LeafRole::attribute, "http.status", "status", Value::of_int64(200));
///   builder.end_record();
class RecordBatchBuilder {
 public:
  explicit RecordBatchBuilder(Timestamp receive_time);
  ~RecordBatchBuilder();
  RecordBatchBuilder(RecordBatchBuilder&&) noexcept;
  RecordBatchBuilder& operator=(RecordBatchBuilder&&) noexcept;

  /// Until set_timestamp, the record's time is the receive time.
  void begin_record();
  void set_timestamp(Timestamp timestamp) { timestamp_ = timestamp; }
  void set_severity(SeverityNumber severity, bool found_in_body = false) {
    severity_ = severity;
    severity_from_body_ = found_in_body;
  }
  /// The next leaves stand in a nested object named `key`.
  void open_object(std::string_view key);
  void close_object();
  /// A leaf in the sender's order. A `resource` leaf puts its value into the stream; if the path is there already it
  /// becomes an attribute. Values of a resource leaf: text, bytes, number, boolean; others become attributes.
  void add_leaf(LeafRole role, std::string_view path, std::string_view key, const Value& value);
  /// A label that is not among the sender's members (dendro.source). Ignored if the path is there already.
  void add_label(std::string_view path, const Value& value);
  /// Keeps the record.
  void end_record();
  /// Drops what came since begin_record.
  void abandon_record();

  // For readers that hold whole shapes and streams: a record by its parts, without walking its names again.
  /// Index of a shape or stream of the batch under construction, the same for equal ones; labels are sorted by path.
  std::uint32_t add_shape(const Shape& shape);
  std::uint32_t add_stream(const Stream& stream);
  /// Instead of begin_record: then add_value for each stored leaf of the shape in order, then end_formed.
  void begin_formed(Timestamp timestamp, SeverityNumber severity, bool found_in_body);
  void add_value(LeafRole role, const Value& value) { append_value(values_, role, value); }
  void end_formed(std::uint32_t shape, std::uint32_t stream);

  /// A whole record as it stands in another batch.
  void append_copy(const RecordView& record);

  std::size_t records() const { return timestamps_.size(); }
  /// About the size of encoded(), of finished records.
  std::size_t encoded_bytes() const;
  bool empty() const { return timestamps_.empty(); }
  /// The batch; the builder is empty again and may be reused. Must not be called on an empty builder.
  std::shared_ptr<const RecordBatch> finish();
  /// The same where shapes, streams and values came from a file: corruption if they do not fit each other.
  Result<std::shared_ptr<const RecordBatch>> finish_formed();

 private:
  struct Interner;
  std::uint32_t intern_name(std::string_view name);
  void append_value(std::string& out, LeafRole role, const Value& value) const;
  void append_label(std::uint32_t path, const Value& value);
  bool has_label(std::uint32_t path) const;
  std::uint32_t intern_stream();
  void keep_record(std::uint32_t shape, std::uint32_t stream);
  void reset();

  Timestamp receive_time_;
  // Finished records.
  std::vector<std::int64_t> timestamps_;
  std::vector<std::uint32_t> value_ends_;
  std::vector<std::uint32_t> shape_indices_;
  std::vector<std::uint32_t> stream_indices_;
  std::vector<std::uint8_t> severities_;
  std::vector<std::uint8_t> marks_;
  std::string values_;
  std::unique_ptr<Interner> strings_;
  std::unique_ptr<Interner> shapes_;
  std::unique_ptr<Interner> streams_;          ///< canonical bytes: labels sorted by path
  std::unique_ptr<Interner> label_sequences_;  ///< labels as they arrived
  std::vector<std::uint32_t> stream_of_sequence_;
  // Names in the order the last record used them: the next record mostly repeats them, so a comparison saves a hash.
  std::vector<std::uint32_t> recent_names_;
  std::size_t name_offset_ = 0;
  // The record at hand.
  struct PendingLabel {
    std::uint32_t path = 0;
    std::size_t first = 0, last = 0;  ///< type byte and value inside label_bytes_
  };
  bool in_record_ = false;
  Timestamp timestamp_;
  SeverityNumber severity_ = kSeverityUnset;
  bool severity_from_body_ = false;
  int depth_ = 0;
  std::size_t values_first_ = 0;
  std::string shape_bytes_;
  std::string label_bytes_;
  std::vector<PendingLabel> labels_;
};

}  // namespace dendro
