#pragma once

#include <string>

#include "base/error.h"
#include "io/http_client.h"

namespace dendro {

/// What a service of AWS says when it refuses.
struct AwsFault {
  int status = 0;
  std::string code;     ///< "NoSuchBucket", "ThrottlingException"; "HTTP503" where the reply names none
  std::string message;  ///< cut at 512 bytes, one line
  std::string region;   ///< of S3: where the bucket is, if the reply says so
};

/// Reads XML and JSON alike, whichever the service speaks: behind checks of rights, JSON services of some servers
/// answer XML.
AwsFault read_aws_fault(const HttpClientReply& reply);

/// Too many requests: waiting helps.
bool is_throttling(const AwsFault& fault);
/// Worth a repetition: throttled, an error of theirs, a request that they did not get whole.
bool is_retryable(const AwsFault& fault);
/// The signature's time or what hangs on it was refused: the clocks may differ.
bool is_clock_fault(const AwsFault& fault);
/// The session's key pair has run out or is not known (any more): a new one may be had.
bool is_credential_fault(const AwsFault& fault);

/// "NoSuchKey: The specified key does not exist." with the code that says what the caller can do.
Error aws_error(const AwsFault& fault);

}  // namespace dendro
