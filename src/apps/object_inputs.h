#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/byte_source.h"
#include "io/object_store.h"

namespace dendro {

/// Objects that a command reads as it reads files, by names like s3://bucket/prefix. Not thread-safe.
class ObjectInputs {
 public:
  /// Objects of one command; a longer list is more likely a mistake than a wish.
  static constexpr std::size_t kObjectsMax = 100'000;

  /// `store` outlives this.
  explicit ObjectInputs(ObjectStore& store) : store_(store) {}

  static bool is_object_name(const std::string& name) { return name.starts_with("s3://"); }

  /// Every such name becomes the objects whose keys begin with it, in byte order, as s3://bucket/key; other names stay.
  /// Folder markers and archived objects are left out. Errors: invalid_argument (no bucket), not_found (no object
  /// there), too_large, those of the store.
  Result<std::vector<std::string>> expand(const std::vector<std::string>& names);

  /// One that `expand` gave, at the version that was listed. Errors: those of the store.
  Result<std::unique_ptr<ByteSource>> open(const std::string& name);
  /// When it was written.
  Timestamp modified(const std::string& name) const;

 private:
  struct Listed {
    std::string bucket;
    ObjectInfo info;
  };
  Status list(const std::string& name, std::vector<std::string>& out);

  ObjectStore& store_;
  std::map<std::string, Listed> listed_;
};

}  // namespace dendro
