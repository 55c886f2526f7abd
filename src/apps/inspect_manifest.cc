#include "apps/inspect_files.h"
#include "apps/text_table.h"
#include "base/json_writer.h"
#include "storage/limits.h"
#include "storage/manifest_survey.h"
#include "storage/store_paths.h"

namespace dendro {
namespace {

/// An edit in words: what it does, and its numbers.
struct EditWords {
  std::string_view kind;
  std::string details;
};

struct EditSpeaker {
  EditWords operator()(const SegmentInfo& segment) const {
    return {"add segment", std::to_string(segment.id.number()) + ", tenant " + segment.tenant.text() + ", day " +
                               day_text(segment.day) + ", level " + std::to_string(segment.level) + ", " +
                               std::to_string(segment.record_count) + " records, " +
                               std::to_string(segment.file_bytes) + " bytes, sequence numbers " +
                               std::to_string(segment.first_sequence.number()) + " to " +
                               std::to_string(segment.last_sequence.number())};
  }
  EditWords operator()(const RemoveSegment& removal) const {
    return {"remove segment", std::to_string(removal.id.number())};
  }
  EditWords operator()(const FlushedThrough& flushed) const {
    return {"flushed through",
            "tenant " + flushed.tenant.text() + ", sequence number " + std::to_string(flushed.sequence.number())};
  }
  EditWords operator()(const TombstoneInfo& tombstone) const {
    return {"add tombstone", std::to_string(tombstone.id.number()) + ", tenant " + tombstone.tenant.text() + ", " +
                                 to_rfc3339(tombstone.range.first) + " up to " + to_rfc3339(tombstone.range.last) +
                                 ", sequence numbers to " + std::to_string(tombstone.sequence.number()) +
                                 (tombstone.origin == TombstoneOrigin::retention_rule ? ", by a retention rule" : "")};
  }
  EditWords operator()(const TombstoneDone& done) const { return {"tombstone done", std::to_string(done.id.number())}; }
  EditWords operator()(const DropDay& drop) const {
    return {"drop day", "tenant " + drop.tenant.text() + ", " + day_text(drop.day)};
  }
  EditWords operator()(const DropTenant& drop) const { return {"drop tenant", drop.tenant.text()}; }
  EditWords operator()(const Counters& counters) const {
    return {"counters", "next segment " + std::to_string(counters.next_segment.number()) + ", last sequence number " +
                            std::to_string(counters.last_sequence.number()) + ", first live WAL file " +
                            std::to_string(counters.first_live_wal.number())};
  }
  EditWords operator()(const RetryKeys& keys) const {
    return {"retry keys", "tenant " + keys.tenant.text() + ", " + std::to_string(keys.keys.size()) +
                              " of requests whose records are all deleted"};
  }
};

std::string manifest_text(const ManifestSurvey& survey, std::uint64_t file_bytes) {
  TextTable head({"manifest", std::to_string(survey.number)}, TextTable::Align::words);
  head.add({"store", hex_digits(survey.store_id.data(), survey.store_id.size())});
  head.add({"created", survey.has_header ? to_rfc3339(survey.created) : "unknown"});
  head.add({"file bytes", grouped_digits(file_bytes)});
  head.add({"edit groups", grouped_digits(survey.groups.size())});
  std::string out = head.text(0);
  for (const SurveyedGroup& group : survey.groups) {
    out += "\ngroup at " + std::to_string(group.offset) + ", " + std::to_string(group.bytes) + " bytes, " +
           std::to_string(group.edits.size()) + " edits\n";
    for (const ManifestEdit& edit : group.edits) {
      const EditWords words = std::visit(EditSpeaker(), edit);
      out += "  " + std::string(words.kind) + ": " + words.details + "\n";
    }
  }
  if (survey.was_cut) out += "\nan incomplete last edit group follows; opening leaves it out\n";
  for (const StorageFault& fault : survey.faults) out += "\ndamaged: " + fault.text() + "\n";
  return out;
}

std::string manifest_json(const ManifestSurvey& survey, std::uint64_t file_bytes) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("kind", "manifest");
  json.member("number", survey.number);
  json.member("store", hex_digits(survey.store_id.data(), survey.store_id.size()));
  if (survey.has_header) json.member("created", to_rfc3339(survey.created));
  json.member("file_bytes", file_bytes);
  json.member("has_incomplete_last_group", survey.was_cut);
  json.key("groups");
  json.begin_array();
  for (const SurveyedGroup& group : survey.groups) {
    json.begin_object();
    json.member("offset", group.offset);
    json.member("bytes", group.bytes);
    json.key("edits");
    json.begin_array();
    for (const ManifestEdit& edit : group.edits) {
      const EditWords words = std::visit(EditSpeaker(), edit);
      json.begin_object();
      json.member("kind", words.kind);
      json.member("details", words.details);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.key("damage");
  json.begin_array();
  for (const StorageFault& fault : survey.faults) json.value(fault.text());
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace

Result<Inspection> inspect_manifest(FileSystem& files, const std::string& path, InspectFormat format) {
  DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files, path, kMaxManifestBytes));
  // The name knows the number even where the header is damaged.
  std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (const std::size_t aside = name.find(".damaged-"); aside != std::string_view::npos) name = name.substr(0, aside);
  const ManifestSurvey survey = survey_manifest(path, bytes, StorePaths::parse_manifest_name(name));
  return Inspection{
      format == InspectFormat::json ? manifest_json(survey, bytes.size()) : manifest_text(survey, bytes.size()),
      !survey.faults.empty()};
}

}  // namespace dendro
