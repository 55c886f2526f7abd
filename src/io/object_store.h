#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "io/byte_source.h"

namespace dendro {

/// One object as a listing shows it.
struct ObjectInfo {
  std::string key;
  std::uint64_t size_bytes = 0;
  Timestamp last_modified;    ///< S3: whole seconds
  std::string etag;           ///< changes when the content does
  std::string storage_class;  ///< "" or S3's word: STANDARD, GLACIER, ...
};

struct ObjectPage {
  std::vector<ObjectInfo> objects;                ///< in byte order of the keys
  std::optional<std::string> continuation_token;  ///< hand to the next `list`; nothing: this was the last page
};

/// Keys and bytes in named buckets. Thread-safe. Calls block: never on a loop thread.
/// Errors of every call: not_found (`detail` names bucket or key), permission_denied, resource_exhausted (throttled),
/// unavailable (unreachable), deadline_exceeded, io_error. A store that has words of its own for failures begins the
/// text with them (store_error_word).
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// One page (at most 1,000 objects) of the keys that begin with `prefix`, in byte order. A missing bucket is
  /// not_found.
  virtual Result<ObjectPage> list(const std::string& bucket, const std::string& prefix,
                                  const std::optional<std::string>& continuation_token) = 0;
  /// The object's bytes from the start. With `etag`: fails with already_exists ("changed since it was listed") if it is
  /// another now.
  virtual Result<std::unique_ptr<ByteSource>> get(const std::string& bucket, const std::string& key,
                                                  const std::optional<std::string>& etag) = 0;
  /// Writes a whole object; visible whole or not at all.
  virtual Status put(const std::string& bucket, const std::string& key, std::string_view bytes) = 0;
};

/// The word that a store has for a failure, where the text begins with it: "NoSuchBucket" of "NoSuchBucket: it is not
/// there". Empty otherwise. Borrowed from the error.
std::string_view store_error_word(const Error& error);

/// True for bucket names of local folders: "file:///var/log".
bool is_local_bucket(std::string_view bucket);

/// Buckets are folders: bucket "file:///var/log" is that folder, keys are paths of regular files below it with `/`.
/// The bucket's own path may hold symbolic links; below it none is followed: links, pipes and sockets are not objects.
/// Other bucket names are unimplemented. Keys with empty, "." or ".." parts are invalid_argument. An etag is made of
/// inode, size and times. `put` writes a temporary file beside the target, syncs it and renames it. `page_objects_max`
/// is smaller in tests.
std::unique_ptr<ObjectStore> make_local_object_store(std::size_t page_objects_max = 1000);

}  // namespace dendro
