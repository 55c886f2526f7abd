#include "services/evidence/record_proof.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/json_document.h"
#include "base/json_writer.h"
#include "record/record_id.h"

namespace dendro {
namespace {

constexpr std::size_t kProofFieldsMax = 65'536;

Error bad_proof(const std::string& what) {
  return Error(ErrorCode::invalid_argument, "the proof " + what);
}

void base64_member(JsonWriter& json, std::string_view name, std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  json.member(name, text);
}

void write_field(JsonWriter& json, const FieldOpening& field) {
  json.begin_object();
  if (const auto path = path_of_field(field.name)) json.member("path", *path);
  if (const auto text = field.withheld ? std::nullopt : value_text_of_field(field)) json.member("text", *text);
  base64_member(json, "name", field.name);
  if (field.withheld) {
    json.member("hash", to_hex(*field.withheld));
  } else {
    json.member("salt", to_hex(field.salt));
    base64_member(json, "value", field.value);
  }
  json.end_object();
}

/// Reads members of one object; the first that is wrong is the error.
class ProofMembers {
 public:
  explicit ProofMembers(const JsonValue& object) : object_(object) {}

  std::string text(std::string_view name) {
    const JsonValue* member = object_.find(name);
    const auto read = member == nullptr ? std::nullopt : member->as_string();
    if (!read) blame(name);
    return std::string(read.value_or(""));
  }
  std::string base64(std::string_view name) {
    auto bytes = decode_base64(text(name));
    if (!bytes) blame(name);
    return std::move(bytes).value_or("");
  }
  Hash32 hash(std::string_view name) {
    const auto bytes = parse_hex(text(name));
    const auto read = bytes ? hash_from_bytes(*bytes) : std::nullopt;
    if (!read) blame(name);
    return read.value_or(Hash32{});
  }
  std::uint64_t count(std::string_view name) {
    const JsonValue* member = object_.find(name);
    const auto read = member == nullptr ? std::nullopt : member->as_int();
    if (!read || *read < 0) blame(name);
    return static_cast<std::uint64_t>(read.value_or(0));
  }
  const std::vector<JsonValue>& list(std::string_view name) {
    static const std::vector<JsonValue> kNone;
    const JsonValue* member = object_.find(name);
    if (member != nullptr && member->is_array() && member->elements().size() <= kProofFieldsMax) {
      return member->elements();
    }
    blame(name);
    return kNone;
  }
  bool has(std::string_view name) const { return object_.find(name) != nullptr; }
  void blame(std::string_view name) {
    if (blamed_.empty()) blamed_ = name;
  }
  Status status() const {
    if (blamed_.empty()) return {};
    return bad_proof("has no good member \"" + blamed_ + "\"");
  }

 private:
  const JsonValue& object_;
  std::string blamed_;
};

Result<FieldOpening> read_field(const JsonValue& value) {
  ProofMembers members(value);
  FieldOpening field;
  field.name = members.base64("name");
  if (members.has("hash")) {
    field.withheld = members.hash("hash");
  } else {
    field.salt = members.hash("salt");
    field.value = members.base64("value");
  }
  DENDRO_TRY(members.status());
  return field;
}

}  // namespace

void withhold_fields(RecordProof& proof, const std::function<bool(std::string_view path)>& is_hidden) {
  for (FieldOpening& field : proof.record.fields) {
    const auto path = path_of_field(field.name);
    if (path && is_hidden(*path) && !field.withheld) withhold(field);
  }
}

std::string record_proof_json(const RecordProof& proof) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("version", 1);
  json.member("tenant", proof.tenant);
  if (const auto head = read_record_head(proof.record.head)) {
    json.member("record_id", to_record_id({Timestamp(head->timestamp_ns), SequenceNumber(head->sequence)}));
  }
  base64_member(json, "head", proof.record.head);
  json.key("fields");
  json.begin_array();
  for (const FieldOpening& field : proof.record.fields) write_field(json, field);
  json.end_array();
  json.member("leaf_index", proof.leaf_index);
  json.key("path");
  json.begin_array();
  for (const Hash32& hash : proof.path) json.value(to_hex(hash));
  json.end_array();
  base64_member(json, "entry", proof.entry);
  base64_member(json, "signature", proof.signature);
  json.member("public_key", to_hex(proof.public_key));
  json.end_object();
  return out;
}

Result<RecordProof> parse_record_proof(std::string_view text) {
  auto document = parse_json_document(text);
  if (!document || !document->is_object()) return bad_proof("is no JSON object");
  ProofMembers members(*document);
  if (members.count("version") != 1) return bad_proof("is of another version than 1");
  RecordProof proof;
  proof.tenant = members.text("tenant");
  proof.record.head = members.base64("head");
  for (const JsonValue& value : members.list("fields")) {
    DENDRO_TRY_ASSIGN(FieldOpening field, read_field(value));
    proof.record.fields.push_back(std::move(field));
  }
  proof.leaf_index = members.count("leaf_index");
  for (const JsonValue& value : members.list("path")) {
    const auto bytes = parse_hex(value.as_string().value_or(""));
    const auto hash = bytes ? hash_from_bytes(*bytes) : std::nullopt;
    if (!hash) members.blame("path");
    proof.path.push_back(hash.value_or(Hash32{}));
  }
  proof.entry = members.base64("entry");
  proof.signature = members.base64("signature");
  proof.public_key = members.hash("public_key");
  DENDRO_TRY(members.status());
  return proof;
}

Result<ProvenRecord> check_record_proof(const RecordProof& proof, const std::optional<Hash32>& trusted_key) {
  const Hash32& public_key = trusted_key ? *trusted_key : proof.public_key;
  const Hash32 entry_hash = chain_entry_hash(proof.entry);
  const auto key = SignatureKey::from_ed25519(hash_bytes(public_key));
  if (!key || !key->verifies(chain_signed_bytes(entry_hash), proof.signature)) {
    return bad_proof("is not signed with key " + to_hex(public_key));
  }
  const auto entry = decode_chain_entry(proof.entry);
  if (!entry) return bad_proof("holds an entry that cannot be read: " + entry.error().message());
  const auto* records = std::get_if<ChainRecords>(&entry->body);
  if (records == nullptr) return bad_proof("holds an entry that covers no records");
  const auto root = root_of_path(leaf_of(proof.record), proof.leaf_index, records->count, proof.path);
  if (!root || *root != records->root) return bad_proof("does not lead from the record to the entry");
  const auto head = read_record_head(proof.record.head);
  if (!head || head->sequence < records->first || head->sequence > records->last) {
    return bad_proof("is of a record that the entry cannot cover");
  }
  ProvenRecord proven;
  proven.record_id = to_record_id({Timestamp(head->timestamp_ns), SequenceNumber(head->sequence)});
  proven.head = *head;
  proven.entry_index = entry->index;
  proven.covered = entry->time;
  proven.entry_hash = entry_hash;
  for (const FieldOpening& field : proof.record.fields) {
    const auto path = path_of_field(field.name);
    if (!path) return bad_proof("has a field whose name cannot be read");
    proven.fields.emplace_back(*path, field.withheld ? std::nullopt : value_text_of_field(field));
  }
  return proven;
}

}  // namespace dendro
