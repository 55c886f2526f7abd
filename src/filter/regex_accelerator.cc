// hyperscan gets a byte-wise expression that finds a superset (regex_outline.h), so that none of its rules about UTF-8,
// case, anchors or white space can lose a match. It names where matches end; a match may also have run over the border
// of two values. RE2 confirms each value it marks.
#include "filter/regex_accelerator.h"

#include <hs/hs.h>

#include <algorithm>
#include <utility>

namespace dendro {
namespace {

struct DatabaseDeleter {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, DatabaseDeleter>;

Database compile_database(const std::string& expression) {
  if (expression.empty() || expression.find('\0') != std::string::npos) return nullptr;
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile(expression.c_str(), 0, HS_MODE_BLOCK, nullptr, &database, &error) != HS_SUCCESS) {
    hs_free_compile_error(error);
    return nullptr;
  }
  return Database(database);
}

/// One thread's scratch; grows to what the databases it met need.
class ScratchMemory {
 public:
  ScratchMemory() = default;
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;
  ~ScratchMemory() { hs_free_scratch(scratch_); }
  /// nullptr if there is no memory.
  hs_scratch_t* fitting(const hs_database_t* database) {
    return hs_alloc_scratch(database, &scratch_) == HS_SUCCESS ? scratch_ : nullptr;
  }

 private:
  hs_scratch_t* scratch_ = nullptr;
};

/// Sets the mark of the value in which a match ends. Ends come in ascending order, nearly always.
struct MarkSetter {
  std::span<const std::uint32_t> ends;
  std::span<std::uint8_t> marks;
  std::size_t value = 0;

  void match_ended_at(std::uint64_t end) {
    const std::uint64_t last_byte = end - 1;  // a match has one at least
    const bool is_behind = value > 0 && last_byte < ends[value - 1];
    if (is_behind) value = 0;
    if (last_byte >= ends[value]) {
      const auto found = std::upper_bound(ends.begin() + static_cast<std::ptrdiff_t>(value), ends.end(), last_byte);
      value = static_cast<std::size_t>(found - ends.begin());
    }
    marks[value] = 1;
  }
};

int on_match(unsigned, unsigned long long, unsigned long long end, unsigned, void* context) {
  static_cast<MarkSetter*>(context)->match_ended_at(end);
  return 0;
}

/// Eight bytes at a time, 64 KiB between looks at the result.
bool is_ascii_text(std::string_view text) {
  constexpr std::size_t kStepBytes = std::size_t{64} << 10;
  for (; !text.empty(); text.remove_prefix(std::min(kStepBytes, text.size()))) {
    std::uint8_t all = 0;
    for (const char c : text.substr(0, kStepBytes)) all = static_cast<std::uint8_t>(all | static_cast<std::uint8_t>(c));
    if (all >= 0x80) return false;
  }
  return true;
}

}  // namespace

struct RegexAccelerator::Databases {
  Database ascii;
  Database wide;
  bool is_same = false;  ///< `ascii` serves any text
};

RegexAccelerator::RegexAccelerator(std::unique_ptr<Databases> databases) : databases_(std::move(databases)) {}
RegexAccelerator::~RegexAccelerator() = default;

std::unique_ptr<const RegexAccelerator> RegexAccelerator::make(const RegexOutline& outline) {
  if (!outline.is_understood || outline.may_be_empty || hs_valid_platform() != HS_SUCCESS) return nullptr;
  auto databases = std::make_unique<Databases>();
  databases->is_same = outline.ascii_superset == outline.wide_superset;
  databases->ascii = compile_database(outline.ascii_superset);
  if (!databases->is_same) databases->wide = compile_database(outline.wide_superset);
  if (databases->ascii == nullptr && databases->wide == nullptr) return nullptr;
  return std::unique_ptr<const RegexAccelerator>(new RegexAccelerator(std::move(databases)));
}

bool RegexAccelerator::mark(std::string_view text, std::span<const std::uint32_t> ends,
                            std::span<std::uint8_t> marks) const {
  if (ends.empty()) return true;
  const std::string_view values = text.substr(0, ends.back());
  const bool takes_ascii = databases_->is_same || is_ascii_text(values);
  const hs_database_t* database = takes_ascii ? databases_->ascii.get() : databases_->wide.get();
  if (database == nullptr) return false;
  static thread_local ScratchMemory memory;
  hs_scratch_t* scratch = memory.fitting(database);
  if (scratch == nullptr) return false;
  MarkSetter setter{ends, marks};
  const auto size = static_cast<unsigned>(values.size());
  return hs_scan(database, values.data(), size, 0, scratch, on_match, &setter) == HS_SUCCESS;
}

}  // namespace dendro
