#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/aws/aws_client.h"
#include "adapters/aws/aws_settings.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/object_store.h"

namespace dendro {

/// The AWS that a command talks to: its credentials and one client of all services. Nothing is asked before the first
/// call. Thread-safe. Where the profile files cannot be read, that is what each call answers.
class AwsAccess {
 public:
  /// `variable`: of the environment. `clock`, `random` and `files` outlive this.
  AwsAccess(AwsVariable variable, const Clock& clock, RandomSource& random, FileSystem& files);
  ~AwsAccess();

  AwsClient& client() { return *client_; }
  const AwsSettings& settings() const { return settings_; }
  /// S3, and folders for buckets named file:///path.
  ObjectStore& objects() { return *objects_; }

 private:
  std::unique_ptr<HttpClient> http_;
  AwsSettings settings_;
  std::unique_ptr<CredentialProvider> credentials_;
  std::unique_ptr<AwsClient> client_;
  std::unique_ptr<ObjectStore> local_, s3_, objects_;
};

/// The process's environment.
AwsVariable process_aws_variables();

}  // namespace dendro
