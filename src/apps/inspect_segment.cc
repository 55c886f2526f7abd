#include <array>
#include <cmath>
#include <cstdio>

#include "apps/inspect_files.h"
#include "apps/text_table.h"
#include "base/json_writer.h"
#include "storage/segment/segment_survey.h"

namespace dendro {
namespace {

constexpr std::array<std::string_view, kSlotModeCount> kSlotModeNames = {"pool", "constant", "chunk", "slot", "column"};
constexpr std::array<std::string_view, 6> kLayoutNames = {"strings", "templates", "integers",
                                                          "floats",  "times",     "time texts"};
constexpr std::array<std::string_view, kValueTypeCount> kTypeNames = {
    "null", "text", "bytes", "int64", "uint64", "float64", "number text", "boolean", "list", "empty object", "time"};
constexpr std::array<std::string_view, 3> kSegmentLevelNames = {"from a flush", "merged", "final"};

std::string section_text(SectionKind kind) {
  switch (kind) {
    case SectionKind::dictionary:
      return "DICT";
    case SectionKind::directory:
      return "DIRECTORY";
    case SectionKind::meta:
      break;
  }
  return "META";
}
std::string_view codec_text(BlockCodec codec) {
  return codec == BlockCodec::zstd ? "zstd" : "none";
}
std::uint64_t rounded(double bytes) {
  return static_cast<std::uint64_t>(std::llround(bytes));
}
std::string ratio_text(std::uint64_t raw, std::uint64_t stored) {
  std::array<char, 32> text;
  const double ratio = stored > 0 ? static_cast<double>(raw) / static_cast<double>(stored) : 0;
  return {text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.2f", ratio))};
}

/// A line of the table of bytes.
struct PartOfSegment {
  std::string name;
  const StoredBytes* bytes = nullptr;
};

std::vector<PartOfSegment> record_parts(const SegmentSurvey& survey) {
  return {{"timestamps", &survey.timestamps}, {"sequences", &survey.sequences}, {"severities", &survey.severities},
          {"shapes", &survey.shapes},         {"streams", &survey.streams},     {"filter", &survey.filter}};
}
std::vector<PartOfSegment> template_parts(const ColumnSurvey& column) {
  return {{"head", &column.head},
          {"codes", &column.codes},
          {"pool", &column.pool},
          {"slot chunks", &column.slot_chunks},
          {"whole values", &column.whole}};
}

std::string layouts_text(const ColumnSurvey& column) {
  std::string text;
  for (std::size_t i = 0; i < column.layouts.size(); ++i) {
    if (column.layouts[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::string(kLayoutNames[i]) + (column.layouts[i] > 1 ? " x" + std::to_string(column.layouts[i]) : "");
  }
  return text;
}

// ---- for people -----------------------------------------------------------------------------------------------------

std::string head_text(const SegmentSurvey& survey) {
  const SegmentHeader& header = survey.file.header;
  const SegmentInfo& info = survey.file.meta.info;
  TextTable table({"segment", std::to_string(header.id.number())}, TextTable::Align::words);
  table.add({"version", std::to_string(header.major) + "." + std::to_string(header.minor)});
  table.add({"store", hex_digits(header.store_id.data(), header.store_id.size())});
  table.add({"day", day_text(header.day)});
  table.add({"file bytes", grouped_digits(info.file_bytes)});
  if (survey.has_meta) {
    table.add({"tenant", info.tenant.text()});
    const std::string level =
        info.level < kSegmentLevelNames.size() ? " (" + std::string(kSegmentLevelNames[info.level]) + ")" : "";
    table.add({"level", std::to_string(info.level) + level});
    table.add({"records", grouped_digits(info.record_count)});
    table.add({"raw bytes", grouped_digits(info.raw_bytes)});
    table.add({"ratio", ratio_text(info.raw_bytes, info.file_bytes)});
    table.add({"time", to_rfc3339(info.min_timestamp) + " to " + to_rfc3339(info.max_timestamp)});
    table.add({"sequence numbers",
               std::to_string(info.first_sequence.number()) + " to " + std::to_string(info.last_sequence.number())});
    table.add({"replaced segments", std::to_string(survey.file.meta.replaces.size())});
    table.add({"receive times", grouped_digits(survey.file.meta.receive_times.size())});
    table.add({"retry keys", grouped_digits(survey.file.meta.keys.size())});
    table.add({"shapes", grouped_digits(survey.shape_count)});
    table.add({"streams", grouped_digits(survey.stream_count)});
    table.add({"columns", grouped_digits(survey.columns.size())});
    table.add({"templates", grouped_digits(survey.template_count)});
  }
  return table.text(0);
}

std::string sections_table(const SegmentSurvey& survey) {
  TextTable table({"section", "offset", "stored", "plain", "codec"});
  for (const SectionEntry& section : survey.file.sections) {
    table.add({section_text(section.kind), grouped_digits(section.offset), grouped_digits(section.stored_bytes),
               grouped_digits(section.plain_bytes), std::string(codec_text(section.codec))});
  }
  return table.text();
}

std::string row_groups_table(const SegmentSurvey& survey) {
  TextTable table({"group", "records", "raw", "stored", "ratio", "blocks", "offset", "first time", "last time"});
  for (std::size_t i = 0; i < survey.row_groups.size(); ++i) {
    const RowGroupSurvey& group = survey.row_groups[i];
    table.add({std::to_string(i), grouped_digits(group.records), grouped_digits(group.raw_bytes),
               grouped_digits(group.stored_bytes), ratio_text(group.raw_bytes, group.stored_bytes),
               grouped_digits(group.blocks), grouped_digits(group.first_offset), to_rfc3339(group.min_timestamp),
               to_rfc3339(group.max_timestamp)});
  }
  return table.text();
}

std::string bytes_table(const SegmentSurvey& survey) {
  const auto file_bytes = static_cast<double>(survey.file.meta.info.file_bytes);
  TextTable table({"bytes of", "stored", "of file", "plain", "values", "type", "layout"});
  const auto add = [&](const std::string& name, const StoredBytes& bytes, std::vector<std::string> more) {
    std::vector<std::string> row = {name, grouped_digits(rounded(bytes.stored)), percent_text(bytes.stored, file_bytes),
                                    grouped_digits(bytes.plain)};
    row.insert(row.end(), more.begin(), more.end());
    table.add(std::move(row));
  };
  for (const PartOfSegment& part : record_parts(survey)) add(part.name, *part.bytes, {});
  for (const ColumnSurvey& column : survey.columns) {
    add(column.path, column.bytes,
        {grouped_digits(column.values), std::string(kTypeNames[static_cast<std::size_t>(column.type)]),
         layouts_text(column)});
    if (column.layouts[static_cast<std::size_t>(ColumnLayout::templates)] == 0) continue;
    for (const PartOfSegment& part : template_parts(column)) add("  " + part.name, *part.bytes, {});
  }
  for (const SectionEntry& section : survey.file.sections) {
    StoredBytes bytes{static_cast<double>(section.stored_bytes), section.plain_bytes};
    add(section_text(section.kind), bytes, {});
  }
  return table.text();
}

std::string templates_table(const SegmentSurvey& survey) {
  TextTable table({"templates of", "in DICT", "in row groups", "whole values", "slots: pool", "constant", "chunk",
                   "slot", "column"});
  bool is_empty = true;
  for (const ColumnSurvey& column : survey.columns) {
    if (column.local_templates == 0) continue;
    is_empty = false;
    std::vector<std::string> row = {column.path, grouped_digits(column.templates),
                                    grouped_digits(column.local_templates), grouped_digits(column.whole_values)};
    for (const std::uint64_t slots : column.slots_by_mode) row.push_back(grouped_digits(slots));
    table.add(std::move(row));
  }
  return is_empty ? std::string() : "\n" + table.text();
}

// ---- for programs
// -----------------------------------------------------------------------------------------------------

void write_bytes(JsonWriter& json, std::string_view name, const StoredBytes& bytes) {
  json.key(name);
  json.begin_object();
  json.member("stored_bytes", rounded(bytes.stored));
  json.member("plain_bytes", bytes.plain);
  json.end_object();
}

void write_head(JsonWriter& json, const SegmentSurvey& survey) {
  const SegmentHeader& header = survey.file.header;
  const SegmentInfo& info = survey.file.meta.info;
  json.member("segment", header.id.number());
  json.member("version", std::to_string(header.major) + "." + std::to_string(header.minor));
  json.member("store", hex_digits(header.store_id.data(), header.store_id.size()));
  json.member("day", day_text(header.day));
  json.member("file_bytes", info.file_bytes);
  if (!survey.has_meta) return;
  json.member("tenant", info.tenant.text());
  json.member("level", std::uint64_t{info.level});
  json.member("records", info.record_count);
  json.member("raw_bytes", info.raw_bytes);
  json.member("ratio", static_cast<double>(info.raw_bytes) / static_cast<double>(info.file_bytes));
  json.member("min_timestamp", to_rfc3339(info.min_timestamp));
  json.member("max_timestamp", to_rfc3339(info.max_timestamp));
  json.member("first_sequence", info.first_sequence.number());
  json.member("last_sequence", info.last_sequence.number());
  json.key("replaces");
  json.begin_array();
  for (const SegmentId id : survey.file.meta.replaces) json.value(id.number());
  json.end_array();
  json.member("receive_times", std::uint64_t{survey.file.meta.receive_times.size()});
  json.member("retry_keys", std::uint64_t{survey.file.meta.keys.size()});
  json.member("shapes", survey.shape_count);
  json.member("streams", survey.stream_count);
  json.member("templates", survey.template_count);
}

void write_sections(JsonWriter& json, const SegmentSurvey& survey) {
  json.key("sections");
  json.begin_array();
  for (const SectionEntry& section : survey.file.sections) {
    json.begin_object();
    json.member("name", section_text(section.kind));
    json.member("offset", section.offset);
    json.member("stored_bytes", std::uint64_t{section.stored_bytes});
    json.member("plain_bytes", std::uint64_t{section.plain_bytes});
    json.member("codec", codec_text(section.codec));
    json.end_object();
  }
  json.end_array();
}

void write_row_groups(JsonWriter& json, const SegmentSurvey& survey) {
  json.key("row_groups");
  json.begin_array();
  for (const RowGroupSurvey& group : survey.row_groups) {
    json.begin_object();
    json.member("records", std::uint64_t{group.records});
    json.member("raw_bytes", group.raw_bytes);
    json.member("stored_bytes", group.stored_bytes);
    json.member("blocks", std::uint64_t{group.blocks});
    json.member("offset", group.first_offset);
    json.member("min_timestamp", to_rfc3339(group.min_timestamp));
    json.member("max_timestamp", to_rfc3339(group.max_timestamp));
    json.member("first_sequence", group.first_sequence.number());
    json.member("last_sequence", group.last_sequence.number());
    json.end_object();
  }
  json.end_array();
}

void write_column(JsonWriter& json, const ColumnSurvey& column) {
  json.begin_object();
  json.member("path", column.path);
  json.member("type", kTypeNames[static_cast<std::size_t>(column.type)]);
  json.member("values", column.values);
  json.member("row_groups_in_filter", std::uint64_t{column.groups_in_filter});
  json.key("row_groups_by_layout");
  json.begin_object();
  for (std::size_t i = 0; i < column.layouts.size(); ++i) {
    if (column.layouts[i] > 0) json.member(kLayoutNames[i], std::uint64_t{column.layouts[i]});
  }
  json.end_object();
  json.member("stored_bytes", rounded(column.bytes.stored));
  json.member("plain_bytes", column.bytes.plain);
  if (column.local_templates > 0) {
    json.key("parts");
    json.begin_object();
    for (const PartOfSegment& part : template_parts(column)) write_bytes(json, part.name, *part.bytes);
    json.end_object();
    json.member("templates", column.templates);
    json.member("local_templates", column.local_templates);
    json.member("whole_values", column.whole_values);
    json.key("slots");
    json.begin_object();
    for (std::size_t i = 0; i < kSlotModeCount; ++i) json.member(kSlotModeNames[i], column.slots_by_mode[i]);
    json.end_object();
  }
  json.end_object();
}

std::string survey_json(const SegmentSurvey& survey) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("kind", "segment");
  write_head(json, survey);
  write_sections(json, survey);
  write_row_groups(json, survey);
  json.key("parts");
  json.begin_object();
  for (const PartOfSegment& part : record_parts(survey)) write_bytes(json, part.name, *part.bytes);
  json.end_object();
  json.key("columns");
  json.begin_array();
  for (const ColumnSurvey& column : survey.columns) write_column(json, column);
  json.end_array();
  json.key("damage");
  json.begin_array();
  for (const StorageFault& fault : survey.faults) json.value(fault.text());
  json.end_array();
  json.end_object();
  return out + "\n";
}

std::string survey_text(const SegmentSurvey& survey) {
  std::string out = head_text(survey);
  if (!survey.file.sections.empty()) out += "\n" + sections_table(survey);
  if (!survey.row_groups.empty()) {
    out += "\n" + row_groups_table(survey) + "\n" + bytes_table(survey) + templates_table(survey);
  }
  for (const StorageFault& fault : survey.faults) out += "\ndamaged: " + fault.text() + "\n";
  return out;
}

}  // namespace

Result<Inspection> inspect_segment(FileSystem& files, const std::string& path, InspectFormat format) {
  DENDRO_TRY_ASSIGN(const SegmentSurvey survey, survey_segment(files, path));
  return Inspection{format == InspectFormat::json ? survey_json(survey) : survey_text(survey), !survey.faults.empty()};
}

}  // namespace dendro
