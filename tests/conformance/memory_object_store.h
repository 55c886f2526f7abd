#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "io/object_store.h"

namespace dendro {

/// Buckets in memory, with faults on demand. Holds what a local folder cannot: folder markers, storage classes, chosen
/// times. Thread-safe.
class MemoryObjectStore final : public ObjectStore {
 public:
  explicit MemoryObjectStore(std::size_t page_objects_max = 1000) : page_objects_max_(page_objects_max) {}

  void make_bucket(const std::string& bucket) {
    MutexLock lock(mutex_);
    buckets_[bucket];
  }
  void put_object(const std::string& bucket, const std::string& key, std::string bytes, Timestamp modified,
                  std::string storage_class = "") {
    MutexLock lock(mutex_);
    const std::string etag = "v" + std::to_string(++versions_);
    buckets_[bucket][key] = {{key, bytes.size(), modified, etag, std::move(storage_class)}, std::move(bytes)};
  }
  /// The next calls fail with this, until it is reset.
  void fail_with(std::optional<Error> error) {
    MutexLock lock(mutex_);
    failure_ = std::move(error);
  }
  /// Runs before every `get`: changes things between the listing and the reading.
  void before_get(std::function<void()> hook) { before_get_ = std::move(hook); }
  int lists() const { return lists_; }

  Result<ObjectPage> list(const std::string& bucket, const std::string& prefix,
                          const std::optional<std::string>& continuation_token) override {
    MutexLock lock(mutex_);
    if (failure_) return *failure_;
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) return Error(ErrorCode::not_found, "bucket " + bucket);
    if (!continuation_token) ++lists_;
    ObjectPage page;
    for (const auto& [key, object] : found->second) {
      if (!key.starts_with(prefix) || (continuation_token && key <= *continuation_token)) continue;
      if (page.objects.size() == page_objects_max_) {
        page.continuation_token = page.objects.back().key;
        break;
      }
      page.objects.push_back(object.first);
    }
    return page;
  }

  Result<std::unique_ptr<ByteSource>> get(const std::string& bucket, const std::string& key,
                                          const std::optional<std::string>& etag) override {
    if (before_get_) before_get_();
    MutexLock lock(mutex_);
    if (failure_) return *failure_;
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) return Error(ErrorCode::not_found, "bucket " + bucket);
    const auto object = found->second.find(key);
    if (object == found->second.end()) return Error(ErrorCode::not_found, "object " + key);
    if (etag && *etag != object->second.first.etag)
      return Error(ErrorCode::already_exists, "changed since it was listed");
    return std::unique_ptr<ByteSource>(std::make_unique<MemoryByteSource>(object->second.second));
  }

  Status put(const std::string& bucket, const std::string& key, std::string_view bytes) override {
    {
      MutexLock lock(mutex_);
      if (buckets_.find(bucket) == buckets_.end()) return Error(ErrorCode::not_found, "bucket " + bucket);
    }
    put_object(bucket, key, std::string(bytes), Timestamp(kNanosPerSecond));
    return {};
  }

 private:
  const std::size_t page_objects_max_;
  std::function<void()> before_get_;
  Mutex mutex_;
  std::map<std::string, std::map<std::string, std::pair<ObjectInfo, std::string>>> buckets_ DENDRO_GUARDED_BY(mutex_);
  std::optional<Error> failure_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t versions_ DENDRO_GUARDED_BY(mutex_) = 0;
  int lists_ = 0;
};

}  // namespace dendro
