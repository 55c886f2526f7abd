#include "identity/jwt/jwt.h"

#include <algorithm>
#include <set>

#include "base/base64.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::size_t kKeyIdBytesMax = 256;

Error not_a_token(std::string_view why) {
  return Error(ErrorCode::unauthenticated, "token: " + std::string(why));
}

bool names_a_member_twice(const JsonValue& value) {
  std::set<std::string_view> names;
  for (const auto& [name, member] : value.members()) {
    if (!names.insert(name).second || names_a_member_twice(member)) return true;
  }
  return std::ranges::any_of(value.elements(), &names_a_member_twice);
}

/// One of the two JSON parts.
Result<JsonValue> decode_part(std::string_view part, std::string_view what) {
  const auto text = decode_base64url(part);
  if (!text) return not_a_token(std::string(what) + " is no strict base64url");
  Result<JsonValue> value = parse_json_document(*text);
  if (!value || !value->is_object()) return not_a_token(std::string(what) + " is no JSON object");
  if (names_a_member_twice(*value)) return not_a_token(std::string(what) + " names a member twice");
  return value;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// Absent, or of a token that a request may carry: others (a logout token, say) have the same issuer and key.
bool is_type_of_a_credential(const JsonValue& header) {
  const JsonValue* const type = header.find("typ");
  if (type == nullptr) return true;
  std::string name = lower_case(type->as_string().value_or(""));
  if (name.starts_with("application/")) name.erase(0, std::string_view("application/").size());
  return name == "jwt" || name == "at+jwt";
}

Status read_header(const JsonValue& header, Jwt& jwt) {
  const JsonValue* const algorithm = header.find("alg");
  const auto known = parse_signature_algorithm(
      algorithm == nullptr ? std::string_view() : algorithm->as_string().value_or(std::string_view()));
  if (!known) return not_a_token("alg is none that is taken");
  jwt.algorithm = *known;
  if (header.find("crit") != nullptr) return not_a_token("crit asks for what is not understood");
  if (!is_type_of_a_credential(header)) return not_a_token("typ is that of something else");
  if (const JsonValue* const key_id = header.find("kid")) {
    if (!key_id->is_string() || key_id->as_string()->size() > kKeyIdBytesMax) return not_a_token("kid is no key id");
    jwt.key_id = std::string(*key_id->as_string());
  }
  return {};
}

}  // namespace

Result<Jwt> parse_jwt(std::string_view text) {
  if (text.size() > kJwtBytesMax) return not_a_token("has more than " + std::to_string(kJwtBytesMax) + " bytes");
  const std::size_t first_dot = text.find('.');
  const std::size_t last_dot = text.rfind('.');
  if (first_dot == last_dot || std::ranges::count(text, '.') != 2) return not_a_token("has not three parts");
  Jwt jwt;
  jwt.signed_part = text.substr(0, last_dot);
  DENDRO_TRY_ASSIGN(const JsonValue header, decode_part(text.substr(0, first_dot), "the header"));
  DENDRO_TRY(read_header(header, jwt));
  DENDRO_TRY_ASSIGN(jwt.claims, decode_part(text.substr(first_dot + 1, last_dot - first_dot - 1), "the claims"));
  auto signature = decode_base64url(text.substr(last_dot + 1));
  if (!signature || signature->empty()) return not_a_token("the signature is no strict base64url");
  jwt.signature = std::move(*signature);
  return jwt;
}

std::string make_jwt(const SignatureKey& key, std::string_view claims_json) {
  std::string header;
  JsonWriter json(header);
  json.begin_object();
  json.member("alg", signature_algorithm_name(key.algorithm()));
  json.member("typ", "JWT");
  json.end_object();
  std::string text;
  append_base64url(text, header);
  text.push_back('.');
  append_base64url(text, claims_json);
  const Result<std::string> signature = key.sign(text);
  DENDRO_CHECK(signature.has_value());
  text.push_back('.');
  append_base64url(text, *signature);
  return text;
}

}  // namespace dendro
