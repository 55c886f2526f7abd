#pragma once

#include <cstdint>
#include <string>

#include "record/record_batch_builder.h"
#include "storage/store.h"

namespace dendro {

/// Small files, so that rotation, flush and release happen often.
inline StoreOptions kill_test_options(const std::string& folder) {
  StoreOptions options;
  options.directory = folder;
  options.wal_file_bytes = 256 << 10;
  options.memtable_bytes_max = 200 << 10;
  options.free_bytes_min = 0;
  options.free_share_min = 0;
  return options;
}

/// Every third request has a key, every fourth two batches. Bodies are "<number>/<batch>:...".
inline std::uint64_t kill_batches_of(std::uint64_t number) {
  return number % 4 == 0 ? 2 : 1;
}
inline bool kill_request_has_key(std::uint64_t number) {
  return number % 3 == 0;
}

inline CommitRequest make_kill_request(std::uint64_t number) {
  CommitRequest request;
  request.receive_time = SystemClock().now();  // the window of keys counts from here
  for (std::uint64_t i = 0; i < kill_batches_of(number); ++i) {
    RecordBatchBuilder builder(request.receive_time);
    builder.begin_record();
    const std::string body = std::to_string(number) + "/" + std::to_string(i) + ":" + std::string(number % 700, 'x');
    builder.add_leaf(LeafRole::body, "body", "body", Value::of_text(body));
    builder.end_record();
    request.batches.push_back(builder.finish());
  }
  request.accepted = kill_batches_of(number);
  if (kill_request_has_key(number)) {
    request.key = BatchKey{batch_key_id(request.tenant, "kill", std::to_string(number)), Bytes16{1}};
  }
  return request;
}

}  // namespace dendro
