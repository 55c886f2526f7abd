#include "adapters/aws/aws_fault.h"

#include <algorithm>
#include <iterator>

#include "adapters/aws/aws_xml.h"
#include "base/json_document.h"

namespace dendro {
namespace {

constexpr std::size_t kFaultMessageBytesMax = 512;
/// Beyond this a reply is no message of a fault.
constexpr std::size_t kFaultBodyBytesMax = std::size_t{256} << 10;

template <std::size_t N>
bool is_one_of(const std::string& word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// "com.amazonaws.sqs#QueueDoesNotExist:http://..." and "AWS.SimpleQueueService.X" give their last word.
std::string bare_code(std::string_view code) {
  code = code.substr(0, code.find(':'));
  if (const std::size_t hash = code.rfind('#'); hash != std::string_view::npos) code.remove_prefix(hash + 1);
  if (const std::size_t dot = code.rfind('.'); dot != std::string_view::npos) code.remove_prefix(dot + 1);
  const bool is_word = !code.empty() && code.size() <= 80 && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  return is_word ? std::string(code) : std::string();
}

/// One line of harmless length.
std::string fault_message(std::string_view text) {
  std::string line(text.substr(0, kFaultMessageBytesMax));
  for (char& c : line) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

void read_xml_fault(std::string_view body, AwsFault& fault) {
  const Result<AwsXmlElement> root = parse_aws_xml(body);
  if (!root) return;
  const AwsXmlElement* const error = root->find_below("Error");
  if (error == nullptr) return;
  fault.code = bare_code(error->text_of("Code"));
  fault.message = fault_message(error->text_of("Message"));
  fault.region = error->text_of("Region");
}

void read_json_fault(std::string_view body, AwsFault& fault) {
  const Result<JsonValue> document = parse_json_document(body);
  if (!document) return;
  const auto text = [&document](std::string_view name) {
    const JsonValue* const value = document->find(name);
    return value == nullptr ? std::string_view() : value->as_string().value_or("");
  };
  if (fault.code.empty()) fault.code = bare_code(text("__type"));
  if (fault.code.empty()) fault.code = bare_code(text("code"));
  fault.message = fault_message(text("message"));
  if (fault.message.empty()) fault.message = fault_message(text("Message"));
}

}  // namespace

AwsFault read_aws_fault(const HttpClientReply& reply) {
  AwsFault fault;
  fault.status = reply.status;
  fault.code = bare_code(reply.header("x-amzn-errortype"));
  const std::string_view body = std::string_view(reply.body).substr(0, kFaultBodyBytesMax);
  const std::size_t first = std::min(body.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), body.size());
  if (body.substr(first).starts_with('<')) read_xml_fault(body, fault);
  if (body.substr(first).starts_with('{')) read_json_fault(body, fault);
  if (const std::string_view region = reply.header("x-amz-bucket-region"); !region.empty()) fault.region = region;
  if (fault.code.empty()) fault.code = "HTTP" + std::to_string(reply.status);
  return fault;
}

bool is_throttling(const AwsFault& fault) {
  constexpr std::string_view kCodes[] = {"Throttling",
                                         "ThrottlingException",
                                         "ThrottledException",
                                         "RequestThrottled",
                                         "RequestThrottledException",
                                         "TooManyRequestsException",
                                         "ProvisionedThroughputExceededException",
                                         "TransactionInProgressException",
                                         "RequestLimitExceeded",
                                         "BandwidthLimitExceeded",
                                         "LimitExceededException",
                                         "SlowDown",
                                         "PriorRequestNotComplete",
                                         "EC2ThrottledException"};
  return fault.status == 429 || is_one_of(fault.code, kCodes);
}

bool is_retryable(const AwsFault& fault) {
  constexpr std::string_view kCodes[] = {"RequestTimeout", "RequestTimeoutException", "InternalError",
                                         "InternalFailure", "IDPCommunicationError"};
  return is_throttling(fault) || is_one_of(fault.code, kCodes) || (fault.status >= 500 && fault.status != 501);
}

bool is_clock_fault(const AwsFault& fault) {
  constexpr std::string_view kCodes[] = {"RequestTimeTooSkewed",      "RequestExpired",        "RequestInTheFuture",
                                         "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"};
  return fault.status == 403 && is_one_of(fault.code, kCodes);
}

bool is_credential_fault(const AwsFault& fault) {
  constexpr std::string_view kCodes[] = {"ExpiredToken",       "ExpiredTokenException", "TokenRefreshRequired",
                                         "InvalidAccessKeyId", "InvalidClientTokenId",  "UnrecognizedClientException"};
  return is_one_of(fault.code, kCodes);
}

namespace {

ErrorCode error_code_of(const AwsFault& fault) {
  constexpr std::string_view kBadKeys[] = {
      "SignatureDoesNotMatch", "InvalidSignatureException",  "InvalidToken",
      "XAdminUserNotFound",    "MissingAuthenticationToken", "RequestTimeTooSkewed"};
  constexpr std::string_view kMissing[] = {
      "NoSuchBucket",      "InvalidBucketName",         "NoSuchKey",         "NoSuchUpload",    "NotFound",
      "NotFoundException", "ResourceNotFoundException", "QueueDoesNotExist", "NonExistentQueue"};
  constexpr std::string_view kTooLarge[] = {"EntityTooLarge", "BatchRequestTooLong", "MessageTooLong"};
  constexpr std::string_view kDenied[] = {"AccessDenied", "AccessDeniedException", "AuthorizationError",
                                          "AllAccessDisabled", "InvalidObjectState"};
  constexpr std::string_view kLate[] = {"RequestTimeout", "RequestTimeoutException"};
  if (is_throttling(fault)) return ErrorCode::resource_exhausted;
  if (is_credential_fault(fault) || is_one_of(fault.code, kBadKeys)) return ErrorCode::unauthenticated;
  if (is_one_of(fault.code, kMissing)) return ErrorCode::not_found;
  if (is_one_of(fault.code, kTooLarge)) return ErrorCode::too_large;
  if (is_one_of(fault.code, kDenied)) return ErrorCode::permission_denied;
  if (is_one_of(fault.code, kLate)) return ErrorCode::deadline_exceeded;
  switch (fault.status) {
    case 401:
      return ErrorCode::unauthenticated;
    case 403:
      return ErrorCode::permission_denied;
    case 404:
      return ErrorCode::not_found;
    case 409:
    case 412:
      return ErrorCode::already_exists;
    case 413:
      return ErrorCode::too_large;
    case 501:
      return ErrorCode::unimplemented;
    default:
      break;
  }
  if (fault.status == 500) return ErrorCode::io_error;  // theirs, after every repetition
  if (fault.status > 500) return ErrorCode::unavailable;
  return fault.status >= 400 ? ErrorCode::invalid_argument : ErrorCode::io_error;
}

}  // namespace

Error aws_error(const AwsFault& fault) {
  const std::string text = fault.message.empty() ? "HTTP status " + std::to_string(fault.status) : fault.message;
  return Error(error_code_of(fault), fault.code + ": " + text);
}

}  // namespace dendro
