#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

/// Tells, for pieces of a text that are asked about from front to back, whether one of some texts stands in them. Each
/// byte is searched once a text, however short the pieces are. Borrows both. Not thread-safe.
class TextSweep {
 public:
  explicit TextSweep(const std::vector<std::string>& wanted) : wanted_(wanted), next_(wanted.size()) {}

  /// Another text from now on.
  void start(std::string_view text) {
    text_ = text;
    next_.assign(wanted_.size(), kUnknown);
  }
  bool has_wanted() const { return !wanted_.empty(); }
  /// One of them stands wholly in text[first, last). `first` never falls.
  bool stands_in(std::size_t first, std::size_t last) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (next_[i] == kUnknown || next_[i] < first) next_[i] = find(wanted_[i], first);
      if (next_[i] < last && wanted_[i].size() <= last - next_[i]) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);
  std::size_t find(std::string_view wanted, std::size_t first) const {
    const void* found = ::memmem(text_.data() + first, text_.size() - first, wanted.data(), wanted.size());
    return found == nullptr ? text_.size() : static_cast<std::size_t>(static_cast<const char*>(found) - text_.data());
  }

  const std::vector<std::string>& wanted_;
  std::string_view text_;
  std::vector<std::size_t> next_;  ///< where each stands next; the end of the text: nowhere
};

}  // namespace dendro
