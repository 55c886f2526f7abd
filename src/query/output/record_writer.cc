#include "query/output/record_writer.h"

#include "base/json_writer.h"
#include "filter/number.h"

namespace dendro {
namespace {

constexpr std::int64_t kDoubleExactMax = std::int64_t{1} << 53;

/// True if a numeral has more digits, or a larger exponent, than a double gives back.
bool exceeds_double(std::string_view numeral) {
  std::size_t digits = 0;
  bool leading = true;
  for (const char c : numeral.substr(0, numeral.find_first_of("eE"))) {
    if (c < '0' || c > '9' || (leading && c == '0')) continue;
    leading = false;
    ++digits;
  }
  return digits > 15 || !parse_number(numeral).has_value();
}

bool needs_string(const Value& value) {
  switch (value.type) {
    case ValueType::int64:
      return value.integer > kDoubleExactMax || value.integer < -kDoubleExactMax;
    case ValueType::uint64:
      return true;
    case ValueType::number_text:
      return exceeds_double(value.text);
    default:
      return false;
  }
}

/// `text` cut to at most `bytes`, not inside a character.
std::string_view clip_text(std::string_view text, std::uint64_t bytes) {
  std::size_t end = static_cast<std::size_t>(bytes);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

void append_answer_value(std::string& out, const Value& value, bool exact) {
  if (!exact || !needs_string(value)) {
    append_value_json(out, value);
    return;
  }
  std::string scratch;
  append_json_string(out, value_text(value, scratch));
}

RecordWriter::RecordWriter(const RowShape& shape, RecordWriterOptions options)
    : shape_(shape), options_(options), fields_(shape) {}

void RecordWriter::open(std::string& out) {
  out.push_back('{');
  needs_comma_ = false;
  clipped_.clear();
}

void RecordWriter::close(std::string& out) {
  if (!clipped_.empty()) {
    if (needs_comma_) out.push_back(',');
    out += "\"_clipped\":{";
    for (std::size_t i = 0; i < clipped_.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_json_string(out, clipped_[i].first);
      out.push_back(':');
      append_json_uint(out, clipped_[i].second);
    }
    out.push_back('}');
  }
  out.push_back('}');
}

void RecordWriter::append_member(std::string& out, std::string_view key, const Value& value) {
  if (needs_comma_) out.push_back(',');
  needs_comma_ = true;
  append_json_string(out, key);
  out.push_back(':');
  const bool is_long = options_.clip_bytes != 0 && value.text.size() > options_.clip_bytes;
  if (is_long && (value.type == ValueType::text || value.type == ValueType::bytes || value.type == ValueType::list)) {
    clipped_.emplace_back(key, value.text.size());
    Value part = value;
    part.text = value.type == ValueType::bytes ? value.text.substr(0, options_.clip_bytes)
                                               : clip_text(value.text, options_.clip_bytes);
    // A cut list is no list any more: its beginning, as text.
    if (part.type == ValueType::list) part.type = ValueType::text;
    append_value_json(out, part);
    return;
  }
  append_answer_value(out, value, options_.exact);
}

void RecordWriter::append(std::string& out, const RowBatch& rows, std::size_t index) {
  if (shape_.is_table) {
    append_table_row(out, rows.table[index]);
    return;
  }
  open(out);
  fields_.visit(rows, index,
                [this, &out](std::string_view key, const Value& value) { append_member(out, key, value); });
  close(out);
}

void RecordWriter::append_table_row(std::string& out, const TableRow& row) const {
  out.push_back('{');
  for (std::size_t column = 0; column < row.size(); ++column) {
    if (column > 0) out.push_back(',');
    append_json_string(out, shape_.columns[column]);
    out.push_back(':');
    append_answer_value(out, row[column].value(), options_.exact);
  }
  out.push_back('}');
}

}  // namespace dendro
