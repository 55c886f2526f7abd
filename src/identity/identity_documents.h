#pragma once

#include <optional>
#include <string>

#include "meta/api_key_table.h"
#include "meta/session_table.h"
#include "meta/token_table.h"
#include "meta/user_table.h"

namespace dendro {

// How the API and the command line show what is stored (ui.md 11.7, 11.8): JSON objects appended to `out`, never with a
// hash. Times are RFC 3339 with whole seconds, null where there is none. "state": active, expired, revoked; of users
// active, locked, disabled.

/// {"id","name","prefix","tenants","scopes","roles","certificate","state","created_at","last_used_at","expires_at"}
void append_api_key(std::string& out, const ApiKeyRow& row, Timestamp now);
/// {"jti","subject","tenant_ids","roles","state","created_at","expires_at","revoked_at"}
void append_token(std::string& out, const TokenRow& row, Timestamp now);
/// {"id","email","grants":[{"tenant","roles"}],"state","locked_until","created_at","last_sign_in_at"}
void append_user(std::string& out, const UserRow& row, std::optional<Timestamp> locked_until);
/// {"id","peer","created_at","last_used_at","expires_at"}
void append_session(std::string& out, const SessionRow& row);

}  // namespace dendro
