#pragma once

#include <string>

#include "base/bytes.h"
#include "record/value.h"

namespace dendro {

/// A value as temporary files hold it: every type and text comes back as it was.
void append_value_bytes(std::string& out, const Value& value);
/// Borrows the reader's bytes. After damage the reader is not ok().
Value read_value_bytes(ByteReader& reader);

}  // namespace dendro
