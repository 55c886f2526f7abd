#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "record/value.h"

namespace dendro {

/// Takes one field found in a text; both live until it returns.
using TextFieldVisitor = std::function<void(std::string_view name, const Value& value)>;

// Readers of texts that hold fields: one of each format, for files and for the pipe `unpack`. False: the text is not of
// that form, and nothing was visited.

/// `lvl=warn msg="slow \"query\"" took=1.2s`: values are text; words without "=" are passed over. False without any
/// pair. `words_passed_over`: how many there were, and pairs whose name is no UTF-8; may be null.
bool read_logfmt(std::string_view text, const TextFieldVisitor& visit, std::size_t* words_passed_over = nullptr);
/// RFC 5424, or the older form (RFC 3164) with its own stamp or one of RFC 3339: facility level timestamp hostname
/// app_name proc_id msg_id message, and `id.name` of structured data.
bool read_syslog(std::string_view text, const TextFieldVisitor& visit);

}  // namespace dendro
