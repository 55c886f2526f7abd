#include "identity/identity_documents.h"

#include "base/json_writer.h"
#include "identity/api_keys.h"

namespace dendro {
namespace {

/// A JSON object, member by member.
class DocumentWriter {
 public:
  explicit DocumentWriter(std::string& out) : json_(out) { json_.begin_object(); }
  ~DocumentWriter() { json_.end_object(); }
  DocumentWriter(const DocumentWriter&) = delete;
  DocumentWriter& operator=(const DocumentWriter&) = delete;

  void text(std::string_view name, std::string_view value) { json_.member(name, value); }
  void list(std::string_view name, const std::vector<std::string>& values) {
    json_.key(name);
    json_.begin_array();
    for (const std::string& value : values) json_.value(value);
    json_.end_array();
  }
  void time(std::string_view name, Timestamp at) {
    json_.key(name);
    if (at == Timestamp(0)) {
      json_.null();
    } else {
      json_.value(to_rfc3339(at, 0));
    }
  }
  void grants(const std::vector<UserGrantRow>& grants) {
    json_.key("grants");
    json_.begin_array();
    for (const UserGrantRow& grant : grants) {
      json_.begin_object();
      json_.member("tenant", grant.tenant);
      list("roles", grant.roles);
      json_.end_object();
    }
    json_.end_array();
  }

 private:
  JsonWriter json_;
};

std::string_view state_of(Timestamp revoked, Timestamp expires, Timestamp now) {
  if (revoked != Timestamp(0)) return "revoked";
  return expires != Timestamp(0) && expires <= now ? "expired" : "active";
}

}  // namespace

void append_api_key(std::string& out, const ApiKeyRow& row, Timestamp now) {
  DocumentWriter document(out);
  document.text("id", row.id);
  document.text("name", row.name);
  document.text("prefix", std::string(ApiKeys::kPrefix) + row.id);
  document.list("tenants", row.tenants);
  document.list("scopes", row.scopes);
  document.list("roles", row.roles);
  document.text("certificate", row.certificate);
  document.text("state", state_of(row.revoked, row.expires, now));
  document.time("created_at", row.created);
  document.time("last_used_at", row.last_used);
  document.time("expires_at", row.expires);
}

void append_token(std::string& out, const TokenRow& row, Timestamp now) {
  DocumentWriter document(out);
  document.text("jti", row.jti);
  document.text("subject", row.subject);
  document.list("tenant_ids", row.tenants);
  document.list("roles", row.roles);
  document.text("state", state_of(row.revoked, row.expires, now));
  document.time("created_at", row.created);
  document.time("expires_at", row.expires);
  document.time("revoked_at", row.revoked);
}

void append_user(std::string& out, const UserRow& row, std::optional<Timestamp> locked_until) {
  DocumentWriter document(out);
  document.text("id", row.id);
  document.text("email", row.email);
  document.grants(row.grants);
  document.text("state", row.is_disabled ? "disabled" : locked_until ? "locked" : "active");
  document.time("locked_until", locked_until.value_or(Timestamp(0)));
  document.time("created_at", row.created);
  document.time("last_sign_in_at", row.last_sign_in);
}

void append_session(std::string& out, const SessionRow& row) {
  DocumentWriter document(out);
  document.text("id", row.id);
  document.text("peer", row.peer);
  document.time("created_at", row.created);
  document.time("last_used_at", row.last_used);
  document.time("expires_at", row.expires);
}

}  // namespace dendro
