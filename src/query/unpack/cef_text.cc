#include <array>
#include <string>

#include "query/unpack/text_fields.h"

namespace dendro {
namespace {

/// Takes one part of the header, up to a "|" that no backslash precedes.
bool take_cef_part(std::string_view& rest, std::string& part) {
  part.clear();
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size() && (rest[at + 1] == '|' || rest[at + 1] == '\\')) {
      part.push_back(rest[++at]);
    } else if (rest[at] == '|') {
      rest.remove_prefix(at + 1);
      return true;
    } else {
      part.push_back(rest[at]);
    }
  }
  return false;
}

/// Place of the next `name=` of the extension: the name's first byte and the "=".
bool find_cef_name(std::string_view rest, std::size_t from, std::size_t& name, std::size_t& equal) {
  for (equal = rest.find('=', from); equal != std::string_view::npos; equal = rest.find('=', equal + 1)) {
    if (equal > 0 && rest[equal - 1] == '\\') continue;
    name = rest.rfind(' ', equal);
    name = name == std::string_view::npos ? 0 : name + 1;
    if (name < equal && name >= from) return true;
  }
  return false;
}

std::string unescaped_cef(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 >= text.size()) {
      plain.push_back(text[at]);
      continue;
    }
    const char c = text[++at];
    plain.push_back(c == 'n' ? '\n' : c == 'r' ? '\r' : c);
  }
  return plain;
}

}  // namespace

bool read_cef(std::string_view text, const TextFieldVisitor& visit) {
  const std::size_t start = text.find("CEF:");
  if (start == std::string_view::npos) return false;
  std::string_view rest = text.substr(start + 4);
  static constexpr std::array<std::string_view, 7> kHeader = {
      "version", "device_vendor", "device_product", "device_version", "device_event_class_id", "name", "severity"};
  std::array<std::string, kHeader.size()> parts;
  for (std::string& part : parts) {
    if (!take_cef_part(rest, part)) return false;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) visit("cef." + std::string(kHeader[i]), value_of_string(parts[i]));
  std::size_t name = 0, equal = 0;
  bool goes_on = find_cef_name(rest, 0, name, equal);
  while (goes_on) {
    std::size_t next_name = 0, next_equal = 0;
    goes_on = find_cef_name(rest, equal + 1, next_name, next_equal);
    std::string_view value = rest.substr(equal + 1, goes_on ? next_name - equal - 1 : std::string_view::npos);
    while (value.ends_with(' ')) value.remove_suffix(1);
    visit(rest.substr(name, equal - name), value_of_string(unescaped_cef(value)));
    name = next_name;
    equal = next_equal;
  }
  return true;
}

}  // namespace dendro
