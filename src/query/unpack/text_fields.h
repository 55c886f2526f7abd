#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parse/lines/text_fields.h"

namespace dendro {

// Readers of texts that hold fields and that only the pipe `unpack` knows, one file each; those of whole files are in
// parse/lines. False: the text is not of that form, and nothing was visited.

/// `a=1, b='two words'; c=3&d=4`: pairs between blanks, commas, semicolons, ampersands. False without any pair.
bool read_kv(std::string_view text, const TextFieldVisitor& visit);
/// ArcSight's Common Event Format: `cef.name` and its like of the header, the extension under its own names.
bool read_cef(std::string_view text, const TextFieldVisitor& visit);
/// A document of at most 1 MiB: `root.child` for the text of elements, `root.child.@name` for attributes; a second
/// child of a name is `root.child.1`. Elements deeper than 32 are left out. False also for one with a DOCTYPE.
bool read_xml(std::string_view text, const TextFieldVisitor& visit);
/// One line of RFC 4180. False: a quotation mark out of place.
bool read_csv_cells(std::string_view text, std::vector<std::string>& cells);

}  // namespace dendro
