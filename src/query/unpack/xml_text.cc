// XML by pugixml, which knows no entities but the five of the language and numbered characters, and loads nothing. What
// declares a document type is refused all the same.
#include <pugixml.hpp>
#include <string>
#include <unordered_map>

#include "query/unpack/text_fields.h"
#include "record/limits.h"

namespace dendro {
namespace {

/// The tree takes several times the bytes of the text.
constexpr std::size_t kXmlBytesMax = std::size_t{1} << 20;

class XmlWalk {
 public:
  explicit XmlWalk(const TextFieldVisitor& visit) : visit_(visit) {}

  /// An element under its dotted name: attributes `name.@id`, its text under the name itself.
  void element(const pugi::xml_node& node, const std::string& name, int depth) {
    if (depth > kMaxRecordDepth || name.size() > kMaxFieldNameBytes) return;
    for (const pugi::xml_attribute& attribute : node.attributes())
      visit_(name + ".@" + attribute.name(), value_of_string(attribute.value()));
    std::unordered_map<std::string, std::size_t> counts;
    std::string text;
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() != pugi::node_element) {
        text += child.value();
        continue;
      }
      // The second element of a name is `name.1`: the first one keeps its own whatever follows.
      const std::size_t number = counts[child.name()]++;
      const std::string child_name = name + "." + child.name();
      element(child, number == 0 ? child_name : child_name + "." + std::to_string(number), depth + 1);
    }
    if (!text.empty()) visit_(name, value_of_string(text));
  }

 private:
  const TextFieldVisitor& visit_;
};

}  // namespace

bool read_xml(std::string_view text, const TextFieldVisitor& visit) {
  if (text.size() > kXmlBytesMax || text.find('<') == std::string_view::npos) return false;
  pugi::xml_document document;
  constexpr unsigned kOptions = pugi::parse_minimal | pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                pugi::parse_doctype | pugi::parse_wconv_attribute;
  if (!document.load_buffer(text.data(), text.size(), kOptions, pugi::encoding_utf8)) return false;
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() == pugi::node_doctype) return false;
  }
  const pugi::xml_node root = document.document_element();
  if (!root) return false;
  XmlWalk(visit).element(root, root.name(), 1);
  return true;
}

}  // namespace dendro
