#include "apps/inspect_files.h"
#include "apps/text_table.h"
#include "base/json_writer.h"
#include "storage/limits.h"
#include "storage/wal_survey.h"

namespace dendro {
namespace {

struct WalTotals {
  std::uint64_t records = 0, bytes = 0, plain_bytes = 0;
};

WalTotals totals_of(const WalSurvey& survey) {
  WalTotals totals;
  for (const SurveyedFrame& at : survey.frames) {
    totals.records += at.frame.header.record_count;
    totals.bytes += at.frame.bytes();
    totals.plain_bytes += at.payload.plain_bytes;
  }
  return totals;
}

std::string_view frame_codec_text(FrameCodec codec) {
  return codec == FrameCodec::lz4 ? "lz4" : "plain";
}

std::string wal_text(const WalSurvey& survey, std::uint64_t file_bytes) {
  const WalTotals totals = totals_of(survey);
  TextTable head({"WAL file", std::to_string(survey.number.number())}, TextTable::Align::words);
  head.add({"store", hex_digits(survey.store_id.data(), survey.store_id.size())});
  head.add({"created", survey.created == Timestamp() ? "unknown" : to_rfc3339(survey.created)});
  head.add({"file bytes", grouped_digits(file_bytes)});
  head.add({"frames", grouped_digits(survey.frames.size())});
  head.add({"bytes of frames", grouped_digits(totals.bytes)});
  head.add({"records", grouped_digits(totals.records)});
  head.add({"frames follow one another up to", grouped_digits(survey.first_gap_offset)});
  std::string out = head.text(0) + "\n";
  TextTable table(
      {"frame at", "bytes", "plain", "codec", "records", "sequence", "following", "synced", "tenant", "received"});
  for (const SurveyedFrame& at : survey.frames) {
    const FrameHeader& header = at.frame.header;
    table.add({grouped_digits(at.offset), grouped_digits(at.frame.bytes()), grouped_digits(at.payload.plain_bytes),
               std::string(frame_codec_text(header.codec)), grouped_digits(header.record_count),
               std::to_string(header.first_sequence.number()), std::to_string(header.frames_following),
               grouped_digits(header.synced_offset), at.payload.tenant.text(), to_rfc3339(at.payload.receive_time)});
  }
  out += table.text();
  for (const StorageFault& fault : survey.faults) out += "\ndamaged: " + fault.text() + "\n";
  return out;
}

std::string wal_json(const WalSurvey& survey, std::uint64_t file_bytes) {
  const WalTotals totals = totals_of(survey);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("kind", "wal");
  json.member("number", survey.number.number());
  json.member("store", hex_digits(survey.store_id.data(), survey.store_id.size()));
  if (survey.created != Timestamp()) json.member("created", to_rfc3339(survey.created));
  json.member("file_bytes", file_bytes);
  json.member("frame_bytes", totals.bytes);
  json.member("records", totals.records);
  json.member("contiguous_up_to", survey.first_gap_offset);
  json.key("frames");
  json.begin_array();
  for (const SurveyedFrame& at : survey.frames) {
    const FrameHeader& header = at.frame.header;
    json.begin_object();
    json.member("offset", at.offset);
    json.member("bytes", at.frame.bytes());
    json.member("plain_bytes", std::uint64_t{at.payload.plain_bytes});
    json.member("codec", frame_codec_text(header.codec));
    json.member("records", std::uint64_t{header.record_count});
    json.member("first_sequence", header.first_sequence.number());
    json.member("frames_following", std::uint64_t{header.frames_following});
    json.member("synced_offset", header.synced_offset);
    json.member("tenant", at.payload.tenant.text());
    json.member("received", to_rfc3339(at.payload.receive_time));
    json.member("has_retry_key", at.payload.key.has_value());
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

Result<Inspection> inspect_wal(FileSystem& files, const std::string& path, InspectFormat format) {
  DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files, path, kMaxWalFileBytes));
  WalSurvey survey = survey_wal_file(path, bytes, std::nullopt);
  // The name knows the number even where the header is damaged.
  std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (const std::size_t aside = name.find(".damaged-"); aside != std::string_view::npos) name = name.substr(0, aside);
  const std::optional<WalNumber> number = StorePaths::parse_wal_name(name);
  if (survey.created == Timestamp() && number) {
    survey = survey_wal_file(path, bytes, WalIdentity{*number, survey.store_id});
  }
  return Inspection{format == InspectFormat::json ? wal_json(survey, bytes.size()) : wal_text(survey, bytes.size()),
                    !survey.faults.empty()};
}

}  // namespace dendro
