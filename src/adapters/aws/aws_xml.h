#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// An element of a reply of AWS, names without their namespace's prefix.
struct AwsXmlElement {
  std::string name;
  std::string text;  ///< of itself, blanks around it kept
  std::vector<AwsXmlElement> children;

  /// The first child of this name; null: there is none. Borrowed.
  const AwsXmlElement* find(std::string_view child_name) const;
  /// Its text; empty: there is none.
  std::string_view text_of(std::string_view child_name) const;
  /// The first element of this name anywhere below, itself included. Null: there is none.
  const AwsXmlElement* find_below(std::string_view element_name) const;
};

inline constexpr std::size_t kAwsXmlBytesMax = std::size_t{16} << 20;
inline constexpr int kAwsXmlDepthMax = 16;                 ///< replies need 5
inline constexpr std::size_t kAwsXmlElementsMax = 50'000;  ///< a full page of a listing has about 8,000

/// The root element. Knows no entities but the five of the language and numbered characters; loads nothing.
/// Errors: io_error (not XML, or deeper or larger than the bounds: no reply of AWS).
Result<AwsXmlElement> parse_aws_xml(std::string_view text);

}  // namespace dendro
