#include "services/analyze/analyze_types.h"

#include <string_view>

#include "io/object_store.h"

namespace dendro {
namespace {

/// The word S3 has for it: the store's own, or the one for our code.
std::string_view s3_code_name(const Error& error) {
  if (const std::string_view word = store_error_word(error); !word.empty()) return word;
  switch (error.code()) {
    case ErrorCode::permission_denied:
    case ErrorCode::unauthenticated:
      return "AccessDenied";
    case ErrorCode::resource_exhausted:
      return "SlowDown";
    case ErrorCode::unavailable:
      return "ServiceUnavailable";
    case ErrorCode::deadline_exceeded:
      return "RequestTimeout";
    case ErrorCode::already_exists:
      return "PreconditionFailed";
    case ErrorCode::not_found:
      return "NoSuchKey";
    case ErrorCode::invalid_argument:
      return "InvalidRequest";
    case ErrorCode::unimplemented:
      return "NotImplemented";
    default:
      return "InternalError";
  }
}

}  // namespace

std::string public_failure_text(const AnalyzeFailure& failure) {
  switch (failure.fault) {
    case AnalyzeFault::no_objects:
      return "No logs found at the specified prefix.";
    case AnalyzeFault::no_bucket:
      return "S3 bucket '" + failure.bucket + "' not found.";
    case AnalyzeFault::store:
      return "An S3 error occurred: " + std::string(s3_code_name(failure.error));
    case AnalyzeFault::unreadable_file:
    case AnalyzeFault::input:
      break;
  }
  return "An unexpected error occurred: " + failure.error.message();
}

std::string failure_text(const AnalyzeFailure& failure) {
  if (failure.fault == AnalyzeFault::unreadable_file) return failure.error.message();
  const std::string text = public_failure_text(failure);
  if (failure.fault != AnalyzeFault::store) return text;
  const std::string_view word = store_error_word(failure.error);
  return text + ": " + failure.error.message().substr(word.empty() ? 0 : word.size() + 2);
}

int failure_exit_code(const AnalyzeFailure& failure) {
  return failure.fault == AnalyzeFault::unreadable_file ? 2 : 1;
}

int failure_http_status(const AnalyzeFailure& failure) {
  switch (failure.fault) {
    case AnalyzeFault::no_objects:
    case AnalyzeFault::no_bucket:
      return 404;
    case AnalyzeFault::unreadable_file:
    case AnalyzeFault::input:
      return failure.error.code() == ErrorCode::deadline_exceeded ? 504 : 500;
    case AnalyzeFault::store:
      break;
  }
  switch (failure.error.code()) {
    case ErrorCode::permission_denied:
    case ErrorCode::unauthenticated:
      return 403;
    case ErrorCode::resource_exhausted:
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::deadline_exceeded:
      return 504;
    case ErrorCode::unimplemented:
      return 501;
    default:
      return 500;
  }
}

}  // namespace dendro
