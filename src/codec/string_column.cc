#include "codec/string_column.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "base/bytes.h"
#include "base/checksum.h"
#include "codec/code_column.h"
#include "codec/integer_column.h"
#include "codec/packed_text.h"

namespace dendro {
namespace {

constexpr std::size_t kSampleValues = 256;
/// Below this many values a dictionary or a packed form saves less than its own description.
constexpr std::size_t kFewValues = 8;

/// The forms that every value of the sample keeps to.
struct Features {
  bool integer = true;
  bool fixed_width = true;
  bool digits = true;
  bool hex_lower = true;
  bool hex_upper = true;
  bool uuid = true;
  bool ipv4 = true;

  void look_at(std::string_view value, std::size_t first_size) {
    fixed_width = fixed_width && value.size() == first_size;
    integer = integer && parse_plain_integer(value).has_value();
    digits = digits && fixed_width && parse_digits(value).has_value();
    scratch_.clear();
    hex_lower = hex_lower && fixed_width && append_hex_packed(scratch_, value, HexCase::lower);
    hex_upper = hex_upper && fixed_width && append_hex_packed(scratch_, value, HexCase::upper);
    uuid = uuid && append_uuid_packed(scratch_, value);
    ipv4 = ipv4 && parse_plain_ipv4(value).has_value();
  }

 private:
  std::string scratch_;
};

Features sample_features(std::span<const std::string_view> values) {
  Features features;
  const std::size_t step = std::max<std::size_t>(1, values.size() / kSampleValues);
  for (std::size_t i = 0; i < values.size(); i += step) features.look_at(values[i], values.front().size());
  return features;
}

void append_form(std::string& out, StringForm form) {
  out.push_back(static_cast<char>(form));
}

bool append_integers(std::span<const std::string_view> values, StringForm form, std::string& out) {
  std::vector<std::int64_t> numbers(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (form == StringForm::fixed_integer && values[i].size() != values.front().size()) return false;
    const auto number = form == StringForm::integer ? parse_plain_integer(values[i]) : parse_digits(values[i]);
    if (!number) return false;
    numbers[i] = *number;
  }
  append_form(out, form);
  if (form == StringForm::fixed_integer) append_varint(out, values.front().size());
  encode_integers(numbers, out);
  return true;
}

bool append_hex(std::span<const std::string_view> values, StringForm form, std::string& out) {
  const std::size_t first = out.size();
  const std::size_t width = values.front().size();
  append_form(out, form);
  append_varint(out, width);
  const HexCase hex_case = form == StringForm::hex_lower ? HexCase::lower : HexCase::upper;
  for (const std::string_view value : values) {
    if (value.size() != width || !append_hex_packed(out, value, hex_case)) {
      out.resize(first);
      return false;
    }
  }
  return true;
}

bool append_uuids(std::span<const std::string_view> values, std::string& out) {
  const std::size_t first = out.size();
  append_form(out, StringForm::uuid);
  for (const std::string_view value : values) {
    if (!append_uuid_packed(out, value)) {
      out.resize(first);
      return false;
    }
  }
  return true;
}

bool append_ipv4(std::span<const std::string_view> values, std::string& out) {
  std::string packed;
  for (const std::string_view value : values) {
    const std::optional<std::uint32_t> address = parse_plain_ipv4(value);
    if (!address) return false;
    append_le(packed, *address);
  }
  append_form(out, StringForm::ipv4);
  out.append(packed);
  return true;
}

void append_text(std::span<const std::string_view> values, std::string& out) {
  const bool has_newline = std::any_of(values.begin(), values.end(),
                                       [](std::string_view v) { return v.find('\n') != std::string_view::npos; });
  append_form(out, has_newline ? StringForm::lengths : StringForm::lines);
  if (has_newline) {
    std::vector<std::int64_t> lengths;
    lengths.reserve(values.size());
    for (const std::string_view value : values) lengths.push_back(static_cast<std::int64_t>(value.size()));
    encode_integers(lengths, out);
  }
  for (const std::string_view value : values) {
    out.append(value);
    if (!has_newline) out.push_back('\n');
  }
}

/// Anything but constant and dictionary.
void append_plain(std::span<const std::string_view> values, std::string& out) {
  if (values.size() >= kFewValues) {
    const Features features = sample_features(values);
    if (features.integer && append_integers(values, StringForm::integer, out)) return;
    if (features.digits && append_integers(values, StringForm::fixed_integer, out)) return;
    if (features.hex_lower && values.front().size() >= 8 && append_hex(values, StringForm::hex_lower, out)) return;
    if (features.hex_upper && values.front().size() >= 8 && append_hex(values, StringForm::hex_upper, out)) return;
    if (features.uuid && append_uuids(values, out)) return;
    if (features.ipv4 && append_ipv4(values, out)) return;
  }
  append_text(values, out);
}

/// Distinct values in the order of their first use, and a code a value. Open addressing; gives up beyond half as many
/// distinct values as there are values.
struct Dictionary {
  std::vector<std::string_view> entries;
  std::vector<std::uint16_t> codes;

  bool build(std::span<const std::string_view> values) {
    constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();
    const std::size_t entries_max = values.size() / 2;
    const std::size_t slots = std::size_t{1} << (64 - __builtin_clzll(values.size() * 2));
    struct Slot {
      std::uint64_t hash;
      std::uint32_t entry;
    };
    std::vector<Slot> table(slots, Slot{0, kFree});
    codes.reserve(values.size());
    for (const std::string_view value : values) {
      const std::uint64_t hash = xxh3(value, HashSeed(0));
      std::size_t at = hash & (slots - 1);
      while (table[at].entry != kFree && (table[at].hash != hash || entries[table[at].entry] != value)) {
        at = (at + 1) & (slots - 1);
      }
      if (table[at].entry == kFree) {
        if (entries.size() == entries_max) return false;
        table[at] = {hash, static_cast<std::uint32_t>(entries.size())};
        entries.push_back(value);
      }
      codes.push_back(static_cast<std::uint16_t>(table[at].entry));
    }
    return true;
  }
};

bool append_dictionary(std::span<const std::string_view> values, BlockCompressor& trial, std::string& out,
                       Dictionary& dictionary) {
  if (!dictionary.build(values)) return false;
  append_form(out, StringForm::dictionary);
  append_varint(out, dictionary.entries.size());
  append_plain(dictionary.entries, out);
  encode_codes(dictionary.codes, trial, out);
  return true;
}

bool all_equal(std::span<const std::string_view> values) {
  return std::all_of(values.begin(), values.end(), [&](std::string_view value) { return value == values.front(); });
}

Error bad_strings(std::string_view what) {
  return Error(ErrorCode::corruption, "string column: " + std::string(what));
}

}  // namespace

void encode_strings(std::span<const std::string_view> values, StringChoice choice, BlockCompressor& trial,
                    std::string& out, std::vector<std::string_view>* entries) {
  if (choice == StringChoice::text_only) return append_text(values, out);
  if (all_equal(values)) {
    append_form(out, StringForm::constant);
    append_sized(out, values.front());
    if (entries != nullptr) entries->push_back(values.front());
    return;
  }
  if (values.size() < kFewValues) return append_text(values, out);
  Dictionary dictionary;
  std::string packed;
  if (!append_dictionary(values, trial, packed, dictionary)) return append_plain(values, out);
  if (entries != nullptr) *entries = dictionary.entries;
  // Numbers that rise or stay near each other pack better than codes.
  std::string integers;
  const Features features = sample_features(values);
  if (features.integer && append_integers(values, StringForm::integer, integers) &&
      trial.packed_size(integers) < trial.packed_size(packed)) {
    out.append(integers);
  } else {
    out.append(packed);
  }
}

Result<StringValues> StringValues::decode(std::string_view& bytes, std::size_t count, std::size_t plain_bytes_max) {
  StringValues values;
  DENDRO_TRY(values.read(bytes, count, plain_bytes_max, true));
  return values;
}

Status StringValues::read(std::string_view& bytes, std::size_t count, std::size_t plain_bytes_max, bool may_nest) {
  if (bytes.empty() || count == 0 || count > kMaxColumnValues) return bad_strings("no values");
  const auto form = static_cast<StringForm>(bytes.front());
  bytes.remove_prefix(1);
  count_ = count;
  if (form == StringForm::constant && may_nest) {
    ByteReader reader(bytes);
    text_ = reader.read_sized();
    if (!reader.ok()) return bad_strings("constant cut off");
    bytes.remove_prefix(bytes.size() - reader.remaining());
    is_constant_ = true;
    gap_bytes_ = 0;
    firsts_ = {0, static_cast<std::uint32_t>(text_.size())};
    return {};
  }
  if (form == StringForm::dictionary && may_nest) {
    ByteReader reader(bytes);
    const std::uint64_t entries = reader.read_varint();
    if (!reader.ok() || entries > count) return bad_strings("more entries than values");
    bytes.remove_prefix(bytes.size() - reader.remaining());
    DENDRO_TRY(read(bytes, entries, plain_bytes_max, false));
    count_ = count;
    return decode_codes(bytes, count, entries, codes_);
  }
  return read_plain(form, bytes, count, plain_bytes_max);
}

Status StringValues::read_plain(StringForm form, std::string_view& bytes, std::size_t count,
                                std::size_t plain_bytes_max) {
  firsts_.reserve(count + 1);
  firsts_.push_back(0);
  switch (form) {
    case StringForm::integer:
      return read_integers(bytes, count, 0);
    case StringForm::fixed_integer: {
      ByteReader reader(bytes);
      const std::uint64_t width = reader.read_varint();
      if (!reader.ok() || width == 0 || width > 18) return bad_strings("digits of no width");
      bytes.remove_prefix(bytes.size() - reader.remaining());
      return read_integers(bytes, count, width);
    }
    case StringForm::hex_lower:
    case StringForm::hex_upper:
    case StringForm::uuid:
    case StringForm::ipv4:
      return read_packed(form, bytes, count, plain_bytes_max);
    case StringForm::lines:
      return read_lines(bytes, count);
    case StringForm::lengths:
      return read_lengths(bytes, count);
    default:
      return bad_strings("unknown form");
  }
}

void StringValues::end_entry() {
  text_.push_back('\n');
  firsts_.push_back(static_cast<std::uint32_t>(text_.size()));
}

Status StringValues::read_integers(std::string_view& bytes, std::size_t count, std::size_t width) {
  std::vector<std::int64_t> numbers;
  DENDRO_TRY(decode_integers(bytes, count, numbers));
  for (const std::int64_t number : numbers) {
    if (width == 0) {
      text_.append(std::to_string(number));
    } else if (number < 0) {
      return bad_strings("negative digits");
    } else {
      append_digits(text_, number, width);
    }
    end_entry();
  }
  return {};
}

Status StringValues::read_packed(StringForm form, std::string_view& bytes, std::size_t count,
                                 std::size_t plain_bytes_max) {
  ByteReader reader(bytes);
  const bool is_hex = form == StringForm::hex_lower || form == StringForm::hex_upper;
  const std::uint64_t text_bytes = is_hex ? reader.read_varint() : kUuidTextBytes;
  const std::size_t width = is_hex ? text_bytes / 2 : form == StringForm::uuid ? 16 : 4;
  if (!reader.ok() || width == 0 || count > reader.remaining() / width || text_bytes * count > plain_bytes_max) {
    return bad_strings("packed values cut off");
  }
  text_.reserve(count * (text_bytes + 1));
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view packed = reader.read_bytes(width);
    if (form == StringForm::uuid) {
      append_uuid_text(text_, packed);
    } else if (form == StringForm::ipv4) {
      append_ipv4_text(text_, load_le<std::uint32_t>(packed.data()));
    } else {
      append_hex_text(text_, packed, form == StringForm::hex_lower ? HexCase::lower : HexCase::upper);
    }
    end_entry();
  }
  bytes.remove_prefix(bytes.size() - reader.remaining());
  return {};
}

/// Ends of the first `count` lines of `text`, behind their \n; false if there are fewer.
bool StringValues::find_lines(std::string_view text, std::size_t count) {
  const char* const begin = text.data();
  const char* at = begin;
  const char* const end = begin + text.size();
  for (std::size_t i = 0; i < count; ++i) {
    const void* newline = at == end ? nullptr : std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    if (newline == nullptr) return false;
    at = static_cast<const char*>(newline) + 1;
    firsts_.push_back(static_cast<std::uint32_t>(at - begin));
  }
  return true;
}

Status StringValues::read_lines(std::string_view& bytes, std::size_t count) {
  if (!find_lines(bytes, count)) return bad_strings("text cut off");
  text_.assign(bytes.substr(0, firsts_.back()));
  bytes.remove_prefix(text_.size());
  return {};
}

Result<StringValues> StringValues::of_lines(std::string text, std::size_t count) {
  StringValues values;
  values.count_ = count;
  values.firsts_.reserve(count + 1);
  values.firsts_.push_back(0);
  if (!values.find_lines(text, count) || values.firsts_.back() != text.size())
    return bad_strings("another count of lines");
  values.text_ = std::move(text);
  return values;
}

Status StringValues::read_lengths(std::string_view& bytes, std::size_t count) {
  gap_bytes_ = 0;
  std::vector<std::int64_t> lengths;
  DENDRO_TRY(decode_integers(bytes, count, lengths));
  std::uint64_t total = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::uint64_t>(length) > bytes.size() - total) return bad_strings("text cut off");
    total += static_cast<std::uint64_t>(length);
    firsts_.push_back(static_cast<std::uint32_t>(total));
  }
  text_.assign(bytes.substr(0, total));
  bytes.remove_prefix(total);
  return {};
}

}  // namespace dendro
