#include "filter/regex.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <utility>

#include "filter/regex_accelerator.h"
#include "filter/regex_outline.h"
#include "filter/text_pattern.h"
#include "record/fold.h"

namespace dendro {
namespace {

/// Bounds the compiled program (two thirds of it, about 170,000 instructions) and RE2's cache of states.
constexpr std::int64_t kRegexMemoryBytesMax = std::int64_t{8} << 20;
/// Shorter literals stand in nearly every text (query-language.md 5: `regex_unindexed`).
constexpr int kAtomBytesMin = 3;
/// More atoms than this are not searched one by one for the one that each match needs.
constexpr std::size_t kRequiredAtomCandidatesMax = 32;
/// Compiling for hyperscan takes some milliseconds, which RE2 makes good use of for about this much text.
constexpr std::size_t kAccelerateAfterBytes = std::size_t{2} << 20;

/// Above one marked value in so many, RE2 by value is the faster way (measured: `\d+`, which marks nearly all lines of
/// a boot log, took four times as long with hyperscan as without).
constexpr std::size_t kMarkedShareMax = 4;

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryBytesMax);
  return options;
}

re2::StringPiece piece_of(std::string_view text) {
  return text.empty() ? re2::StringPiece("", 0) : re2::StringPiece(text.data(), text.size());
}

bool finds(const re2::RE2& expression, std::string_view value, re2::RE2::Anchor anchor) {
  const re2::StringPiece piece = piece_of(value);
  return expression.Match(piece, 0, piece.size(), anchor, nullptr, 0);
}

/// `\1`: what people bring along from other engines.
bool is_back_reference(std::string_view part) {
  return part.size() >= 2 && part[0] == '\\' && ((part[1] >= '1' && part[1] <= '9') || part[1] == 'k');
}
bool is_look_around(std::string_view part) {
  return part.starts_with("(?=") || part.starts_with("(?!") || part.starts_with("(?<=") || part.starts_with("(?<!");
}

std::string fault_message(const re2::RE2& refused, std::string_view pattern, std::string_view part) {
  const std::string quoted = "\"" + std::string(part) + "\"";
  switch (refused.error_code()) {
    case re2::RE2::ErrorBadEscape:
      if (is_back_reference(part))
        return "back-references (" + quoted + ") are not supported; RE2 matches in linear time";
      return "unknown escape " + quoted + "; a backslash itself is written \"\\\\\"";
    case re2::RE2::ErrorBadPerlOp:
    case re2::RE2::ErrorBadNamedCapture: {
      if (const std::size_t at = pattern.find(part); at < pattern.size() && is_look_around(pattern.substr(at))) {
        return "look-around (" + quoted + ") is not supported; use \"and\", \"not\" and a second expression";
      }
      return "unknown group " + quoted + "; known are (..) (?:..) (?P<name>..) (?i)";
    }
    case re2::RE2::ErrorMissingParen:
      return "a \"(\" is never closed; a bracket meant as text is written \"\\(\"";
    case re2::RE2::ErrorUnexpectedParen:
      return "a \")\" was never opened; a bracket meant as text is written \"\\)\"";
    case re2::RE2::ErrorMissingBracket:
      return "a \"[\" is never closed; a bracket meant as text is written \"\\[\"";
    case re2::RE2::ErrorRepeatArgument:
    case re2::RE2::ErrorRepeatOp:
      return "nothing stands before the quantifier " + quoted + "; as text it is written with a backslash";
    case re2::RE2::ErrorRepeatSize:
      return "the repeat " + quoted + " is out of bounds; at most 1000, nested ones multiplied";
    case re2::RE2::ErrorPatternTooLarge:
      return "the expression is too large when compiled; lower its repeat counts";
    case re2::RE2::ErrorBadUTF8:
      return "the expression is not UTF-8";
    default:
      return refused.error();
  }
}

Error refuse(const RegexFault& found, std::string_view pattern, RegexFault* fault) {
  if (fault != nullptr) *fault = found;
  constexpr std::size_t kShownBytesMax = 80;
  std::string shown(pattern.substr(0, kShownBytesMax));
  if (pattern.size() > kShownBytesMax) shown += "...";
  return Error(ErrorCode::invalid_argument, "regular expression \"" + shown + "\": " + found.message);
}

Error refuse_expression(std::string_view pattern, RegexFault* fault) {
  const re2::RE2 refused(piece_of(pattern), regex_options());
  const std::string& part = refused.error_arg();
  RegexFault found{fault_message(refused, pattern, part), 0, 0};
  const std::size_t at = part.empty() ? std::string_view::npos : pattern.find(part);
  if (at != std::string_view::npos) {
    found.offset = at;
    found.size = part.size();
  }
  return refuse(found, pattern, fault);
}

}  // namespace

struct Regex::Impl {
  std::string pattern;
  re2::FilteredRE2 filtered{kAtomBytesMin};
  std::vector<std::string> atoms;
  /// Of each atom its indices among those of `filtered`: several where folding makes them equal.
  std::vector<std::vector<int>> filtered_indices;
  std::string required_atom;
  FoldedNeedle required_needle;  // of required_atom
  bool is_literal = false;
  std::vector<std::string> group_names;
  RegexOutline outline;
  mutable std::atomic<std::size_t> text_bytes_seen{0};
  mutable std::atomic<std::size_t> values_scanned{0};  // by the accelerator
  mutable std::atomic<std::size_t> values_marked{0};
  mutable std::once_flag accelerator_made;
  mutable std::unique_ptr<const RegexAccelerator> accelerator;  // set once, under accelerator_made

  const re2::RE2& expression() const { return filtered.GetRE2(0); }

  /// RE2 20220601 lower-cases every single letter as our folding does (measured over all code points); that is not its
  /// promise, so its texts are folded once more.
  void take_atoms() {
    std::vector<std::string> lower_cased;
    filtered.Compile(&lower_cased);
    for (std::size_t i = 0; i < lower_cased.size(); ++i) {
      const std::string atom = folded(lower_cased[i]);
      const auto known = std::find(atoms.begin(), atoms.end(), atom);
      if (known == atoms.end()) {
        atoms.push_back(atom);
        filtered_indices.push_back({static_cast<int>(i)});
      } else {
        filtered_indices[static_cast<std::size_t>(known - atoms.begin())].push_back(static_cast<int>(i));
      }
    }
  }

  void take_group_names() {
    group_names.resize(static_cast<std::size_t>(expression().NumberOfCapturingGroups()));
    for (const auto& [group, name] : expression().CapturingGroupNames())
      group_names[static_cast<std::size_t>(group) - 1] = name;
  }

  bool may_match(std::span<const int> present) const {
    std::vector<int> found;
    for (const int atom : present) {
      const std::vector<int>& indices = filtered_indices[static_cast<std::size_t>(atom)];
      found.insert(found.end(), indices.begin(), indices.end());
    }
    std::vector<int> expressions;
    filtered.AllPotentials(found, &expressions);
    return !expressions.empty();
  }

  void find_required_atom() {
    if (atoms.size() > kRequiredAtomCandidatesMax) return;
    for (std::size_t left_out = 0; left_out < atoms.size(); ++left_out) {
      std::vector<int> others(atoms.size());
      std::iota(others.begin(), others.end(), 0);
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(left_out));
      if (atoms[left_out].size() > required_atom.size() && !may_match(others)) required_atom = atoms[left_out];
    }
  }

  const RegexAccelerator* accelerator_or_null() const {
    std::call_once(accelerator_made, [this] { accelerator = RegexAccelerator::make(outline); });
    return accelerator.get();
  }

  /// Not before it makes good for its compiling, and not where it marks so much that RE2 has to look at most of it
  /// again.
  bool pays(std::size_t bytes) const {
    if (text_bytes_seen.fetch_add(bytes, std::memory_order_relaxed) + bytes < kAccelerateAfterBytes) return false;
    return values_marked.load(std::memory_order_relaxed) * kMarkedShareMax <=
           values_scanned.load(std::memory_order_relaxed);
  }

  /// Marks the values RE2 must be asked about.
  void mark(std::string_view text, std::span<const std::uint32_t> ends, std::vector<std::uint8_t>& marks) const {
    const RegexAccelerator* marker = accelerator_or_null();
    if (marker == nullptr || !marker->mark(text, ends, marks)) {
      marks.assign(ends.size(), 1);
      return;
    }
    values_scanned.fetch_add(ends.size(), std::memory_order_relaxed);
    const auto marked = std::count(marks.begin(), marks.end(), std::uint8_t{1});
    values_marked.fetch_add(static_cast<std::size_t>(marked), std::memory_order_relaxed);
  }
};

Regex::Regex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view pattern, RegexFault* fault) {
  if (pattern.size() > kRegexBytesMax) {
    const std::string message = "has " + std::to_string(pattern.size()) + " bytes, at most " +
                                std::to_string(kRegexBytesMax) + " are taken; split it with \"or\"";
    return refuse({message, 0, 0}, pattern, fault);
  }
  auto impl = std::make_unique<Impl>();
  impl->pattern = pattern;
  int id = 0;
  if (impl->filtered.Add(piece_of(pattern), regex_options(), &id) != re2::RE2::NoError) {
    return refuse_expression(pattern, fault);
  }
  impl->take_group_names();
  impl->take_atoms();
  impl->find_required_atom();
  impl->required_needle = FoldedNeedle(impl->required_atom);
  impl->is_literal = !pattern.empty() && pattern.find_first_of("\\.+*?()|[]{}^$") == std::string_view::npos;
  impl->outline = outline_regex(pattern);
  return std::shared_ptr<const Regex>(new Regex(std::move(impl)));
}

const std::string& Regex::pattern() const {
  return impl_->pattern;
}

bool Regex::is_literal() const {
  return impl_->is_literal;
}

bool Regex::matches(std::string_view value) const {
  if (impl_->is_literal) return find_literal(value, impl_->pattern) != std::string_view::npos;
  // RE2 takes a lock for each call: most values of a dictionary need not go that far.
  const FoldedNeedle& required = impl_->required_needle;
  if (!required.text().empty() && required.is_utf8() && find_folded(value, required) == std::string_view::npos)
    return false;
  return finds(impl_->expression(), value, re2::RE2::UNANCHORED);
}

bool Regex::matches_whole(std::string_view value) const {
  return finds(impl_->expression(), value, re2::RE2::ANCHOR_BOTH);
}

const std::vector<std::string>& Regex::group_names() const {
  return impl_->group_names;
}

bool Regex::capture(std::string_view value, std::size_t first, std::vector<std::string_view>& groups) const {
  std::vector<re2::StringPiece> pieces(impl_->group_names.size() + 1);
  const re2::StringPiece piece = piece_of(value);
  if (!impl_->expression().Match(piece, first, piece.size(), re2::RE2::UNANCHORED, pieces.data(),
                                 static_cast<int>(pieces.size())))
    return false;
  groups.clear();
  for (const re2::StringPiece& part : pieces) {
    groups.push_back(part.data() == nullptr ? std::string_view() : std::string_view(part.data(), part.size()));
  }
  return true;
}

const std::vector<std::string>& Regex::atoms() const {
  return impl_->atoms;
}

bool Regex::may_match(std::span<const int> present_atoms) const {
  return impl_->atoms.empty() || impl_->may_match(present_atoms);
}

std::string_view Regex::required_atom() const {
  return impl_->required_atom;
}

bool Regex::avoids(const std::bitset<256>& bytes) const {
  const RegexOutline& outline = impl_->outline;
  return outline.is_understood && !outline.may_be_empty && !outline.has_assertion &&
         (outline.match_bytes & bytes).none();
}

bool Regex::has_accelerator() const {
  return impl_->accelerator_or_null() != nullptr;
}

void Regex::match_many(std::string_view text, std::span<const std::uint32_t> ends,
                       std::vector<std::uint8_t>& verdicts) const {
  match_many(text, ends, verdicts, Accelerator::when_it_pays);
}

void Regex::match_many(std::string_view text, std::span<const std::uint32_t> ends, std::vector<std::uint8_t>& verdicts,
                       Accelerator accelerator) const {
  const bool is_wanted =
      accelerator == Accelerator::always || (accelerator == Accelerator::when_it_pays && impl_->pays(text.size()));
  verdicts.assign(ends.size(), is_wanted ? 0 : 1);
  if (is_wanted) impl_->mark(text, ends, verdicts);
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (verdicts[i] != 0) verdicts[i] = matches(text.substr(first, ends[i] - first)) ? 1 : 0;
    first = ends[i];
  }
}

}  // namespace dendro
