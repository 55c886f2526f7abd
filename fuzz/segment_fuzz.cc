// Reads any bytes as a part of a segment file, by the first byte: a string, code or float column (what decodes is
// encoded again and must come back), DICT, a row group's directory entry, footer, tail, META, header, or a row group
// whose plain blocks the bytes are, under the dictionary and directory entry of a small sound segment: the head of a
// template column, index columns and all others are in it. Reading must end with values or `corruption`.
// `WRITE_SEED_CORPUS=folder fuzz_segment` writes the seeds instead.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "codec/code_column.h"
#include "codec/float_column.h"
#include "codec/string_column.h"
#include "io/memory_file_system.h"
#include "record/record_batch_builder.h"
#include "storage/segment/record_decoder.h"
#include "storage/segment/row_group_encoder.h"
#include "storage/segment/segment_format.h"

namespace {

using namespace dendro;

enum class Part : std::uint8_t { strings, codes, floats, dictionary, entry, footer, tail, meta, header, blocks };
constexpr std::uint8_t kPartCount = 10;
constexpr std::size_t kPlainBytesMax = std::size_t{1} << 20;
constexpr SegmentId kFuzzSegment{1};

/// A count from the first two bytes, which go.
std::size_t take_count(std::string_view& bytes) {
  const std::size_t count = static_cast<std::uint8_t>(bytes[0]) + 256U * (static_cast<std::uint8_t>(bytes[1]) % 8);
  bytes.remove_prefix(2);
  return count;
}

void read_strings(std::string_view bytes) {
  const std::size_t count = take_count(bytes);
  const Result<StringValues> values = StringValues::decode(bytes, count, kPlainBytesMax);
  if (!values) return;
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back((*values)[i]);
  BlockCompressor trial(1);
  for (const StringChoice choice : {StringChoice::best, StringChoice::text_only}) {
    std::string encoded;
    encode_strings(texts, choice, trial, encoded);
    std::string_view rest = encoded;
    const Result<StringValues> back = StringValues::decode(rest, count, std::size_t{96} << 20);
    DENDRO_CHECK(back.has_value() && rest.empty());
    for (std::size_t i = 0; i < count; ++i) DENDRO_CHECK((*back)[i] == texts[i]);
  }
}

void read_codes(std::string_view bytes) {
  const std::size_t count = take_count(bytes);
  const std::size_t table = count == 0 ? 0 : 1 + count / 2;
  std::vector<std::uint16_t> codes;
  if (!decode_codes(bytes, count, table, codes)) return;
  DENDRO_CHECK(codes.size() == count &&
               std::all_of(codes.begin(), codes.end(), [=](auto code) { return code < table; }));
}

void read_floats(std::string_view bytes) {
  const std::size_t count = take_count(bytes);
  std::vector<double> values;
  if (!decode_floats(bytes, count, values)) return;
  std::string encoded;
  encode_floats(values, encoded);
  std::string_view rest = encoded;
  std::vector<double> back;
  DENDRO_CHECK(decode_floats(rest, count, back) && rest.empty() && back.size() == count);
  DENDRO_CHECK(count == 0 || std::memcmp(back.data(), values.data(), count * sizeof(double)) == 0);
}

std::shared_ptr<const RecordBatch> sample_batch() {
  RecordBatchBuilder builder(Timestamp(1'700'000'000'000'000'000));
  for (int i = 0; i < 40; ++i) {
    const std::string number = std::to_string(i * 7919);
    const std::string id = "id" + number + "0000";
    const std::string body =
        "client 10.0.0." + number + " asked v1 for page " + number + " as " + id + " of some session";
    builder.begin_record();
    builder.set_timestamp(Timestamp(1'700'000'000'000'000'000 + i * 1'000'000));
    builder.set_severity(static_cast<SeverityNumber>(i % 25), i % 2 == 0);
    builder.add_leaf(LeafRole::resource, "service.name", "svc", Value::of_text(i % 2 == 0 ? "a" : "b"));
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(body));
    builder.add_leaf(LeafRole::attribute, "id", "id", Value::of_text(id));
    builder.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_int64(i));
    if (i % 3 == 0) {
      builder.open_object("a");
      builder.add_leaf(LeafRole::attribute, "a.b", "b", Value::of_int64(-i));
      builder.close_object();
    }
    builder.add_leaf(LeafRole::attribute, "x", "x", Value::of_float64(i / 8.0));
    builder.add_leaf(LeafRole::timestamp, "t", "t", Value::of_time(Timestamp(i), 3));
    builder.add_leaf(LeafRole::attribute, "when", "when",
                     Value::of_text(to_rfc3339(Timestamp(i * 1'000'000'000LL), 3)));
    builder.end_record();
  }
  return builder.finish();
}

/// A sound row group whose blocks are not compressed, one behind the other.
struct Sample {
  std::string dictionary, plain;
  RowGroupEntry entry;
};

Sample make_sample() {
  Sample sample;
  const auto batch = sample_batch();
  std::vector<SegmentRow> rows;
  for (std::uint32_t i = 0; i < batch->size(); ++i)
    rows.push_back({batch.get(), i, SequenceNumber(i + 1), Timestamp(0)});
  SegmentDictionaryBuilder dictionary;
  BlockCompressor compressor(1);
  std::string stored;
  sample.entry = RowGroupEncoder(dictionary, compressor).encode(rows, EncodeForm::best, stored);
  sample.dictionary = dictionary.encode();
  for (BlockPlace& block : sample.entry.blocks) {
    std::string plain;
    DENDRO_CHECK(unpack_block(block.codec, std::string_view(stored).substr(block.offset, block.stored_bytes),
                              block.plain_bytes, plain)
                     .has_value());
    block.offset = sample.plain.size();
    block.stored_bytes = block.plain_bytes;
    block.codec = BlockCodec::none;
    sample.plain += plain;
  }
  return sample;
}

const Sample& sample() {
  static const Sample made = make_sample();
  return made;
}

class FuzzBlocks final : public RandomReader {
 public:
  explicit FuzzBlocks(std::string_view bytes) : bytes_(bytes) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    return offset > bytes_.size() ? 0 : bytes_.copy(out.data(), out.size(), offset);
  }
  Result<std::uint64_t> size() override { return bytes_.size(); }

 private:
  const std::string_view bytes_;
};

/// Every record and the filter of the row group in `tables`, whose blocks are `blocks`.
void read_row_group_of(SegmentTables tables, std::string_view blocks) {
  for (BlockPlace& block : tables.row_groups[0].blocks) {
    if (block.offset > blocks.size() || block.stored_bytes > blocks.size() - block.offset) return;
    block.hash = xxh3(blocks.substr(block.offset, block.stored_bytes), HashSeed(kFuzzSegment.number()));
  }
  static MemoryFileSystem files;
  SegmentInfo info;
  info.id = kFuzzSegment;
  const auto segment = Segment::of_blocks(files, "fuzz", info, std::make_unique<FuzzBlocks>(blocks));
  PieceCache cache(std::size_t{1} << 20);
  RowGroupReader reader(*segment, tables, 0, cache);
  RecordDecoder decoder(reader);
  std::vector<std::uint32_t> rows(std::min<std::uint32_t>(reader.entry().record_count, 500));
  std::iota(rows.begin(), rows.end(), 0u);
  const Result<RecordBlock> block = decoder.decode(rows);
  DENDRO_CHECK(block.has_value() || block.error().code() == ErrorCode::corruption);
  if (reader.entry().filter.is_empty()) return;
  if (const auto filter = reader.filter()) (void)(*filter)->view.may_contain(7);
}

SegmentTables tables_with(std::string dictionary) {
  SegmentTables tables;
  auto parsed = SegmentDictionary::parse(std::move(dictionary));
  if (parsed) tables.dictionary = std::move(*parsed);
  return tables;
}

void read_dictionary(std::string_view bytes) {
  SegmentTables tables = tables_with(std::string(bytes));
  if (tables.dictionary == nullptr || !fits_dictionary(sample().entry, *tables.dictionary)) return;
  tables.row_groups.push_back(sample().entry);
  read_row_group_of(std::move(tables), sample().plain);
}

void read_entry(std::string_view bytes) {
  ByteReader reader(bytes);
  SegmentTables tables = tables_with(sample().dictionary);
  if (!read_row_group(reader, tables.row_groups.emplace_back())) return;
  if (fits_dictionary(tables.row_groups[0], *tables.dictionary)) read_row_group_of(std::move(tables), sample().plain);
}

void read_blocks(std::string_view bytes) {
  std::string blocks(bytes.substr(0, sample().plain.size()));
  blocks += sample().plain.substr(blocks.size());
  SegmentTables tables = tables_with(sample().dictionary);
  tables.row_groups.push_back(sample().entry);
  read_row_group_of(std::move(tables), blocks);
}

void read_part(Part part, std::string_view bytes) {
  switch (part) {
    case Part::strings:
      return bytes.size() < 2 ? void() : read_strings(bytes);
    case Part::codes:
      return bytes.size() < 2 ? void() : read_codes(bytes);
    case Part::floats:
      return bytes.size() < 2 ? void() : read_floats(bytes);
    case Part::dictionary:
      return read_dictionary(bytes);
    case Part::entry:
      return read_entry(bytes);
    case Part::footer:
      return (void)parse_footer(bytes);
    case Part::tail:
      return (void)parse_segment_tail(bytes);
    case Part::meta:
      return (void)parse_segment_meta(bytes);
    case Part::header:
      return (void)check_segment_header(bytes, Bytes16{}, kFuzzSegment);
    case Part::blocks:
      return read_blocks(bytes);
  }
}

void write_seed(const std::string& folder, const std::string& name, Part part, std::string_view bytes) {
  std::ofstream file(folder + "/" + name, std::ios::binary);
  file.put(static_cast<char>(part));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void write_string_seed(const std::string& folder, const std::string& name, const std::vector<std::string>& texts) {
  BlockCompressor trial(1);
  std::string bytes;
  append_le(bytes, static_cast<std::uint16_t>(texts.size()));
  encode_strings(std::vector<std::string_view>(texts.begin(), texts.end()), StringChoice::best, trial, bytes);
  write_seed(folder, name, Part::strings, bytes);
}

void write_seeds(const std::string& folder) {
  std::vector<std::string> integers, fixed, hex, uuids, addresses, lines, lengths, words;
  for (int i = 10; i < 30; ++i) {
    const std::string number = std::to_string(i);
    integers.push_back("-" + std::to_string(i * i));
    fixed.push_back("00" + number);
    hex.push_back("deadbeef" + number);
    uuids.push_back("0123abcd-4567-89ef-0011-2233445566" + number);
    addresses.push_back("10.0.0." + number);
    lines.push_back("line " + number);
    lengths.push_back("line\n" + number);
    words.push_back(i % 3 == 0 ? "red" : "green");
  }
  write_string_seed(folder, "strings_constant", {"a", "a"});
  write_string_seed(folder, "strings_integer", integers);
  write_string_seed(folder, "strings_fixed", fixed);
  write_string_seed(folder, "strings_hex", hex);
  write_string_seed(folder, "strings_uuid", uuids);
  write_string_seed(folder, "strings_ipv4", addresses);
  write_string_seed(folder, "strings_lines", lines);
  write_string_seed(folder, "strings_lengths", lengths);
  write_string_seed(folder, "strings_dictionary", words);
  write_seed(folder, "codes_recent", Part::codes, std::string("\x06\x00\x02\x00\x00\x01\x02\x00\x01", 9));
  write_seed(folder, "codes_words", Part::codes, std::string("\x02\x00\x01\x00\x00\x01\x00", 7));
  const std::vector<std::pair<std::string, std::vector<double>>> floats = {
      {"decimal", {0.5, 1.25, 9.75}}, {"binary", {0x1p-40, 0x3p-39, 1}}, {"planes", {1e300, -0.0, 3}}};
  for (const auto& [name, values] : floats) {
    std::string bytes("\x03\x00", 2);
    encode_floats(values, bytes);
    write_seed(folder, "floats_" + name, Part::floats, bytes);
  }
  std::string entry;
  append_row_group(entry, sample().entry);
  write_seed(folder, "entry", Part::entry, entry);
  write_seed(folder, "dictionary", Part::dictionary, sample().dictionary);
  write_seed(folder, "blocks", Part::blocks, sample().plain);
  write_seed(folder, "footer", Part::footer, encode_footer(std::vector<SectionEntry>(3)));
  write_seed(folder, "tail", Part::tail, encode_segment_tail({}));
  SegmentMeta meta;
  meta.replaces = {SegmentId(2)};
  meta.receive_times = {{SequenceNumber(1), Timestamp(2)}, {SequenceNumber(9), Timestamp(1)}};
  meta.keys.resize(2);
  write_seed(folder, "meta", Part::meta, encode_segment_meta(meta));
  write_seed(folder, "header", Part::header, encode_segment_header(Bytes16{}, kFuzzSegment, Timestamp(0)));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("WRITE_SEED_CORPUS");
  if (folder == nullptr) return 0;
  write_seeds(folder);
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  read_part(static_cast<Part>(data[0] % kPartCount), {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
