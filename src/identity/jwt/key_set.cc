#include "identity/jwt/key_set.h"

#include <algorithm>

#include "base/base64.h"
#include "base/json_document.h"

namespace dendro {
namespace {

Error bad_key_set(std::string_view what) {
  return Error(ErrorCode::invalid_argument, "key set: " + std::string(what));
}

std::string_view text_member(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.find(name);
  return value == nullptr ? std::string_view() : value->as_string().value_or(std::string_view());
}

/// A number of a JWK; empty: none, which no key takes.
std::string number_member(const JsonValue& jwk, std::string_view name) {
  return decode_base64url(text_member(jwk, name)).value_or(std::string());
}

bool is_for_signatures(const JsonValue& jwk) {
  const std::string_view use = text_member(jwk, "use");
  if (!use.empty() && use != "sig") return false;
  const JsonValue* const operations = jwk.find("key_ops");
  return operations == nullptr || std::ranges::any_of(operations->elements(), [](const JsonValue& operation) {
           return operation.as_string() == "verify";
         });
}

Result<SignatureKey> key_of_jwk(const JsonValue& jwk) {
  const std::string_view type = text_member(jwk, "kty");
  const std::string_view curve = text_member(jwk, "crv");
  if (type == "RSA") return SignatureKey::from_rsa(number_member(jwk, "n"), number_member(jwk, "e"));
  if (type == "EC" && curve == "P-256") {
    return SignatureKey::from_p256(number_member(jwk, "x"), number_member(jwk, "y"));
  }
  if (type == "OKP" && curve == "Ed25519") return SignatureKey::from_ed25519(number_member(jwk, "x"));
  return bad_key_set("a kind of key that is not taken");
}

/// The key, if it is one to verify with.
std::optional<SignatureKey> usable_key(const JsonValue& jwk) {
  if (!is_for_signatures(jwk)) return std::nullopt;
  const Result<SignatureKey> key = key_of_jwk(jwk);
  if (!key) return std::nullopt;
  const std::string_view algorithm = text_member(jwk, "alg");
  if (!algorithm.empty() && algorithm != signature_algorithm_name(key->algorithm())) return std::nullopt;
  return *key;
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text) {
  KeySet set;
  if (text.size() > kTextBytesMax) return bad_key_set("is too long");
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text.substr(first).starts_with("-----BEGIN ")) {
    DENDRO_TRY_ASSIGN(SignatureKey key, SignatureKey::from_pem(text));
    set.entries_.push_back({"", std::move(key)});
    return set;
  }
  const Result<JsonValue> document = parse_json_document(text);
  if (!document || !document->is_object()) return bad_key_set("is neither PEM nor a JSON object");
  if (const JsonValue* const keys = document->find("keys"); keys != nullptr && keys->is_array()) {
    for (const JsonValue& jwk : keys->elements()) {
      if (auto key = usable_key(jwk)) set.entries_.push_back({std::string(text_member(jwk, "kid")), std::move(*key)});
    }
  } else {
    for (const auto& [id, pem] : document->members()) {
      if (auto key = SignatureKey::from_pem(pem.as_string().value_or(std::string_view()))) {
        set.entries_.push_back({id, std::move(*key)});
      }
    }
  }
  if (set.entries_.empty() || set.entries_.size() > kKeysMax) {
    return bad_key_set("has " + std::to_string(set.entries_.size()) + " keys to verify with; 1 to " +
                       std::to_string(kKeysMax) + " are taken");
  }
  return set;
}

const SignatureKey* KeySet::find(const std::optional<std::string>& key_id, SignatureAlgorithm algorithm) const {
  const SignatureKey* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.key.algorithm() != algorithm) continue;
    if (key_id && entry.id == *key_id) return &entry.key;
    if (key_id) continue;
    if (found != nullptr) return nullptr;  // which one?
    found = &entry.key;
  }
  return found;
}

}  // namespace dendro
