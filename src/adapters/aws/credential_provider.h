#pragma once

#include <string>

#include "adapters/aws/request_signer.h"
#include "base/result.h"

namespace dendro {

/// Key pairs to sign with. Thread-safe. Calls may wait for a network: never on a loop thread.
class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;
  /// A pair that is good for some minutes more. Errors: unauthenticated (there is none), and those of the source asked;
  /// the text never holds a secret.
  virtual Result<AwsCredentials> get() = 0;
  /// This pair was refused: the next `get` asks the source again, if it can tell anything else.
  virtual void forget(const std::string& access_key_id) = 0;
};

/// Always the same pair.
class FixedCredentials final : public CredentialProvider {
 public:
  explicit FixedCredentials(AwsCredentials credentials) : credentials_(std::move(credentials)) {}
  Result<AwsCredentials> get() override { return credentials_; }
  void forget(const std::string&) override {}

 private:
  const AwsCredentials credentials_;
};

}  // namespace dendro
