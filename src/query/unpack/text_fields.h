#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "record/value.h"

namespace dendro {

/// Takes one field found in a text; both live until it returns.
using TextFieldVisitor = std::function<void(std::string_view name, const Value& value)>;

// Readers of texts that hold fields, one file each. False: the text is not of that form, and nothing was visited.

/// `lvl=warn msg="slow \"query\"" took=1.2s`: values are text; words without "=" are passed over. False without any
/// pair.
bool read_logfmt(std::string_view text, const TextFieldVisitor& visit);
/// `a=1, b='two words'; c=3&d=4`: pairs between blanks, commas, semicolons, ampersands. False without any pair.
bool read_kv(std::string_view text, const TextFieldVisitor& visit);
/// RFC 5424, or the older form (RFC 3164): facility level timestamp hostname app_name proc_id msg_id message, and
/// `id.name` of structured data.
bool read_syslog(std::string_view text, const TextFieldVisitor& visit);
/// ArcSight's Common Event Format: `cef.name` and its like of the header, the extension under its own names.
bool read_cef(std::string_view text, const TextFieldVisitor& visit);
/// A document of at most 1 MiB: `root.child` for the text of elements, `root.child.@name` for attributes; a second
/// child of a name is `root.child.1`. Elements deeper than 32 are left out. False also for one with a DOCTYPE.
bool read_xml(std::string_view text, const TextFieldVisitor& visit);
/// One line of RFC 4180. False: a quotation mark out of place.
bool read_csv_cells(std::string_view text, std::vector<std::string>& cells);

}  // namespace dendro
