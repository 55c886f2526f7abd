#pragma once

#include <functional>
#include <string>

#include "base/timestamp.h"

struct asn1_string_st;
struct bio_st;

namespace dendro {

/// What `write` puts into a BIO.
std::string openssl_text(const std::function<void(bio_st*)>& write);

/// Why OpenSSL's last call on this thread failed, in its own fixed words ("key values mismatch"); empties its queue.
/// Never holds what was read from a file.
std::string openssl_reason();

/// kTimestampMax if it cannot be read.
Timestamp timestamp_of(const asn1_string_st* time);

}  // namespace dendro
