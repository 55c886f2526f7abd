#include "services/analyze/newest_objects.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dendro {
namespace {

std::int64_t whole_seconds(Timestamp time) {
  const std::int64_t seconds = time.number() / kNanosPerSecond;
  return time.number() % kNanosPerSecond < 0 ? seconds - 1 : seconds;
}

bool is_newer(const ObjectInfo& left, const ObjectInfo& right) {
  const std::int64_t left_seconds = whole_seconds(left.last_modified);
  const std::int64_t right_seconds = whole_seconds(right.last_modified);
  return left_seconds != right_seconds ? left_seconds > right_seconds : left.key < right.key;
}

}  // namespace

bool is_log_candidate(const ObjectInfo& object) {
  const bool folder_marker = object.size_bytes == 0 && object.key.ends_with('/');
  return !folder_marker && object.storage_class != "GLACIER" && object.storage_class != "DEEP_ARCHIVE";
}

Result<std::vector<ObjectInfo>> newest_objects(ObjectStore& store, const std::string& bucket, const std::string& prefix,
                                               std::size_t count, const ListLimits& limits) {
  std::vector<ObjectInfo> newest;
  std::optional<std::string> token;
  do {
    if (limits.cancel.cancelled()) return Error(ErrorCode::cancelled, "listing: cancelled");
    if (std::chrono::steady_clock::now() > limits.deadline) {
      return Error(ErrorCode::deadline_exceeded, "listing: out of time");
    }
    DENDRO_TRY_ASSIGN(ObjectPage page, store.list(bucket, prefix, token));
    for (ObjectInfo& object : page.objects) {
      if (!is_log_candidate(object)) continue;
      newest.insert(std::upper_bound(newest.begin(), newest.end(), object, is_newer), std::move(object));
      if (newest.size() > count) newest.pop_back();
    }
    token = std::move(page.continuation_token);
  } while (token);
  return newest;
}

}  // namespace dendro
