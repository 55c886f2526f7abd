#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/result.h"
#include "record/record_sink.h"

namespace dendro {

/// What is kept of a request that carried a key: enough to answer it again (engine.md 3.4).
struct KeyedReply {
  BatchKey key;
  CommitReply reply;
  friend bool operator==(const KeyedReply&, const KeyedReply&) = default;
};

/// One tenant's retry keys of the last hours. Not thread-safe.
class BatchKeyWindow {
 public:
  struct Limits {
    std::chrono::nanoseconds age_max{};
    std::size_t keys_max = 0;
  };
  explicit BatchKeyWindow(Limits limits) : limits_(limits) {}

  /// The first reply, marked as replayed, or nothing if the key is new or too old.
  /// Errors: already_exists (the key is known with other content).
  Result<std::optional<CommitReply>> find(const BatchKey& key, std::chrono::nanoseconds now) const;
  /// Keeps the first reply of a key; drops what is too old. Times are of the monotonic clock; `committed` should not go
  /// back from call to call and is raised where it does.
  void add(const KeyedReply& entry, std::chrono::nanoseconds committed, std::chrono::nanoseconds now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct IdHash {
    std::size_t operator()(const Bytes16& id) const noexcept;
  };
  struct Entry {
    Bytes16 content_hash{};
    CommitReply reply;
    std::chrono::nanoseconds committed{};
  };
  void drop_old(std::chrono::nanoseconds now);

  Limits limits_;
  std::unordered_map<Bytes16, Entry, IdHash> entries_;
  std::deque<Bytes16> oldest_first_;
  std::chrono::nanoseconds last_committed_ = std::chrono::nanoseconds::min();
};

}  // namespace dendro
