#pragma once

#include <memory>

#include "base/result.h"
#include "io/byte_source.h"

namespace dendro {

/// The source as UTF-8 without a byte order mark: a UTF-8 mark is dropped, UTF-16 with a mark is converted as it is
/// read. What is no UTF-16 (an unpaired surrogate, an odd last byte) becomes the byte 0xFF, so that it costs its line
/// and no more.
Result<std::unique_ptr<ByteSource>> make_text_source(std::unique_ptr<ByteSource> source);

}  // namespace dendro
