#include "apps/object_inputs.h"

#include "services/analyze/newest_objects.h"

namespace dendro {
namespace {

constexpr std::string_view kObjectScheme = "s3://";

}  // namespace

Result<std::vector<std::string>> ObjectInputs::expand(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const std::string& name : names) {
    if (is_object_name(name)) {
      DENDRO_TRY(list(name, all));
    } else {
      all.push_back(name);
    }
  }
  return all;
}

Status ObjectInputs::list(const std::string& name, std::vector<std::string>& out) {
  const std::string place = name.substr(kObjectScheme.size());
  const std::size_t slash = std::min(place.find('/'), place.size());
  const std::string bucket = place.substr(0, slash);
  const std::string prefix = place.substr(std::min(slash + 1, place.size()));
  if (bucket.empty()) {
    return Error(ErrorCode::invalid_argument, "'" + name + "' names no bucket: s3://BUCKET/PREFIX");
  }
  const std::size_t before = out.size();
  std::optional<std::string> token;
  do {
    DENDRO_TRY_ASSIGN(ObjectPage page, store_.list(bucket, prefix, token));
    for (ObjectInfo& object : page.objects) {
      if (!is_log_candidate(object)) continue;
      if (listed_.size() == kObjectsMax) {
        return Error(ErrorCode::too_large,
                     name + ": more than " + std::to_string(kObjectsMax) + " objects; name a longer prefix");
      }
      out.push_back(std::string(kObjectScheme) + bucket + "/" + object.key);
      listed_[out.back()] = {bucket, std::move(object)};
    }
    token = std::move(page.continuation_token);
  } while (token);
  if (out.size() == before) return Error(ErrorCode::not_found, name + ": there is no object");
  return {};
}

Result<std::unique_ptr<ByteSource>> ObjectInputs::open(const std::string& name) {
  const Listed& object = listed_.at(name);
  return store_.get(object.bucket, object.info.key, object.info.etag);
}

Timestamp ObjectInputs::modified(const std::string& name) const {
  return listed_.at(name).info.last_modified;
}

}  // namespace dendro
