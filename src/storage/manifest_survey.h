#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/manifest_edit.h"
#include "storage/storage_fault.h"

namespace dendro {

/// A whole, undamaged edit group of a manifest.
struct SurveyedGroup {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::vector<ManifestEdit> edits;  ///< those before the first that cannot be read
};

/// A manifest file read past its damage.
struct ManifestSurvey {
  std::uint64_t number = 0;
  std::uint16_t version = 0;
  Bytes16 store_id{};
  Timestamp created;
  bool has_header = false;
  std::vector<SurveyedGroup> groups;
  bool was_cut = false;              ///< an incomplete last group, which opening leaves out
  std::vector<StorageFault> faults;  ///< none: the file opens
};

/// @param number  that the file's name says; without it the header must be good.
ManifestSurvey survey_manifest(const std::string& path, std::string_view bytes, std::optional<std::uint64_t> number);

}  // namespace dendro
