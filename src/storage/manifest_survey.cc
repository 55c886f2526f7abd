#include "storage/manifest_survey.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "storage/limits.h"
#include "storage/manifest.h"

namespace dendro {
namespace {

// docs/formats/manifest.md.
constexpr std::size_t kSurveyedVersionOffset = 8;
constexpr std::size_t kSurveyedStoreIdOffset = 16;
constexpr std::size_t kSurveyedNumberOffset = 32;
constexpr std::size_t kSurveyedCreatedOffset = 40;
constexpr std::size_t kSurveyedHashOffset = 56;

void read_header(const std::string& path, std::string_view bytes, ManifestSurvey& survey) {
  const auto damaged = [&](const std::string& what) { survey.faults.push_back({path, 0, what}); };
  if (bytes.size() < kManifestHeaderBytes) return damaged("the header is cut off");
  if (!bytes.starts_with(kManifestMagic)) return damaged("not a dendro manifest");
  const auto hash = load_le<std::uint64_t>(bytes.data() + kSurveyedHashOffset);
  if (xxh3(bytes.substr(0, kSurveyedHashOffset), HashSeed(survey.number)) != hash) {
    return damaged("header checksum mismatch");
  }
  survey.version = load_le<std::uint16_t>(bytes.data() + kSurveyedVersionOffset);
  bytes.substr(kSurveyedStoreIdOffset).copy(reinterpret_cast<char*>(survey.store_id.data()), survey.store_id.size());
  survey.created = Timestamp(load_le<std::int64_t>(bytes.data() + kSurveyedCreatedOffset));
  survey.has_header = true;
}

/// Bytes of the whole group at `offset`, 0 if there is none.
std::uint64_t group_bytes_at(std::string_view bytes, std::uint64_t number, std::uint64_t offset) {
  if (bytes.size() - offset < kGroupFrontBytes + kGroupHashBytes) return 0;
  const auto body = load_le<std::uint32_t>(bytes.data() + offset);
  const std::uint64_t hashed = kGroupFrontBytes + std::uint64_t{body};
  if (body == 0 || body > kMaxEditGroupBytes || hashed + kGroupHashBytes > bytes.size() - offset) return 0;
  const auto hash = load_le<std::uint64_t>(bytes.data() + offset + hashed);
  return xxh3(bytes.substr(offset, hashed), HashSeed(number)) == hash ? hashed + kGroupHashBytes : 0;
}

SurveyedGroup read_group(const std::string& path, std::string_view bytes, std::uint64_t offset, std::uint64_t size,
                         ManifestSurvey& survey) {
  SurveyedGroup group{offset, size, {}};
  ManifestEditReader edits(bytes.substr(offset + kGroupFrontBytes, size - kGroupFrontBytes - kGroupHashBytes));
  while (!edits.at_end()) {
    Result<ManifestEdit> edit = edits.next();
    if (!edit) {
      survey.faults.push_back(StorageFault::of(path, edit.error(), offset));
      break;
    }
    group.edits.push_back(std::move(edit).value());
  }
  return group;
}

}  // namespace

ManifestSurvey survey_manifest(const std::string& path, std::string_view bytes, std::optional<std::uint64_t> number) {
  ManifestSurvey survey;
  if (!number && bytes.size() >= kManifestHeaderBytes) {
    number = load_le<std::uint64_t>(bytes.data() + kSurveyedNumberOffset);
  }
  survey.number = number.value_or(0);
  read_header(path, bytes, survey);
  for (std::uint64_t offset = kManifestHeaderBytes; offset < bytes.size();) {
    const std::uint64_t size = group_bytes_at(bytes, survey.number, offset);
    if (size == 0) {
      ++offset;
      continue;
    }
    survey.groups.push_back(read_group(path, bytes, offset, size, survey));
    offset += size;
  }
  const Result<ManifestContents> strict = read_manifest(bytes, survey.number);
  if (strict) {
    survey.was_cut = strict->was_cut;
  } else if (survey.faults.empty()) {
    survey.faults.push_back(StorageFault::of(path, strict.error()));
  }
  return survey;
}

}  // namespace dendro
