#include "apps/aws_access.h"

#include <cstdlib>

#include "adapters/aws/credential_chain.h"
#include "adapters/aws/s3_object_store.h"
#include "adapters/http/curl_http_client.h"

namespace dendro {
namespace {

/// Where the profile files are broken: says so at each call.
class NoCredentials final : public CredentialProvider {
 public:
  explicit NoCredentials(Error why) : why_(std::move(why)) {}
  Result<AwsCredentials> get() override { return why_; }
  void forget(const std::string&) override {}

 private:
  const Error why_;
};

/// Folders and S3 behind one face, told apart by the bucket's name.
class FolderOrS3 final : public ObjectStore {
 public:
  FolderOrS3(ObjectStore& local, ObjectStore& s3) : local_(local), s3_(s3) {}
  Result<ObjectPage> list(const std::string& bucket, const std::string& prefix,
                          const std::optional<std::string>& continuation_token) override {
    return of(bucket).list(bucket, prefix, continuation_token);
  }
  Result<std::unique_ptr<ByteSource>> get(const std::string& bucket, const std::string& key,
                                          const std::optional<std::string>& etag) override {
    return of(bucket).get(bucket, key, etag);
  }
  Status put(const std::string& bucket, const std::string& key, std::string_view bytes) override {
    return of(bucket).put(bucket, key, bytes);
  }

 private:
  ObjectStore& of(const std::string& bucket) { return is_local_bucket(bucket) ? local_ : s3_; }
  ObjectStore& local_;
  ObjectStore& s3_;
};

}  // namespace

AwsAccess::AwsAccess(AwsVariable variable, const Clock& clock, RandomSource& random, FileSystem& files)
    : http_(make_curl_http_client()) {
  Result<AwsProfiles> read = AwsProfiles::read(variable, files);
  const auto profiles = std::make_shared<const AwsProfiles>(read ? *read : AwsProfiles());
  settings_ = AwsSettings::read(variable, profiles);
  if (read) {
    credentials_ = make_credential_chain({*http_, clock, random, files, variable, profiles, settings_});
  } else {
    credentials_ = std::make_unique<NoCredentials>(read.error().with_context("AWS profile files"));
  }
  client_ = std::make_unique<AwsClient>(AwsClient::Parts{*http_, clock, random, credentials_.get()});
  local_ = make_local_object_store();
  s3_ = make_s3_object_store(*client_, settings_);
  objects_ = std::make_unique<FolderOrS3>(*local_, *s3_);
}

AwsAccess::~AwsAccess() = default;

AwsVariable process_aws_variables() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());  // NOLINT: nothing here sets any
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

}  // namespace dendro
