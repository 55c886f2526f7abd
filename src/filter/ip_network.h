#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "filter/literal.h"

namespace dendro {

/// An address with how many of its leading bits count: `10.0.0.0/8`, `fe80::/10`; without `/n`, all of them. Bits
/// behind those do not matter. Immutable; thread-safe; two are equal if they were written alike.
class IpNetwork {
 public:
  /// Nothing if `text` is no address or its length of prefix is beyond 32, or 128.
  static std::optional<IpNetwork> parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool contains(const IpAddress& address) const;
  /// True if some address that stands in `text` is inside. An address stands there if no letter, digit or `_` touches
  /// it, nor a dot that would make it longer: `10.0.0.1:80` and `[fe80::1]` hold one, `1.2.3.4.5` does not.
  bool stands_in(std::string_view text) const;

  friend bool operator==(const IpNetwork& a, const IpNetwork& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  IpAddress first_;
  int bits_ = 0;
};

}  // namespace dendro
