// Bytes as a server that is taken for AWS may send them, and as a caller may who says to have signed: nothing crashes,
// what is read keeps its bounds, and no signature is believed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/aws/aws_client.h"
#include "adapters/aws/aws_encoding.h"
#include "adapters/aws/aws_fault.h"
#include "adapters/aws/aws_xml.h"
#include "adapters/aws/request_signer.h"
#include "base/check.h"

namespace dendro {
namespace {

int depth_of(const AwsXmlElement& element) {
  int deepest = 0;
  for (const AwsXmlElement& child : element.children) deepest = std::max(deepest, 1 + depth_of(child));
  return deepest;
}

void check_reply(const std::string& body) {
  if (const auto root = parse_aws_xml(body)) DENDRO_CHECK(depth_of(*root) <= kAwsXmlDepthMax);
  const AwsFault fault = read_aws_fault({403, {{"x-amzn-errortype", body.substr(0, 100)}}, body});
  DENDRO_CHECK(!fault.code.empty() && fault.code.size() <= 80 && fault.message.size() <= 512);
  for (const char c : fault.message) DENDRO_CHECK(static_cast<unsigned char>(c) >= 0x20);
  DENDRO_CHECK(!aws_error(fault).message().empty());
  [[maybe_unused]] const auto date = parse_http_date(body);
  if (const auto decoded = aws_percent_decode(body)) DENDRO_CHECK(decoded->size() <= body.size());
}

void check_signed(const std::string& text) {
  ReceivedAwsRequest request;
  request.method = "GET";
  request.path = "/" + text;
  request.query = text;
  request.headers = {{"host", "h"}, {"x-amz-date", "20150830T123600Z"}, {"authorization", text}};
  request.payload_hash = hex_sha256("");
  const auto claim = read_signature_claim(request);
  if (!claim || !*claim) return;
  DENDRO_CHECK(!(*claim)->access_key_id.empty());
  DENDRO_CHECK(!verify_signature(request, **claim, "a secret nobody knows", *parse_rfc3339("2015-08-30T12:36:00Z")));
}

}  // namespace
}  // namespace dendro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  dendro::check_reply(bytes);
  dendro::check_signed(bytes);
  dendro::check_signed(
      "AWS4-HMAC-SHA256 Credential=K/20150830/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, " + bytes);
  return 0;
}
