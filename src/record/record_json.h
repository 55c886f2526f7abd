#pragma once

#include <string>

#include "record/record_batch.h"

namespace dendro {

/// Appends the record as the JSON object its sender wrote: own key order, nesting, names and number texts; white space
/// and escapes are ours, bytes are base64. A record that came as text is `{"body":..}`.
void append_record_json(std::string& out, const RecordView& record);

}  // namespace dendro
