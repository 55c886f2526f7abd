#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// Argon2id (RFC 9106) with 2 passes over 19 MiB, which takes 10 to 20 ms of a core: the least that OWASP's password
/// storage page recommends for two passes. Both calls take that time and memory: bound how many run at once.
/// The text that is kept: parameters, salt and hash in the usual `$argon2id$` form.
/// Errors: resource_exhausted (no memory).
Result<std::string> hash_password(std::string_view password);
/// Whether `password` is the one; false where `hash` is no such text. Constant in time for equal parameters.
/// Errors: resource_exhausted (no memory: nothing is known of the password).
Result<bool> is_password(std::string_view password, const std::string& hash);

/// Overwrites the text, so that it does not stay in memory that is given back.
void wipe(std::string& text);

}  // namespace dendro
