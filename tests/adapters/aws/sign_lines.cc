// Reads requests, one JSON object a line, and writes for each the target and the headers as they would be sent.
#include <cstdio>
#include <iostream>

#include "adapters/aws/request_signer.h"
#include "base/json_document.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

std::string text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.find(name);
  return value == nullptr ? "" : std::string(value->as_string().value_or(""));
}

AwsPairs pairs_of(const JsonValue& object, std::string_view name) {
  AwsPairs pairs;
  for (const JsonValue& pair : object.find(name)->elements()) {
    pairs.emplace_back(*pair.elements().at(0).as_string(), *pair.elements().at(1).as_string());
  }
  return pairs;
}

std::string sign_line(RequestSigner& signer, const JsonValue& line) {
  const AwsSigningRequest request{text_of(line, "method"),   text_of(line, "host"),
                                  text_of(line, "path"),     pairs_of(line, "query"),
                                  pairs_of(line, "headers"), hex_sha256(text_of(line, "body"))};
  const AwsCredentials keys{text_of(line, "key"), text_of(line, "secret"), text_of(line, "token"), {}};
  const SigningScope scope{text_of(line, "region"), text_of(line, "service")};
  const Timestamp at = *parse_rfc3339(text_of(line, "time"));
  AwsWireRequest wire;
  if (text_of(line, "form") == "presign") {
    wire.target = signer.presign(request, keys, scope, at, std::chrono::hours(1));
  } else {
    wire = signer.sign(request, keys, scope, at);
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("target", wire.target);
  json.key("headers");
  json.begin_object();
  for (const auto& [name, value] : wire.headers) json.member(name, value);
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace
}  // namespace dendro

int main() {
  dendro::RequestSigner signer;
  for (std::string line; std::getline(std::cin, line);) {
    const auto document = dendro::parse_json_document(line);
    if (!document) {
      std::fprintf(stderr, "%s\n", document.error().message().c_str());
      return 1;
    }
    std::printf("%s\n", dendro::sign_line(signer, *document).c_str());
  }
  return 0;
}
