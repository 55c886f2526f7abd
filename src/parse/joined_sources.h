#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "parse/file_record_source.h"
#include "record/record_source.h"

namespace dendro {

/// One of several inputs, in the order of the whole.
struct JoinedInput {
  /// Called once, on some thread. Errors: any; final for the whole.
  std::function<Result<std::unique_ptr<FileRecordSource>>()> open;
  /// Called on the reader's thread, from next(), once all inputs before this one and it have been read to their end.
  std::function<void(const FileFindings&)> on_end;
};

enum class JoinedOrder : std::uint8_t {
  as_given,  ///< all records of an input before those of the next
  any,       ///< as they come: nobody looks at their numbers or places
};

/// Batches that an input may be ahead of the reader.
inline constexpr std::size_t kJoinedBatchesAhead = 2;

/// Reads inputs on `threads` threads of its own, so that decoding goes on beside what is done with the records and,
/// where there are several inputs, on as many cores. With `any` all inputs at hand give batches; with `as_given` those
/// behind the one at hand are kJoinedBatchesAhead batches ahead. Only for inputs that never wait for somebody (files):
/// the destructor waits for the batch at hand. `threads` at least 1.
std::unique_ptr<RecordSource> make_joined_source(std::vector<JoinedInput> inputs, JoinedOrder order,
                                                 std::size_t threads);

}  // namespace dendro
